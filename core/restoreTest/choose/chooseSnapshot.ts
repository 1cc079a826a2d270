// Which snapshot of a machine a restore test is made of. Pure: the history of tests and the chance are given. The catalog has
// finished snapshots only, oldest first.

import { RepriseError } from "../../errors.js";
import type { Sid } from "../../format/ids.js";
import type { Catalog, Snapshot } from "../../repository/catalog.js";
import { resolveSnapshot, snapshotsOfMachine } from "../../repository/snapshotName.js";
import type { SnapshotChoice } from "../spec/restoreTestSpec.js";

export interface ChoiceFacts {
  /** `vm/web1` or `prod:vm/web1`. */
  machine: string;
  catalog: Pick<Catalog, "snapshots" | "unreadable">;
  /** When each snapshot was tested last, milliseconds since 1970; one that is not in it never was. */
  testedAtMs: ReadonlyMap<Sid, number>;
  /** At least 0, less than 1. */
  random: () => number;
}

export interface ChosenSnapshot {
  snapshot: Snapshot;
  /** Why this one, for the record. */
  reason: string;
  /** What is known against it already. */
  notes: readonly string[];
}

/**
 * `latest`, `oldest` and named ones are taken as they are, known damage or not: what somebody would restore is what is
 * tested. `random` and `rolling` choose among those not known to be damaged, and among all when there are no others.
 * GROUP_INVALID, MACHINE_NOT_FOUND, SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS, SNAPSHOT_NAME_INVALID, and SNAPSHOT_UNCERTAIN when a manifest that
 * cannot be read may be the one meant.
 */
export function chooseSnapshot(choice: SnapshotChoice, facts: ChoiceFacts): ChosenSnapshot {
  const ofMachine = snapshotsOfMachine(facts.machine, facts.catalog);
  switch (choice.kind) {
    case "latest":
      return chosen(resolveSnapshot(`${facts.machine}@latest`, facts.catalog), "the latest one");
    case "oldest":
      refuseUncertain(facts, ofMachine[0]!);
      return chosen(ofMachine[0]!, `the oldest of ${ofMachine.length}`);
    case "random":
      return chooseRandom(preferSound(ofMachine), facts.random);
    case "rolling":
      return chooseRolling(preferSound(ofMachine), facts.testedAtMs);
    case "named":
      return chosen(namedSnapshot(choice.name, facts, ofMachine), `named as ${choice.name}`);
  }
}

function chooseRandom(candidates: readonly Snapshot[], random: () => number): ChosenSnapshot {
  const index = Math.min(candidates.length - 1, Math.floor(random() * candidates.length));
  return chosen(candidates[index]!, `one of ${candidates.length}, by chance`);
}

/** Those never tested come first, the oldest of them first: each is tested before it is forgotten. */
function chooseRolling(candidates: readonly Snapshot[], testedAtMs: ReadonlyMap<Sid, number>): ChosenSnapshot {
  const lastTest = ({ sid }: Snapshot) => testedAtMs.get(sid) ?? Number.NEGATIVE_INFINITY;
  const [first] = [...candidates].sort((a, b) => (lastTest(a) === lastTest(b) ? 0 : lastTest(a) - lastTest(b)));
  const testedAt = testedAtMs.get(first!.sid);
  const since = testedAt === undefined ? "never tested before" : `not tested since ${new Date(testedAt).toISOString()}`;
  return chosen(first!, `rolling over ${candidates.length}: ${since}`);
}

function namedSnapshot(name: string, facts: ChoiceFacts, ofMachine: Snapshot[]): Snapshot {
  if (name.startsWith("~")) return resolveSnapshot(`${facts.machine}${name}`, facts.catalog);
  if (name.includes("T")) return resolveSnapshot(`${facts.machine}@${name}`, facts.catalog);
  return resolveSnapshot(name, { snapshots: ofMachine, unreadable: facts.catalog.unreadable });
}

function refuseUncertain({ machine, catalog }: ChoiceFacts, oldest: Snapshot): void {
  const [damaged] = catalog.unreadable;
  if (damaged === undefined) return;
  const { length } = catalog.unreadable;
  const message = `the oldest of ${machine}: ${length} manifests cannot be read, e.g. ${damaged.object}`;
  throw new RepriseError("corrupt", "SNAPSHOT_UNCERTAIN", message, {
    data: { name: machine, object: damaged.object, oldestReadable: oldest.sid },
    hint: "any of them may be the one you mean: restore the object from a copy of the storage, or name a snapshot by its id",
  });
}

function preferSound(snapshots: readonly Snapshot[]): readonly Snapshot[] {
  const sound = snapshots.filter(({ verification }) => verification?.result !== "damaged");
  return sound.length > 0 ? sound : snapshots;
}

function chosen(snapshot: Snapshot, reason: string): ChosenSnapshot {
  const notes: string[] = [];
  const { verification, manifest } = snapshot;
  if (verification?.result === "damaged") notes.push(`a verification found it damaged at ${verification.at}`);
  const lossy = manifest.archives.filter(({ lost }) => lost.length > 0).map(({ name }) => name);
  if (lossy.length > 0) notes.push(`a repair filled lost parts with zeros: ${lossy.join(", ")}`);
  return { snapshot, reason, notes };
}
