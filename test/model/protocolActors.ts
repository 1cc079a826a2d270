// The processes of the protocol's model, each the product's own code over one backend: a small writer (WriterSession and
// SessionSink, no disks), the whole collector, its parts from a plan on, a collector that goes on with others' plans,
// and forgetting. Ids and times are decided by names, so that every run stores the same bytes.

import { forgetSnapshots } from "../../core/forget/forget.js";
import type { RepositoryConfig } from "../../core/format/config.js";
import { type BlobIdHex, bytesToHex, folder, type PackName, packSid, type Sid } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { collectGarbage } from "../../core/gc/collect.js";
import { fenceSilent, lastSigns } from "../../core/gc/fencing.js";
import { tidyUp } from "../../core/gc/housekeeping.js";
import { countUsage, loadNeeds } from "../../core/gc/marks.js";
import { executePlan, listPlans, writePlan } from "../../core/gc/planExecution.js";
import { planGc } from "../../core/gc/planGc.js";
import { SessionSink } from "../../core/repository/blobSink.js";
import { loadCatalog } from "../../core/repository/catalog.js";
import { NO_CACHE, type ObjectCache } from "../../core/repository/objectCache.js";
import { listPacks, loadPresenceForReading } from "../../core/repository/presence.js";
import { type Environment, Repository } from "../../core/repository/repository.js";
import { WriterSession } from "../../core/repository/session.js";
import { IGNORE_WARNINGS } from "../../core/repository/warnings.js";
import type { Backend } from "../../core/storage/backend.js";
import type { Past, Phase, Program } from "./processTree.js";
import type { Operation } from "./storageStates.js";

const NOW = Date.UTC(2026, 0, 1);
/** As often as the product tries. */
const WRITER_TRIES = 3;

/** What the model's processes share. Not encrypted: salts would make each run store other bytes. */
export const MODEL_CONFIG: RepositoryConfig = {
  repositoryId: "0123456789abcdef0123456789abcdef" as Sid,
  createdAt: new Date(NOW).toISOString(),
  encryption: "none",
  keyId: null,
  chunker: { minBytes: 4096, averageBytes: 16384, maxBytes: 32768, segmentBytes: 65536 },
  packBytes: 1024 * 1024,
  keeper: null,
  mac: null,
};

/** The nth id that the named process makes: its name (at most 8 letters), then the count from 1. */
export function idOf(name: string, nth: number): Sid {
  return bytesToHex(idBytes(name, nth)) as Sid;
}

function idBytes(name: string, nth: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(new TextEncoder().encode(name).subarray(0, 8));
  new DataView(bytes.buffer).setUint32(12, nth);
  return bytes;
}

/** `phase`: each phase of a process counts its ids from another hundred on. */
export function modelEnvironment(name: string, phase: number): Environment {
  let ids = 100 * phase;
  return {
    now: () => NOW,
    random: (count) => idBytes(name, ++ids).subarray(0, count),
    host: name,
    tool: { name: "model", version: "1" },
    heartbeatMs: 0,
  };
}

/** `remembered`: what the process has in its cache when it starts, perhaps long out of date. */
export function modelRepository(name: string, backend: Backend, phase = 0, remembered?: CacheContents): Repository {
  const cache = remembered === undefined ? NO_CACHE : new MemoryCache(remembered);
  return new Repository(backend, MODEL_CONFIG, null, modelEnvironment(name, phase), cache);
}

export type CacheContents = ReadonlyMap<string, Uint8Array>;

class MemoryCache implements ObjectCache {
  readonly #contents: Map<string, Uint8Array>;

  constructor(contents: CacheContents) {
    this.#contents = new Map(contents);
  }

  get contents(): CacheContents {
    return this.#contents;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.#contents.get(name);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#contents.set(name, new Uint8Array(bytes));
  }

  async delete(name: string): Promise<void> {
    this.#contents.delete(name);
  }
}

/** The cache of somebody who has seen everything in the storage and was away since. */
export async function cacheOf(backend: Backend): Promise<CacheContents> {
  const cache = new MemoryCache(new Map());
  const repository = new Repository(backend, MODEL_CONFIG, null, modelEnvironment("cache", 0), cache);
  await loadPresenceForReading(repository, options);
  await loadCatalog(repository, options);
  return cache.contents;
}

const options = { onWarning: IGNORE_WARNINGS };

