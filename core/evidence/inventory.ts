// What is signed about the snapshots of one machine: which there are, newest first. With it a gate that sees no repository knows
// whether the newest backup is the one that was tested. docs/format/evidence-branch.md.

import { formatError } from "../format/bytes.js";
import type { JsonValue } from "../format/canonicalJson.js";
import { Fields } from "../format/fields.js";
import { isGroup, isNamespace, qualifiedGroup } from "../format/manifest.js";
import type { RepositoryRecord } from "../format/record.js";
import type { RestoreTestRecord } from "../format/restoreTestRecord.js";
import { doubtfulRecords, type UnreadableRecord } from "./doubtfulRecords.js";
import { newestTests, type StoredTest } from "./newestTests.js";
import type { Statement } from "./statement.js";
import { textDigest } from "./textDigest.js";

export const INVENTORY_TYPE = "https://reprise.dev/inventory/v1";
/** The newest snapshots are named, tested or not. */
const NEWEST_IN_INVENTORY = 20;
/** Snapshots named in one statement: older ones only when they have been tested. */
export const MAX_INVENTORY = 100;
const MAX_SNAPSHOTS = 10_000_000;
const MAX_MACHINE_CHARS = 2_000;
const MAX_LOCATION_CHARS = 2_000;

export interface Inventory {
  /** 32 hex digits. */
  repositoryId: string;
  /** Without secrets. */
  location: string;
  /** `vm/web1`, or `prod:vm/web1` with its namespace. */
  machine: string;
  /** ISO 8601 UTC with milliseconds: when reading the repository began. What was stored later is not in here. */
  asOf: string;
  /** Snapshots of the machine that there were, named here or not. */
  total: number;
  /** Manifests and records that could not be read: any may be this machine's newest snapshot, or what speaks against one of its snapshots. */
  unreadable: number;
  /** Newest first: the first NEWEST_IN_INVENTORY, then those that have been tested, MAX_INVENTORY in all. */
  snapshots: InventoriedSnapshot[];
}

export interface InventoriedSnapshot {
  sid: string;
  /** SHA-256 of the manifest, hex. */
  manifestDigest: string;
  /** As in the manifest. */
  time: string;
  /** Id of the repository that the snapshot was copied from; null: it was made in this one. */
  copiedFrom: string | null;
  verification: { result: "ok" | "damaged"; level: "structure" | "data"; at: string } | null;
  /** The newest restore test of it, signed or not: one whose statement is missing is not forgotten. Null: there is none. */
  test: InventoriedTest | null;
}

export interface InventoriedTest {
  /** SHA-256 of the record's canonical JSON, hex. */
  recordDigest: string;
  outcome: RestoreTestRecord["result"]["outcome"];
  /** ISO 8601 UTC with milliseconds. */
  finishedAt: string;
}

/** What an inventory needs of a catalog. */
export interface InventoriedCatalog {
  /** Oldest first. */
  readonly snapshots: readonly {
    readonly sid: string;
    readonly digest: string;
    readonly manifest: {
      readonly namespace: string;
      readonly group: string;
      readonly time: string;
      readonly origin: { readonly repositoryId: string } | null;
    };
    readonly verification: InventoriedSnapshot["verification"];
    readonly restoreTest: unknown;
  }[];
  readonly records: readonly RepositoryRecord[];
  readonly unreadable: readonly unknown[];
  readonly unreadableRecords: readonly UnreadableRecord[];
}

/**
 * Of a catalog that was read fresh from the storage. `asOfMs`: a time before that reading began. A machine without snapshots has
 * an inventory, too: it says that there is nothing. `tests`: newestTests of the catalog, for whoever makes several.
 */
export function inventoryOf(
  catalog: InventoriedCatalog,
  machine: string,
  repository: { id: string; location: string },
  asOfMs: number,
  tests: ReadonlyMap<string, StoredTest> = newestTests(catalog.records),
): Inventory {
  const ofMachine = catalog.snapshots
    .filter(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group) === machine)
    .reverse();
  const asOf = new Date(asOfMs).toISOString();
  const inDoubt = doubtfulRecords(
    catalog.unreadableRecords,
    ofMachine.map(({ sid }) => sid),
  );
  const named = ofMachine.filter(({ restoreTest }, index) => index < NEWEST_IN_INVENTORY || restoreTest !== null);
  return {
    repositoryId: repository.id,
    location: repository.location,
    machine,
    asOf,
    total: ofMachine.length,
    unreadable: catalog.unreadable.length + inDoubt.length,
    snapshots: named.slice(0, MAX_INVENTORY).map(({ sid, digest, manifest, verification }) => ({
      sid,
      manifestDigest: digest,
      time: manifest.time,
      copiedFrom: manifest.origin?.repositoryId ?? null,
      verification: verification && knownVerification(verification, asOf),
      test: inventoriedTest(tests.get(digest)),
    })),
  };
}

function inventoriedTest(test: StoredTest | undefined): InventoriedTest | null {
  if (test === undefined) return null;
  const { result, times } = test.record;
  const finishedAt = new Date(Date.parse(times.finishedAt)).toISOString();
  return { recordDigest: test.digest, outcome: result.outcome, finishedAt };
}

