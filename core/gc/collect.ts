// Garbage collection: finish what earlier collections began, mark, repack, plan, delete, tidy up. The collector's side of
// docs/protocol.md; backups go on meanwhile and are never waited for with a lock.

import { RepriseError } from "../errors.js";
import { bytesToHex, type PackName, packSid, type Sid } from "../format/ids.js";
import { type Catalog, loadCatalog } from "../repository/catalog.js";
import { listPacks, loadQuarantine, type Presence } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { requireKeeper } from "../repository/verdicts.js";
import type { ObjectInfo } from "../storage/backend.js";
import { probeBackend } from "../storage/probe.js";
import { fenceSilent, lastSigns, type OpenSession, storageNow } from "./fencing.js";
import { tidyUp } from "./housekeeping.js";
import { countUsage, loadNeeds, type Marks } from "./marks.js";
import { type Execution, type ExecutionOptions, executePlan, listPlans, writePlan } from "./planExecution.js";
import { DEFAULT_GC_POLICY, type GcPlanSummary, planGc } from "./planGc.js";
import { repack } from "./repack.js";
import { extendRetention } from "./retention.js";
import { examineVersions } from "./versions.js";

export interface GcRequest {
  /** Only say what would happen. */
  dryRun: boolean;
  /** Sessions silent for so long are given up; docs/protocol.md: 6 hours. */
  fenceAfterMs: number;
  /** Share of unused bytes that may stay, 0–1. */
  maxUnused: number;
  /** Somebody has looked at how much it frees. */
  confirmed?: boolean;
}

export type GcOptions = Omit<ExecutionOptions, "fenceAfterMs">;

export interface GcReport {
  dryRun: boolean;
  plan: GcPlanSummary<PackName>;
  deletedPacks: number;
  deletedBytes: number;
  repackedPacks: number;
  /** Plans that wait for backups which were running when they were made; the next gc goes on with them. */
  waitingFor: OpenSession[];
  fenced: Sid[];
  /** Old index objects, announcements, records and tombstones removed. */
  tidied: number;
  /** Objects whose object lock was extended; absent without two roles or object lock. */
  locked?: number;
  durationMs: number;
}

export const DEFAULT_FENCE_AFTER_MS = 6 * 60 * 60 * 1000;
/** More than this, and more than this share of all bytes, needs to be confirmed. */
const MAX_FREED_BYTES = 2 ** 30;
const MAX_FREED_SHARE = 0.5;
export const DEFAULT_MAX_UNUSED = DEFAULT_GC_POLICY.maxUnused;

/** KEEPER_KEY_REQUIRED; GC_FREES_MUCH when that is most of the repository and not confirmed; GC_PROBE_FAILED when the storage does not keep its promises; GC_SNAPSHOT_UNREADABLE when needs are unknown. */
export async function collectGarbage(
  repository: Repository,
  request: GcRequest,
  options: GcOptions,
): Promise<GcReport> {
  const started = performance.now();
  if (!request.dryRun) requireKeeper(repository, "collecting");
  const run = new Collection(repository, request, options);
  if (!request.dryRun) {
    await examineVersions(repository, options);
    await requireSoundStorage(repository, options);
    await run.continueEarlierPlans();
    await run.fenceSilentSessions();
  }
  await run.markAndPlan();
  if (!request.dryRun) {
    if (!request.confirmed) refuseMuchFreed(run.report.plan);
    await run.extendRetention();
    await run.repackAndDelete();
    await run.tidy();
  }
  return { ...run.report, durationMs: Math.round(performance.now() - started) };
}

class Collection {
  readonly report: Omit<GcReport, "durationMs">;
  readonly #repository: Repository;
  readonly #request: GcRequest;
  readonly #options: ExecutionOptions;
  #packs: ReadonlyMap<PackName, ObjectInfo> = new Map();
  /** In plans that wait for running backups. */
  readonly #waiting = new Set<PackName>();
  #presence: Presence | undefined;
  #marks: Marks | undefined;
  #catalog: Catalog | undefined;

  constructor(repository: Repository, request: GcRequest, options: GcOptions) {
    this.#repository = repository;
    this.#request = request;
    this.#options = { ...options, fenceAfterMs: request.fenceAfterMs };
    this.report = {
      dryRun: request.dryRun,
      plan: { packs: [], totalBytes: 0, freedBytes: 0, repackedBytes: 0, unusedBytes: 0 },
      deletedPacks: 0,
      deletedBytes: 0,
      repackedPacks: 0,
      waitingFor: [],
      fenced: [],
      tidied: 0,
    };
  }