/** Backs up a few files, each one blob. Ends with `committed <sid>` or with the code of its error. */
export function writer(name: string, files: readonly string[], remembered?: CacheContents): Program {
  const once: Phase = async (backend, before) => {
    if (before.startsWith("committed")) return before;
    const tries = before.length; // "", ".", ".." …
    const repository = modelRepository(name, backend, tries, remembered);
    const session = await WriterSession.open(repository, { purpose: "backup", group: `vm/${name}`, ...options });
    try {
      const manifest = await storeFiles(repository, session, name, files);
      const outcome = await session.commit(manifest);
      await session.end();
      return outcome === "committed" ? `committed ${session.sid}` : `${before}.`;
    } catch (error) {
      // As core/backup/backup.ts does: what giving up finds out counts.
      if ((await session.abandon("test")) === "committed") return `committed ${session.sid}`;
      throw error;
    }
  };
  return { phases: Array.from({ length: WRITER_TRIES }, () => once), forgetsBefore: writerForgets };
}

/** At its look for packs only the condemned ones matter, then what the index object says, then what the manifest says. */
function writerForgets({ kind, key }: Operation, past: Past): string | null {
  if (kind === "list" && key === folder.packs) return collectorsSeen(past);
  if (kind === "put" && key.startsWith(folder.index)) return "";
  return kind === "putIfAbsent" && lastOf(past)?.key !== key ? "" : null;
}

/** After the barrier only the plan matters, after the look at others' plans those too, at last what the final says. */
function executorForgets({ kind, key }: Operation, past: Past): string | null {
  const last = lastOf(past)?.key;
  if (kind === "list" && key === folder.gc && last !== folder.gc) return planRead(past);
  if (kind === "list" && key === folder.forgotten && last === folder.quarantine) {
    return `${planRead(past)} ${collectorsSeen(past)}`;
  }
  return kind === "putIfAbsent" && key.endsWith(".final") ? "" : null;
}

/** An executor begins by reading its plan. */
function planRead(past: Past): string {
  let first = "";
  for (const { answer } of past()) first = answer.name;
  return first;
}

function lastOf(past: Past): Operation | undefined {
  for (const { operation } of past()) return operation;
  return undefined;
}

/** Contents of the plans and finals that were read since the last other operation. */
function collectorsSeen(past: Past): string {
  const seen = new Set<string>();
  for (const { operation, answer } of past()) {
    if (operation.kind === "list" && operation.key === folder.quarantine) continue;
    if (!operation.key.startsWith(folder.gc)) break;
    if (operation.kind === "get" && !("error" in answer)) seen.add(answer.name);
  }
  return [...seen].sort().join();
}

export async function storeFiles(
  repository: Repository,
  session: WriterSession,
  name: string,
  files: readonly string[],
): Promise<Manifest> {
  const sink = new SessionSink(repository, session);
  const archives: Manifest["archives"][number][] = [];
  for (const file of files) {
    const bytes = fileBytes(file);
    const root = bytesToHex(await sink.storeBlob("file", bytes)) as BlobIdHex;
    archives.push({ name: file, kind: "file", sizeBytes: bytes.length, root, format: "file", lost: [] });
  }
  await sink.finish();
  await session.writeIndex();
  const statistics = { bytesRead: 0, bytesNew: 0, bytesStored: 0, chunksTotal: 0, chunksNew: 0, durationMs: 0 };
  const time = "2026-01-01T00:00:00Z";
  const { tool, host } = repository.environment;
  const claims = { mode: "offline", consistency: "unknown", notes: "", tags: [], protected: false } as const;
  const head = { type: "snapshot", sid: session.sid, namespace: "", group: `vm/${name}`, time } as const;
  return { ...head, finishedAt: time, host, tool, ...claims, archives, statistics, repairedFrom: null, origin: null };
}

/** Long enough for a pack to be worth keeping when it is in use. */
export function fileBytes(file: string): Uint8Array {
  return new TextEncoder().encode(`contents of ${file}`);
}

/** One run of the product's `gc`, whole. */
export function collector(name: string): Program {
  const whole: Phase = async (backend) => {
    const request = { dryRun: false, fenceAfterMs: 0, maxUnused: 0 };
    const report = await collectGarbage(modelRepository(name, backend), request, options);
    return report.waitingFor.length > 0 ? "waiting" : "done";
  };
  return { phases: [whole] };
}

/**
 * The same in phases, as core/gc/collect.ts puts them together, without the probe and without repacking: the model's packs
 * hold one blob. `patient`: silent sessions are left alone, and the plan is left to a later run.
 */
