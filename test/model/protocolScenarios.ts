// Repositories to start from, and the scenarios in which the protocol must be safe. Each is explored completely.

import { sealEnvelope } from "../../core/crypto/envelopeSeal.js";
import { forgetSnapshots } from "../../core/forget/forget.js";
import { encodeConfig } from "../../core/format/config.js";
import { folder, objectName, type PackName, packName, type Sid } from "../../core/format/ids.js";
import { loadChecksum } from "../../core/hash/checksum.js";
import { WriterSession } from "../../core/repository/session.js";
import { IGNORE_WARNINGS } from "../../core/repository/warnings.js";
import { MemoryBackend, type MemoryState } from "../../core/storage/memoryBackend.js";
import type { Scenario } from "./explorer.js";
import type { Borders } from "./processTree.js";
import {
  adopter,
  cacheOf,
  cautiousForgetter,
  collector,
  collectorInPhases,
  forgetter,
  idOf,
  MODEL_CONFIG,
  modelRepository,
  planner,
  storeFiles,
  writer,
} from "./protocolActors.js";
import { PROTOCOL_KEPT } from "./protocolInvariants.js";
import { changesStorage, type Operation } from "./storageStates.js";

/** The first pack of metadata that the named writer's first session makes. */
export function firstPackOf(name: string): PackName {
  return packName(idOf(name, 1), 0xffff_ffff);
}

export const OLD: Sid = idOf("s0", 1);

/** A finished snapshot `s0` that holds the file `a`. */
export async function oneSnapshot(): Promise<MemoryState> {
  return storageWith([await sessionObjects("s0", "commit")]);
}

/** The same, forgotten from the start. */
export async function oneForgotten(): Promise<MemoryState> {
  const backend = new MemoryBackend();
  backend.restoreState(await oneSnapshot());
  await forgetSnapshots(modelRepository("f0", backend), [OLD], "test");
  return backend.snapshotState();
}

/** A finished snapshot `s0`, and a second copy of `a` in a pack of a session that was given up. */
export async function twoCopies(): Promise<MemoryState> {
  return storageWith([await sessionObjects("s0", "commit"), await sessionObjects("s1", "abandon")]);
}

async function storageWith(parts: readonly MemoryState[]): Promise<MemoryState> {
  const backend = new MemoryBackend();
  await backend.put(objectName.config, sealEnvelope(objectName.config, "config", encodeConfig(MODEL_CONFIG), null));
  return new Map([...backend.snapshotState(), ...parts.flatMap((part) => [...part])]);
}

async function sessionObjects(name: string, end: "commit" | "abandon"): Promise<MemoryState> {
  await loadChecksum();
  const backend = new MemoryBackend();
  const repository = modelRepository(name, backend);
  const options = { purpose: "backup", group: `vm/${name}`, onWarning: IGNORE_WARNINGS };
  const session = await WriterSession.open(repository, options);
  const manifest = await storeFiles(repository, session, name, ["a"]);
  if (end === "abandon") await session.abandon("test");
  else {
    await session.commit(manifest);
    await session.end();
  }
  return backend.snapshotState();
}

/** Storages repeat requests whose answer was lost: a put or a delete of a pack may come twice, the second time late. */
export function packRequests({ kind, key }: Operation): boolean {
  return key.startsWith(folder.packs) && (kind === "put" || kind === "delete");
}

/** The requests by which somebody decides something once and for all. */
export function decisions({ kind, key }: Operation): boolean {
  return kind === "putIfAbsent" && !key.startsWith("probe/");
}

/** A listing takes time: a plan may be looked for after its final was, and what the writers add after the rest. */
export function slowListings(gid: Sid): Borders {
  const borders: Record<string, string> = {
    [folder.gc]: objectName.final(gid).replace(/final$/, "g"),
    [folder.packs]: objectName.pack(firstPackOf("w1")),
    [folder.index]: `${folder.index}${idOf("w1", 1)}`,
    [folder.snapshots]: objectName.snapshot(idOf("w1", 1)),
    [folder.sessions]: objectName.session(idOf("w1", 1)),
  };
  return (prefix) => (borders[prefix] === undefined ? [] : [borders[prefix]]);
}

/** The put that made the named writer's first pack, sent once more by somebody's network. */
export function latePutOf(state: MemoryState, name: string): Required<Scenario>["late"] {
  const key = objectName.pack(firstPackOf(name));
  return [{ kind: "put", key, bytes: state.get(key)!.bytes }];
}

const UNTOUCHED = new Set<string>([folder.keys, folder.records, folder.quarantine]);

/**
 * What no process of a scenario touches, and what none of them changes again; the explorer checks both. `forgets`: the sids
 * that somebody forgets. `indexKept`: nobody tidies up.
 */
export function stillness(forgets: readonly Sid[], indexKept: boolean): Pick<Scenario, "quiet" | "settled"> {
  const forgotten = new Set(forgets.map((sid) => objectName.forgotten(sid)));
  return {
    quiet: (key) => UNTOUCHED.has(key) || (/^forgotten\/./.test(key) && !forgotten.has(key)),
    settled: (key) => {
      if (key.startsWith(folder.index)) return indexKept;
      return key.startsWith(folder.snapshots) || key.startsWith(folder.forgotten) || key.endsWith(".final");
    },
  };
}

