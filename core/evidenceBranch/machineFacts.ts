// From the statements of a sound branch to what a gate needs: of each machine the newest inventory, by the time inside it, and the tests of
// the snapshots in it. When a statement was published plays no part, so an old one published again changes nothing. Pure.

import { isOurError } from "../errors.js";
import { decodeEnvelope } from "../evidence/dsse.js";
import type { GateFacts, MachineFacts } from "../evidence/gateFacts.js";
import type { Inventory } from "../evidence/inventory.js";
import { MAX_CLOCK_SKEW_MS } from "../evidence/objections.js";
import type { EvidencePolicy, EvidenceReason } from "../evidence/policy.js";
import { readInventories, type SignedInventory } from "../evidence/signedInventories.js";
import { decodeStatement, RESTORE_TEST_TYPE, TEST_RESULT_TYPE } from "../evidence/statement.js";
import { decodeText } from "../format/bytes.js";
import { shortLine } from "../report/inertText.js";
import { statementPath } from "./branchPaths.js";
import type { LiveStatement } from "./branchTree.js";

export interface FactsTrust extends Pick<EvidencePolicy, "keys" | "threshold"> {
  nowMs: number;
  /** Whose inventories count; null: those of any repository, as long as no two claim the same machine. */
  repositoryIds: readonly string[] | null;
}

type Facts = Pick<GateFacts, "machines" | "problems">;
type Problem = GateFacts["problems"][number];

const MAX_SHOWN = 300;

export function machineFacts(statements: readonly LiveStatement[], trust: FactsTrust): Facts {
  const texts = statements.map(({ bytes, digest }) => decodeText(bytes, statementPath(digest)));
  const problems: Problem[] = [];
  const wrong: EvidenceReason[] = [];
  const inventories = readInventories(texts, trust, { ignored: [], problems: wrong });
  for (const { message, envelope } of wrong) {
    const path = statementPath(statements[envelope ?? 0]?.digest ?? "");
    problems.push({ code: "evidence-invalid", message: shortLine(`${path}: ${message}`, MAX_SHOWN) });
  }
  const counted = inventories.filter(
    ({ inventory }) => trust.repositoryIds === null || trust.repositoryIds.includes(inventory.repositoryId),
  );
  const tests = testsBySnapshot(texts);
  const machines = new Map<string, MachineFacts>();
  for (const [machine, claims] of Map.groupBy(counted, ({ inventory }) => inventory.machine)) {
    const inventory = currentInventory(machine, claims, problems);
    if (inventory === null) continue;
    problems.push(...objectionsToInventory(inventory, trust.nowMs));
    machines.set(machine, factsOf(inventory, tests));
  }
  return { machines, problems };
}

/** Null, with a problem, when it is not clear which one holds. */
function currentInventory(machine: string, claims: readonly SignedInventory[], problems: Problem[]): Inventory | null {
  const newest: Inventory[] = [];
  for (const [repositoryId, ofRepository] of Map.groupBy(claims, ({ inventory }) => inventory.repositoryId)) {
    const inventories = ofRepository.map(({ inventory }) => inventory);
    const asOf = inventories.reduce((latest, each) => Math.max(latest, Date.parse(each.asOf)), 0);
    const [first, ...others] = inventories.filter((each) => Date.parse(each.asOf) === asOf);
    if (first === undefined) continue;
    if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      const message = `two inventories of ${machine} in repository ${repositoryId} as of ${first.asOf} differ`;
      problems.push({ code: "evidence-invalid", message });
      return null;
    }
    newest.push(first);
  }
  const own = newest.filter((inventory) => !holdsCopiesOnly(inventory));
  const [only, ...others] = own.length > 0 ? own : newest;
  if (only === undefined || others.length === 0) return only ?? null;
  const ids = [only, ...others].map(({ repositoryId }) => repositoryId).join(", ");
  const message = `several repositories have snapshots of ${machine} (${ids}): the gate must name the one that counts`;
  problems.push({ code: "evidence-invalid", message: shortLine(message, MAX_SHOWN) });
  return null;
}

/** A repository that only holds copies of another one's snapshots says nothing about the machine that the other does not. */
function holdsCopiesOnly({ snapshots }: Inventory): boolean {
  return snapshots.length > 0 && snapshots.every(({ copiedFrom }) => copiedFrom !== null);
}

function objectionsToInventory({ machine, asOf, unreadable }: Inventory, nowMs: number): Problem[] {
  const found: Problem[] = [];
  if (Date.parse(asOf) > nowMs + MAX_CLOCK_SKEW_MS)
    found.push({ code: "clock", message: `the inventory of ${machine} is as of ${asOf}, which is yet to come` });
  if (unreadable > 0) {
    const message = `${unreadable} ${unreadable === 1 ? "manifest" : "manifests"} in the repository of ${machine} could not be read: any may be its newest snapshot`;
    found.push({ code: "repository-unreadable", message });
  }
  return found;
}

function factsOf(inventory: Inventory, tests: ReadonlyMap<string, readonly string[]>): MachineFacts {
  const envelopes = inventory.snapshots.flatMap(({ manifestDigest }) => tests.get(manifestDigest) ?? []);
  return {
    machine: inventory.machine,
    asOfMs: Date.parse(inventory.asOf),
    snapshots: inventory.snapshots.map(({ sid, manifestDigest, time, verification }) => ({
      sid,
      digest: manifestDigest,
      timeMs: Date.parse(time),
      verification: verification && {
        result: verification.result,
        level: verification.level,
        atMs: Date.parse(verification.at),
      },
    })),
    envelopes: [...new Set(envelopes)],
  };
}

/** Envelopes by the digest of the manifest they speak of. Sorted, not believed: whoever decides checks their signatures. */
function testsBySnapshot(texts: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const text of texts) {
    for (const digest of testedDigests(text)) {
      const known = found.get(digest);
      if (known === undefined) found.set(digest, [text]);
      else known.push(text);
    }
  }
  return found;
}

function testedDigests(text: string): string[] {
  try {
    const { subjects, predicateType } = decodeStatement(decodeEnvelope(text, "envelope").payload, "statement");
    const isTest = predicateType === RESTORE_TEST_TYPE || predicateType === TEST_RESULT_TYPE;
    return isTest ? [...new Set(subjects.map(({ sha256 }) => sha256))] : [];
  } catch (error) {
    if (isOurError(error)) return [];
    throw error;
  }
}