export function collectorInPhases(name: string, { patient = false } = {}): Program {
  const fenceAfterMs = patient ? 1 : 0;
  const fenceSessions: Phase = async (backend) => {
    const repository = modelRepository(name, backend, PLANS_AT_ONCE + 1);
    const packs = await listPacks(repository, {});
    const { decided } = await loadCatalog(repository, options);
    const undecided = [...(await lastSigns(repository, packs, {}))].filter(([sid]) => !decided.has(sid));
    await fenceSilent(repository, new Map(undecided), { fenceAfterMs });
    return "";
  };
  const markAndPlan: Phase = async (backend) =>
    (await chooseVictims(modelRepository(name, backend, PLANS_AT_ONCE + 2))).join();
  const plan: Phase = async (backend, victims) => {
    if (victims === "") return "";
    return (await writePlan(modelRepository(name, backend, PLANS_AT_ONCE + 3), victims.split(",") as PackName[])).gid;
  };
  const deletePacks: Phase = async (backend, gid) => {
    return gid === "" ? "done" : execute(modelRepository(name, backend, PLANS_AT_ONCE + 4), gid as Sid, fenceAfterMs);
  };
  const tidy: Phase = async (backend, outcome) => {
    await tidyUp(modelRepository(name, backend, PLANS_AT_ONCE + 5), options);
    return outcome;
  };
  const phases = [...continuePlans(name, fenceAfterMs), fenceSessions, markAndPlan, plan, deletePacks, tidy];
  return { phases, forgetsBefore: executorForgets };
}

/** G1: as Collection.markAndPlan does it. */
async function chooseVictims(repository: Repository): Promise<PackName[]> {
  const { catalog, presence, marks } = await loadNeeds(repository, options);
  const usage = countUsage(marks, presence.packs.keys(), new Set());
  const packs = [...presence.packs].map(([name, { sizeBytes }]) => {
    const { usedBytes = 0, hasQuarantined = false } = usage.get(name) ?? {};
    return { name, sizeBytes, usedBytes, hasQuarantined, creatorDecided: catalog.decided.has(packSid(name)) };
  });
  const plan = planGc(packs, { maxUnused: 1, mergeSmallFrom: 32, smallPackBytes: 0 });
  return plan.packs.filter(({ action }) => action === "delete").map(({ name }) => name);
}

async function execute(repository: Repository, gid: Sid, fenceAfterMs: number): Promise<string> {
  return (await executePlan(repository, gid, { ...options, fenceAfterMs })).outcome;
}

/** A scenario has no more plans than this, and nobody needs to go on with more. */
const PLANS_AT_ONCE = 2;

/** Finds plans, then carries them out one by one. */
function continuePlans(name: string, fenceAfterMs: number): Phase[] {
  const find: Phase = async (backend) => (await listPlans(modelRepository(name, backend), {})).join();
  const carryOut = Array.from({ length: PLANS_AT_ONCE }, (_, i): Phase => {
    return async (backend, gids) => {
      const [gid, ...others] = gids.split(",") as Sid[];
      if (gid) await execute(modelRepository(name, backend, i + 1), gid, fenceAfterMs);
      return others.join();
    };
  });
  return [find, ...carryOut];
}

/** A collector from G2 on, with victims that the test chooses. */
export function planner(name: string, victims: readonly PackName[]): Program {
  const plan: Phase = async (backend) => (await writePlan(modelRepository(name, backend), victims)).gid;
  const carryOut: Phase = (backend, gid) => execute(modelRepository(name, backend, 1), gid as Sid, 0);
  return { phases: [plan, carryOut], forgetsBefore: executorForgets };
}

/** Goes on with every plan that it finds when it starts, as each `gc` does first. */
export function adopter(name: string): Program {
  return { phases: [...continuePlans(name, 0), async () => "done"], forgetsBefore: executorForgets };
}

/** The same program with all that it knows kept from phase to phase. */
export function inOnePhase({ phases }: Program): Program {
  const whole: Phase = async (backend, input) => {
    let text = input;
    for (const phase of phases) text = await phase(backend, text);
    return text;
  };
  return { phases: [whole] };
}

export function forgetter(name: string, sid: Sid): Program {
  const forget: Phase = async (backend) => {
    await forgetSnapshots(modelRepository(name, backend), [sid], "test");
    return "done";
  };
  return { phases: [forget] };
}

/** Forgets the snapshot if it is there, as people do: they name what they see in a list. */
export function cautiousForgetter(name: string, sid: Sid): Program {
  const look: Phase = async (backend) => {
    const { snapshots } = await loadCatalog(modelRepository(name, backend), options);
    return snapshots.some((snapshot) => snapshot.sid === sid) ? "seen" : "";
  };
  const forget: Phase = async (backend, seen) => {
    if (seen === "") return "nothing to do";
    await forgetSnapshots(modelRepository(name, backend), [sid], "test");
    return "done";
  };
  return { phases: [look, forget] };
}
