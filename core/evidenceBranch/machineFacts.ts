// From the statements of a sound branch to what a gate needs: of each machine the newest inventory, by the time inside it, and the tests of
// the snapshots in it. When a statement was published plays no part, so an old one published again changes nothing. Pure.

import { envelopesBySubject } from "../evidence/envelopesBySubject.js";
import type { GateFacts, MachineFacts } from "../evidence/gateFacts.js";
import type { Inventory } from "../evidence/inventory.js";
import { MAX_CLOCK_SKEW_MS } from "../evidence/objections.js";
import type { EvidencePolicy, EvidenceReason } from "../evidence/policy.js";
import { readInventories, type SignedInventory } from "../evidence/signedInventories.js";
import { RESTORE_TEST_TYPE, TEST_RESULT_TYPE } from "../evidence/statement.js";
import { decodeText } from "../format/bytes.js";
import { shortLine } from "../report/inertText.js";
import { statementPath } from "./branchPaths.js";
import type { LiveStatement } from "./branchTree.js";

export interface FactsTrust extends Pick<EvidencePolicy, "keys"> {
  nowMs: number;
  /** Whose inventories count; null: those of any repository, as long as no two claim the same machine. */
  repositoryId: string | null;
}

type Facts = Pick<GateFacts, "machines" | "problems" | "machineProblems">;
type Problem = GateFacts["problems"][number];

const MAX_SHOWN = 300;

export function machineFacts(statements: readonly LiveStatement[], trust: FactsTrust): Facts {
  const texts = statements.map(({ bytes, digest }) => decodeText(bytes, statementPath(digest)));
  const problems: Problem[] = [];
  const wrong: EvidenceReason[] = [];
  const inventories = readInventories(texts, { keys: trust.keys, threshold: 1 }, { ignored: [], problems: wrong });
  for (const { message, envelope } of wrong) {
    const path = statementPath(statements[envelope ?? 0]?.digest ?? "");
    problems.push({ code: "evidence-invalid", message: shortLine(`${path}: ${message}`, MAX_SHOWN) });
  }
  const counted = inventories.filter(
    ({ inventory }) => trust.repositoryId === null || trust.repositoryId === inventory.repositoryId,
  );
  const tests = envelopesBySubject(texts, [RESTORE_TEST_TYPE, TEST_RESULT_TYPE]);
  const machines = new Map<string, MachineFacts>();
  const machineProblems = new Map<string, readonly Problem[]>();
  for (const [machine, claims] of Map.groupBy(counted, ({ inventory }) => inventory.machine)) {
    const current = currentInventory(machine, claims);
    if ("code" in current) {
      machineProblems.set(machine, [current]);
      continue;
    }
    machineProblems.set(machine, objectionsToInventory(current, trust.nowMs));
    machines.set(machine, factsOf(current, tests));
  }
  return { machines, problems, machineProblems };
}

/** The problem when it is not clear which one holds. `claims`: at least one. */
function currentInventory(machine: string, claims: readonly SignedInventory[]): Inventory | Problem {
  const newest: Inventory[] = [];
  for (const [repositoryId, ofRepository] of Map.groupBy(claims, ({ inventory }) => inventory.repositoryId)) {
    const inventories = ofRepository.map(({ inventory }) => inventory);
    const asOf = inventories.reduce((latest, each) => Math.max(latest, Date.parse(each.asOf)), 0);
    const [first, ...others] = inventories.filter((each) => Date.parse(each.asOf) === asOf);
    if (first === undefined) continue;
    if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      const message = `two inventories of ${machine} in repository ${repositoryId} as of ${first.asOf} differ`;
      return { code: "evidence-invalid", message };
    }
    newest.push(first);
  }
  const own = newest.filter((inventory) => !holdsCopiesOnly(inventory));
  const filled = own.filter((inventory) => !isEmpty(inventory));
  const [only, ...others] = filled.length > 0 ? filled : own.length > 0 ? own : newest;
  if (only !== undefined && others.length === 0) return only;
  const ids = [...(only ? [only] : []), ...others].map(({ repositoryId }) => repositoryId).join(", ");
  const message = `several repositories have snapshots of ${machine} (${ids}): the gate must name the one that counts (repository:)`;
  return { code: "evidence-invalid", message: shortLine(message, MAX_SHOWN) };
}

/** A repository that only holds copies of another one's snapshots says nothing about the machine that the other does not. */
function holdsCopiesOnly({ snapshots }: Inventory): boolean {
  return snapshots.length > 0 && snapshots.every(({ copiedFrom }) => copiedFrom !== null);
}

/**
 * A job that names the machine in a repository where it never was says so: that does not compete with snapshots of its own elsewhere, as
 * long as everything there can be read. Copies do not make up for it: that all backups are gone is told.
 */
function isEmpty({ snapshots, unreadable }: Inventory): boolean {
  return snapshots.length === 0 && unreadable === 0;
}

function objectionsToInventory({ machine, asOf, unreadable }: Inventory, nowMs: number): Problem[] {
  const found: Problem[] = [];
  if (Date.parse(asOf) > nowMs + MAX_CLOCK_SKEW_MS)
    found.push({ code: "clock", message: `the inventory of ${machine} is as of ${asOf}, which is yet to come` });
  if (unreadable > 0) {
    const what = unreadable === 1 ? "manifest or record" : "manifests or records";
    const message = `${unreadable} ${what} in the repository of ${machine} could not be read: any may be its newest snapshot, or speak against one`;
    found.push({ code: "repository-unreadable", message });
  }
  return found;
}

function factsOf(inventory: Inventory, tests: ReadonlyMap<string, readonly string[]>): MachineFacts {
  const envelopes = inventory.snapshots.flatMap(({ manifestDigest }) => tests.get(manifestDigest) ?? []);
  return {
    machine: inventory.machine,
    asOfMs: Date.parse(inventory.asOf),
    snapshots: inventory.snapshots.map(({ sid, manifestDigest, time, verification, test }) => ({
      sid,
      digest: manifestDigest,
      timeMs: Date.parse(time),
      verification: verification && {
        result: verification.result,
        level: verification.level,
        atMs: Date.parse(verification.at),
      },
      newestTest: test && {
        recordDigest: test.recordDigest,
        outcome: test.outcome,
        finishedAtMs: Date.parse(test.finishedAt),
      },
    })),
    envelopes: [...new Set(envelopes)],
  };
}
