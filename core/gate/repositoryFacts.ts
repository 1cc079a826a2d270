// What the repository itself says about machines, for a gate that may read it: the catalog as the storage has it now, and the restore
// tests stored beside the snapshots. Runners can write such records, so signatures count here as well when the gate names keys.

import { doubtfulRecords } from "../evidence/doubtfulRecords.js";
import type { GateFacts, MachineFacts } from "../evidence/gateFacts.js";
import { endOf, newestTests, type StoredTest } from "../evidence/newestTests.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { signTestEvidence } from "../evidence/testStatements.js";
import { qualifiedGroup } from "../format/manifest.js";
import { readTestRecord } from "../format/readTestRecord.js";
import type { RestoreTestRecord } from "../format/restoreTestRecord.js";
import { shortLine } from "../report/inertText.js";
import { type Catalog, loadCatalog, type Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";

const MAX_SHOWN = 300;

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
  const tests = testsOf(catalog);
  const facts = machines.map((machine) => machineFacts(machine, catalog, tests, asOfMs, vouch));
  return {
    source: "repository",
    problems: problemsOf(catalog),
    machines: new Map(facts.filter(({ snapshots }) => snapshots.length > 0).map((each) => [each.machine, each])),
    machineProblems: new Map(facts.map(({ machine, snapshots }) => [machine, machineProblemsOf(catalog, snapshots)])),
    commit: null,
    sequence: null,
    publishedAtMs: null,
  };
}

interface CatalogTests {
  newest: ReadonlyMap<string, StoredTest>;
  /** By the digest of the manifest that they are of. */
  all: ReadonlyMap<string, readonly { test: RestoreTestRecord; envelopes: readonly string[] }[]>;
}

/** Once for the catalog, however many machines are asked for. */
function testsOf({ records }: Catalog): CatalogTests {
  const all = records.flatMap((record) => {
    if (record.type !== "restoreTest") return [];
    const test = readTestRecord(record.data.record, `records/${record.rid}`);
    return test === null ? [] : [{ test, envelopes: record.data.envelopes }];
  });
  return { newest: newestTests(records), all: Map.groupBy(all, ({ test }) => test.backup.manifestDigest) };
}

function machineFacts(
  machine: string,
  catalog: Catalog,
  tests: CatalogTests,
  asOfMs: number,
  vouch: SigningKey | null,
): MachineFacts {
  const ofMachine = catalog.snapshots
    .filter(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group) === machine)
    .reverse();
  const envelopes = ofMachine
    .flatMap(({ digest }) => tests.all.get(digest) ?? [])
    .flatMap((each) => (vouch === null ? each.envelopes : signTestEvidence(each.test, [vouch])));
  const snapshots = ofMachine.map((each) => snapshotFacts(each, tests.newest.get(each.digest)));
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

type Problem = GateFacts["problems"][number];

/** What cannot be read and may speak of any machine. */
function problemsOf({ unreadable, unreadableRecords }: Catalog): Problem[] {
  const records = unreadableRecords.filter(({ snapshots }) => snapshots === null);
  return [
    ...unreadableProblem("manifest", unreadable, "it may be the newest snapshot of any machine"),
    ...unreadableProblem("record", records, "it may say of any snapshot that it is damaged, or that its test failed"),
  ];
}

/** What can be read so far that it is known to speak of snapshots of the machine, and no further: of a later format, say. */
function machineProblemsOf({ unreadableRecords }: Catalog, snapshots: MachineFacts["snapshots"]): Problem[] {
  const records = unreadableRecords.filter((record) => record.snapshots !== null);
  const doubtful = doubtfulRecords(
    records,
    snapshots.map(({ sid }) => sid),
  );
  return unreadableProblem("record", doubtful, "it may say that a snapshot is damaged, or that its test failed");
}

function unreadableProblem(
  what: "manifest" | "record",
  found: readonly { message: string }[],
  consequence: string,
): Problem[] {
  const [first] = found;
  if (first === undefined) return [];
  const more = found.length > 1 ? ` and ${found.length - 1} more` : "";
  const message = `a ${what} cannot be read (${shortLine(first.message, MAX_SHOWN)}${more}): ${consequence}`;
  return [{ code: "repository-unreadable", message }];
}