  /** Plans of collections that crashed or had to wait. */
  async continueEarlierPlans(): Promise<void> {
    const gids = await listPlans(this.#repository, this.#options);
    if (gids.length > 0) this.#packs = await listPacks(this.#repository, this.#options);
    for (const gid of gids) await this.#execute(gid);
  }

  async fenceSilentSessions(): Promise<void> {
    const packs = await listPacks(this.#repository, this.#options);
    const { decided } = await loadCatalog(this.#repository, { ...this.#options, fresh: true });
    const signs = await lastSigns(this.#repository, packs, this.#options);
    const undecided = new Map([...signs].filter(([sid]) => !decided.has(sid)));
    const { fenced } = await fenceSilent(this.#repository, undecided, this.#options);
    this.report.fenced.push(...fenced);
  }

  /** G1; sees the deletions of earlier plans. */
  async markAndPlan(): Promise<void> {
    const { catalog, presence, marks } = await loadNeeds(this.#repository, this.#options);
    presence.quarantined = await loadQuarantine(this.#repository, this.#options);
    this.#presence = presence;
    this.#packs = presence.packs;
    this.#marks = marks;
    this.#catalog = catalog;
    this.report.plan = this.#plan(presence, catalog, marks);
  }

  /** Before anything is deleted. */
  async extendRetention(): Promise<void> {
    const { backend, config } = this.#repository;
    if (config.keeper === null || backend.lockUntil === undefined) return;
    const kept = this.report.plan.packs.filter(({ action, usedBytes }) => action === "keep" && usedBytes > 0);
    const packs = new Map(kept.map(({ name }) => [name, this.#packs.get(name) as ObjectInfo]));
    const catalog = this.#catalog as Catalog;
    const now = await storageNow(this.#repository, this.#options);
    this.report.locked = await extendRetention(this.#repository, { catalog, packs }, now, this.#options);
  }

  async repackAndDelete(): Promise<void> {
    const presence = this.#presence as Presence;
    const packsWith = (action: string) =>
      this.report.plan.packs.filter((pack) => pack.action === action).map(({ name }) => name);
    const victims = packsWith("delete");
    const packs = packsWith("repack");
    if (packs.length > 0) {
      const leaving = { packs, doomed: victims };
      const { emptied } = await repack(this.#repository, presence, this.#marks as Marks, leaving, this.#options);
      this.report.repackedPacks = emptied.length;
      victims.push(...emptied);
    }
    if (victims.length > 0) await this.#execute((await writePlan(this.#repository, victims)).gid);
  }

  async tidy(): Promise<void> {
    this.report.tidied = await tidyUp(this.#repository, this.#options);
  }

  #plan(presence: Presence, catalog: Catalog, marks: Marks): GcPlanSummary<PackName> {
    const usage = countUsage(marks, presence.packs.keys(), presence.quarantined, this.#waiting);
    const packs = [...presence.packs].map(([name, { sizeBytes }]) => {
      const { usedBytes, hasQuarantined } = usage.get(name) ?? { usedBytes: 0, hasQuarantined: false };
      const creatorDecided = catalog.decided.has(packSid(name));
      return { name, sizeBytes, usedBytes, hasQuarantined, creatorDecided, held: this.#whyHeld(name, presence) };
    });
    const { maxUnused } = this.#request;
    const smallPackBytes = this.#repository.config.packBytes / 8;
    return planGc(packs, { ...DEFAULT_GC_POLICY, maxUnused, smallPackBytes });
  }

  #whyHeld(pack: PackName, { opaque }: Presence): string | undefined {
    if (opaque.has(pack)) return "what is in it is unknown; run repair index";
    if (this.#waiting.has(pack)) return "an earlier plan deletes it, when the backups that ran then have ended";
    return undefined;
  }

  async #execute(gid: Sid): Promise<void> {
    const execution: Execution = await executePlan(this.#repository, gid, this.#options);
    if (execution.outcome === "stuck") return;
    this.report.fenced.push(...execution.fenced);
    if (execution.outcome === "waiting") return this.#noteWaiting(execution);
    for (const pack of execution.deleted) {
      this.report.deletedPacks++;
      this.report.deletedBytes += this.#packs.get(pack)?.sizeBytes ?? 0;
    }
  }

  #noteWaiting({ waitingFor, victims }: Execution & { outcome: "waiting" }): void {
    for (const pack of victims) this.#waiting.add(pack);
    const known = new Set(this.report.waitingFor.map(({ sid }) => sid));
    for (const session of waitingFor) if (!known.has(session.sid)) this.report.waitingFor.push(session);
  }
}

/** Snapshots that somebody has forgotten by mistake come back from a replica only, once their chunks are gone. */
function refuseMuchFreed({ freedBytes, totalBytes }: GcPlanSummary): void {
  if (freedBytes <= MAX_FREED_BYTES || freedBytes <= MAX_FREED_SHARE * totalBytes) return;
  const [freed, total] = [freedBytes, totalBytes].map((bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`);
  throw new RepriseError("usage", "GC_FREES_MUCH", `this would free ${freed} of ${total}, more than half`, {
    data: { freedBytes, totalBytes },
    hint: "nothing was deleted; look at it with --dry-run, and whether the right snapshots were forgotten; then say --confirm",
  });
}

/** G0: no proof, no deletion. */
async function requireSoundStorage(repository: Repository, options: GcOptions): Promise<void> {
  // A storage that cannot be written to at all says so itself.
  await storageNow(repository, options);
  const probe = await probeBackend(repository.backend, bytesToHex(repository.environment.random(16)), options);
  if (probe.ok) return;
  const failed = probe.checks.filter(({ ok }) => !ok);
  const [first] = failed;
  // No space, no permission, no connection: nothing is known about promises.
  if (first?.error && failed.every(({ error }) => error?.family === "backend")) throw first.error;
  const what = failed.map(({ name, detail }) => `${name} (${detail})`).join("; ");
  throw new RepriseError("backend", "GC_PROBE_FAILED", `${repository.backend.location}: not safe for gc: ${what}`, {
    data: { failed: failed.map(({ name, detail }) => ({ name, detail })) },
    hint: "backups and restores work here, deleting would not be safe; move the repository to storage with atomic put-if-absent",
  });
}