export interface NamedScenario {
  name: string;
  /** States when it was last looked at: the test would notice that a scenario has become hollow. */
  leastStates: number;
  /** Seconds; more than a few are left to the campaign. */
  size: "small" | "large";
  make(): Promise<Scenario>;
}

const w1 = writer("w1", ["a"]);
const w2 = writer("w2", ["a"]);
const forget = forgetter("f", OLD);
const deleteOld = planner("p1", [firstPackOf("s0")]);
const deleteCopy = planner("p2", [firstPackOf("s1")]);
const goOn = adopter("a1");

const common = { invariants: PROTOCOL_KEPT, mostStates: 3_000_000, duplicates: packRequests };
const still = { ...common, ...stillness([OLD], true) };
const tidied = { ...common, ...stillness([OLD], false) };

export const SAFE_SCENARIOS: readonly NamedScenario[] = [
  {
    name: "the whole collector, forgetting",
    leastStates: 150,
    size: "small",
    async make() {
      const initial = await oneSnapshot();
      return { ...tidied, initial, late: latePutOf(initial, "s0"), programs: { f: forget, g1: collector("g1") } };
    },
  },
  {
    name: "a writer, a collector, forgetting; late puts and deletes of packs",
    leastStates: 20_000,
    size: "small",
    async make() {
      const initial = await oneSnapshot();
      const programs = { w1, f: forget, g1: collectorInPhases("g1") };
      return { ...tidied, initial, late: latePutOf(initial, "s0"), programs };
    },
  },
  {
    name: "listings that take time: a writer, an executor, forgetting; late puts and deletes of packs",
    leastStates: 5_000,
    size: "small",
    async make() {
      const initial = await oneSnapshot();
      const programs = { w1, f: forget, p1: deleteOld };
      return { ...still, initial, late: latePutOf(initial, "s0"), borders: slowListings(idOf("p1", 1)), programs };
    },
  },
  {
    name: "a writer with an old cache, a collector, forgetting",
    leastStates: 15_000,
    size: "small",
    async make() {
      const initial = await oneSnapshot();
      const backend = new MemoryBackend();
      backend.restoreState(initial);
      const remembering = writer("w1", ["a"], await cacheOf(backend));
      return { ...tidied, initial, programs: { w1: remembering, f: forget, g1: collectorInPhases("g1") } };
    },
  },
  {
    name: "a writer whose new snapshot is forgotten, a collector; late commits and packs",
    leastStates: 5_000,
    size: "small",
    async make() {
      const programs = {
        w1: writer("w1", ["b"]),
        f: cautiousForgetter("f", idOf("w1", 1)),
        g1: collectorInPhases("g1"),
      };
      const duplicates = (operation: Operation) => packRequests(operation) || decisions(operation);
      return { ...common, ...stillness([idOf("w1", 1)], false), initial: await oneSnapshot(), programs, duplicates };
    },
  },
  {
    name: "a writer and an executor that lose replies, forgetting",
    leastStates: 10_000,
    size: "small",
    async make() {
      const timeouts = { most: 1, matches: changesStorage };
      return { ...still, initial: await oneSnapshot(), programs: { w1, f: forget, p1: deleteOld }, timeouts };
    },
  },
  {
    name: "a writer, a plan and two who execute it, after forgetting",
    leastStates: 100_000,
    size: "small",
    make: async () => ({ ...still, initial: await oneForgotten(), programs: { w1, p1: deleteOld, a1: goOn } }),
  },
  {
    name: "a writer, a plan and two who execute it, forgetting",
    leastStates: 300_000,
    size: "large",
    make: async () => ({
      ...still,
      initial: await oneSnapshot(),
      programs: { w1, f: forget, p1: deleteOld, a1: goOn },
    }),
  },
  {
    name: "two copies, a plan for each, one who goes on with both",
    leastStates: 100_000,
    size: "small",
    make: async () => ({ ...still, initial: await twoCopies(), programs: { p1: deleteOld, p2: deleteCopy, a1: goOn } }),
  },
  {
    name: "two copies, a plan for each, a writer",
    leastStates: 300_000,
    size: "large",
    make: async () => ({ ...still, initial: await twoCopies(), programs: { w1, p1: deleteOld, p2: deleteCopy } }),
  },
  {
    name: "two writers, an executor, forgetting",
    leastStates: 300_000,
    size: "large",
    make: async () => ({ ...still, initial: await oneSnapshot(), programs: { w1, w2, f: forget, p1: deleteOld } }),
  },
  {
    name: "two copies, a writer, a plan and two who execute it, forgetting",
    leastStates: 300_000,
    size: "large",
    make: async () => ({ ...still, initial: await twoCopies(), programs: { w1, f: forget, p1: deleteOld, a1: goOn } }),
  },
  {
    name: "a writer of two files, a collector, forgetting",
    leastStates: 20_000,
    size: "large",
    async make() {
      const programs = { w1: writer("w1", ["a", "b"]), f: forget, g1: collectorInPhases("g1") };
      return { ...tidied, initial: await oneSnapshot(), programs };
    },
  },
  {
    name: "a writer, a patient collector, an impatient one, forgetting",
    leastStates: 300_000,
    size: "large",
    async make() {
      const collectors = { g1: collectorInPhases("g1", { patient: true }), a1: goOn };
      return { ...tidied, initial: await oneSnapshot(), programs: { w1, f: forget, ...collectors } };
    },
  },
];