/** Records say when in free text: with a time that is none, "damaged" stays and "ok" does not count. */
function knownVerification(
  { result, level, at }: NonNullable<InventoriedSnapshot["verification"]>,
  asOf: string,
): InventoriedSnapshot["verification"] {
  if (isInstant(at)) return { result, level, at };
  return result === "damaged" ? { result, level, at: asOf } : null;
}

/** About the manifests; of a machine without any, about its name in the repository. */
export function inventoryStatement(inventory: Inventory): Statement {
  const predicate = JSON.parse(JSON.stringify({ version: 1, ...inventory })) as JsonValue;
  return { subjects: subjectsOf(inventory), predicateType: INVENTORY_TYPE, predicate };
}

/** FORMAT_INVALID, also when the subjects are not the snapshots that the predicate names. UNSUPPORTED_VERSION. */
export function decodeInventory({ subjects, predicate }: Statement, what: string): Inventory {
  const fields = new Fields(predicate, what);
  fields.expectVersion();
  const inventory: Inventory = {
    repositoryId: fields.sid("repositoryId"),
    location: fields.string("location", MAX_LOCATION_CHARS),
    machine: machineName(fields),
    asOf: instant(fields, "asOf"),
    total: fields.integer("total", 0, MAX_SNAPSHOTS),
    unreadable: fields.integer("unreadable", 0, MAX_SNAPSHOTS),
    snapshots: fields
      .array("snapshots", MAX_INVENTORY)
      .map((value) => decodeSnapshot(new Fields(value, `${what}.snapshots`))),
  };
  checkSnapshots(inventory, what);
  const expected = subjectsOf(inventory);
  const isSame =
    expected.length === subjects.length && expected.every((each, at) => each.sha256 === subjects[at]?.sha256);
  if (!isSame) throw formatError(what, "its subjects are not the snapshots that it names");
  return inventory;
}

function checkSnapshots({ snapshots, total }: Inventory, what: string): void {
  if (snapshots.length > total || snapshots.length < Math.min(total, NEWEST_IN_INVENTORY))
    throw formatError(what, `it names ${snapshots.length} of ${total} snapshots`);
  const [sids, digests] = [snapshots.map(({ sid }) => sid), snapshots.map(({ manifestDigest }) => manifestDigest)];
  if (new Set(sids).size !== sids.length || new Set(digests).size !== digests.length)
    throw formatError(what, "it names a snapshot twice");
  for (const [at, { time }] of snapshots.entries()) {
    const newer = snapshots[at - 1];
    if (newer !== undefined && newer.time < time) throw formatError(what, "its snapshots are not in order");
  }
}

function decodeSnapshot(fields: Fields): InventoriedSnapshot {
  return {
    sid: fields.sid("sid"),
    manifestDigest: fields.hex("manifestDigest", 32),
    time: fields.time("time"),
    copiedFrom: fields.raw("copiedFrom") === null ? null : fields.sid("copiedFrom"),
    verification: fields.raw("verification") === null ? null : decodeVerification(fields.object("verification")),
    // inventories of the first releases do not have it
    test: !fields.has("test") || fields.raw("test") === null ? null : decodeTest(fields.object("test")),
  };
}

function decodeTest(fields: Fields): InventoriedTest {
  return {
    recordDigest: fields.hex("recordDigest", 32),
    outcome: fields.oneOf("outcome", ["passed", "warned", "failed", "inconclusive"]),
    finishedAt: instant(fields, "finishedAt"),
  };
}

function decodeVerification(fields: Fields): NonNullable<InventoriedSnapshot["verification"]> {
  return {
    result: fields.oneOf("result", ["ok", "damaged"]),
    level: fields.oneOf("level", ["structure", "data"]),
    at: instant(fields, "at"),
  };
}

function subjectsOf({ repositoryId, machine, snapshots }: Inventory): Statement["subjects"] {
  if (snapshots.length === 0) {
    const name = `repository/${repositoryId}/${machine}`;
    return [{ name, sha256: textDigest(name) }];
  }
  const times = new Set<string>();
  return snapshots.map(({ sid, time, manifestDigest }) => {
    // names of subjects are unique; of two snapshots of one second the second one has its id, too
    const name = times.has(time) ? `snapshot/${machine}/${time}/${sid}` : `snapshot/${machine}/${time}`;
    times.add(time);
    return { name, sha256: manifestDigest };
  });
}

function machineName(fields: Fields): string {
  const name = fields.string("machine", MAX_MACHINE_CHARS);
  const colon = name.indexOf(":");
  const namespace = colon < 0 ? "" : name.slice(0, colon);
  if (
    !isGroup(name.slice(colon + 1)) ||
    !isNamespace(namespace) ||
    name !== qualifiedGroup(namespace, name.slice(colon + 1))
  )
    throw formatError(fields.what, 'member "machine" is no name of a machine');
  return name;
}

function instant(fields: Fields, name: string): string {
  const text = fields.string(name, 24);
  if (!isInstant(text)) throw formatError(fields.what, `member "${name}" is no time`);
  return text;
}

/** ISO 8601 UTC, with milliseconds or without. */
function isInstant(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text.replace(/(:\d{2})Z$/, "$1.000Z");
}
