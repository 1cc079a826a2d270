// What the repository itself says about machines, for a gate that may read it: the catalog as the storage has it now, and the restore
// tests stored beside the snapshots. Runners can write such records, so signatures count here as well when the gate names keys.

import type { GateFacts, MachineFacts } from "../evidence/gateFacts.js";
import { endOf, newestTests, type StoredTest } from "../evidence/newestTests.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { signTestEvidence } from "../evidence/testStatements.js";
import { qualifiedGroup } from "../format/manifest.js";
import { type Catalog, loadCatalog, type Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import { readTestRecord } from "../repository/restoreTestState.js";
import type { OnWarning } from "../repository/warnings.js";

export interface RepositoryFactsOptions {
  /**
   * Signs what the records say, for a gate that trusts the repository and names no keys; null: only what was signed when it was
   * stored counts.
   */
  vouch: SigningKey | null;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/** Every object is read anew from the storage. Throws what reading throws: an unreadable repository is for the caller to report. */
export async function gateFactsFromRepository(
  repository: Repository,
  machines: readonly string[],
  { vouch, signal, onWarning }: RepositoryFactsOptions,
): Promise<GateFacts> {
  const asOfMs = repository.environment.now();
  const catalog = await loadCatalog(repository, { fresh: true, signal, onWarning });
  const { unreadable } = catalog;
  const facts = machines.map((machine) => machineFacts(machine, catalog, asOfMs, vouch));
  return {
    source: "repository",
    problems: unreadable.length === 0 ? [] : [{ code: "repository-unreadable", message: unreadableText(unreadable) }],
    machines: new Map(facts.filter(({ snapshots }) => snapshots.length > 0).map((each) => [each.machine, each])),
    machineProblems: new Map(),
    commit: null,
    sequence: null,
    publishedAtMs: null,
  };
}

function machineFacts(machine: string, catalog: Catalog, asOfMs: number, vouch: SigningKey | null): MachineFacts {
  const ofMachine = catalog.snapshots
    .filter(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group) === machine)
    .reverse();
  const digests = new Set(ofMachine.map(({ digest }) => digest));
  const envelopes = catalog.records.flatMap((record) => {
    if (record.type !== "restoreTest") return [];
    const test = readTestRecord(record.data.record, `records/${record.rid}`);
    if (test === null || !digests.has(test.backup.manifestDigest)) return [];
    return vouch === null ? record.data.envelopes : signTestEvidence(test, [vouch]);
  });
  const tests = newestTests(catalog.records);
  const snapshots = ofMachine.map((each) => snapshotFacts(each, tests.get(each.digest)));
  return { machine, asOfMs, snapshots, envelopes: [...new Set(envelopes)] };
}

function snapshotFacts(
  { sid, digest, timeMs, verification }: Snapshot,
  test: StoredTest | undefined,
): MachineFacts["snapshots"][number] {
  return {
    ...{ sid, digest, timeMs },
    verification: verification && {
      result: verification.result,
      level: verification.level,
      atMs: Date.parse(verification.at),
    },
    newestTest:
      test === undefined
        ? null
        : { recordDigest: test.digest, outcome: test.record.result.outcome, finishedAtMs: endOf(test) },
  };
}

function unreadableText(unreadable: Catalog["unreadable"]): string {
  const [first] = unreadable;
  const more = unreadable.length > 1 ? ` and ${unreadable.length - 1} more` : "";
  return `a manifest cannot be read (${first?.object}${more}): it may be the newest snapshot of any machine`;
}
