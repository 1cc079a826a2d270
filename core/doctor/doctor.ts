// `reprise doctor`: what is wrong, or could go wrong, with a repository and what it stands on, and what a thief with the
// present credentials could do. It changes nothing but canaries (thiefTrial.ts) and what the probe puts and removes.

import { keeperFingerprint } from "../crypto/keeperKey.js";
import { isAbort, isOurError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { loadCatalog } from "../repository/catalog.js";
import { listCondemned } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { expiringDecisions } from "../repository/versions.js";
import type { OnWarning, Warning } from "../repository/warnings.js";
import type { StorageProtection } from "../storage/backend.js";
import { probeBackend } from "../storage/probe.js";
import { findOverwritten, isAwaitingExpiry, type OverwrittenReport } from "./overwritten.js";
import { type CacheState, clockOffsetMs, examineCache, examineTools, type ToolState } from "./surroundings.js";
import { type FolderTrial, tryAsThief } from "./thiefTrial.js";

export type FindingStatus = "ok" | "warning" | "failed" | "skipped";

export interface Finding {
  /** Stable name, for programs: `probe.range`, `clock`, `thief`. */
  name: string;
  status: FindingStatus;
  /** One sentence for people. */
  detail: string;
}

export interface DoctorReport {
  /** The worst of the findings. */
  status: "ok" | "warning" | "failed";
  /** "no": nothing that is stored can be lost by these credentials. */
  destructible: "yes" | "undoable" | "no" | "unknown";
  findings: Finding[];
  keeper: { fingerprint: string | null; isKeeper: boolean };
  trials: FolderTrial[];
  clockOffsetMs: number | null;
  protection: StorageProtection | null;
  cache: CacheState | null;
  tools: ToolState[];
  /** Objects that only the keeper may write and has not signed. */
  unsigned: string[];
  /** Null: the storage keeps no versions, or does not show them to these credentials. */
  overwritten: OverwrittenReport | null;
}

export interface DoctorOptions {
  /** Null: without a cache. */
  cacheFolder: string | null;
  /** Do not put canaries. */
  withoutTrial?: boolean;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

const MAX_CLOCK_OFFSET_MS = 5 * 60_000;
/** For so long a decision that was overwritten without effect deserves a look: its versions are never removed. */
const RECENT_MS = 30 * 24 * 60 * 60_000;

export async function examineRepository(repository: Repository, options: DoctorOptions): Promise<DoctorReport> {
  const examination = new Examination(repository, options);
  await examination.roles();
  await examination.probes();
  await examination.clock();
  await examination.thief();
  await examination.overwritten();
  await examination.objects();
  await examination.surroundings();
  return examination.report;
}

class Examination {
  readonly #repository: Repository;
  readonly #options: DoctorOptions;
  readonly #findings: Finding[] = [];
  #trials: FolderTrial[] = [];
  #clockOffsetMs: number | null = null;
  #protection: StorageProtection | null = null;
  #cache: CacheState | null = null;
  #tools: ToolState[] = [];
  #unsigned: string[] = [];
  #overwritten: OverwrittenReport | null = null;

  constructor(repository: Repository, options: DoctorOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  get report(): DoctorReport {
    const { keeper } = this.#repository.config;
    const statuses = new Set(this.#findings.map(({ status }) => status));
    return {
      status: statuses.has("failed") ? "failed" : statuses.has("warning") ? "warning" : "ok",
      destructible: this.#destructible,
      findings: this.#findings,
      keeper: {
        fingerprint: keeper === null ? null : keeperFingerprint(keeper),
        isKeeper: this.#repository.keeperKey !== null,
      },
      trials: this.#trials,
      clockOffsetMs: this.#clockOffsetMs,
      protection: this.#protection,
      cache: this.#cache,
      tools: this.#tools,
      unsigned: this.#unsigned,
      overwritten: this.#overwritten,
    };
  }

  async roles(): Promise<void> {
    const { config, keeperKey } = this.#repository;
    this.#find("encryption", config.encryption === "none" ? "warning" : "ok", encryptionText(config.encryption));
    if (config.keeper === null) {
      return this.#find("roles", "ok", "one role: whoever can open the repository may forget and collect");
    }
    const whose = keeperKey === null ? "its private key is not here, as on a runner" : "its private key is here";
    this.#find("roles", "ok", `two roles, keeper ${keeperFingerprint(config.keeper)}: ${whose}`);
  }

  async probes(): Promise<void> {
    const { backend, environment } = this.#repository;
    const { checks } = await probeBackend(backend, bytesToHex(environment.random(16)), this.#options);
    for (const { name, ok, detail, error } of checks) {
      const denied = error?.code === "STORAGE_ACCESS_DENIED";
      const status = ok ? "ok" : denied ? "skipped" : "failed";
      this.#find(
        `probe.${name}`,
        status,
        denied ? "cannot be tried with these credentials; run doctor as the keeper" : detail,
      );
    }
  }

  async clock(): Promise<void> {
    await this.#orSkip("clock", async () => {
      const { backend, environment } = this.#repository;
      this.#clockOffsetMs = await clockOffsetMs(backend, environment.now, this.#options);
      const seconds = Math.round(this.#clockOffsetMs / 1000);
      const far = Math.abs(this.#clockOffsetMs) > MAX_CLOCK_OFFSET_MS;
      const where = `${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"}`;
      this.#find("clock", far ? "warning" : "ok", `the storage's clock is ${where} this machine's`);
    });
  }

  async thief(): Promise<void> {
    const { backend, keeperKey } = this.#repository;
    await this.#orSkip("protection", async () => {
      this.#protection = (await backend.protection?.(this.#options)) ?? null;
      const expiring = this.#protection?.versioning === "on" ? expiringDecisions(this.#protection) : [];
      const expire = `: lifecycle rules remove older versions of ${expiring.join(" ")}; print them anew with init --print-policy s3-lifecycle`;
      const detail = protectionText(this.#protection);
      if (expiring.length === 0) this.#find("protection", "ok", detail);
      else this.#find("protection", "warning", detail + expire);
    });
    if (this.#options.withoutTrial) return this.#find("thief", "skipped", "not tried");
    this.#trials = await tryAsThief(backend, this.#options);
    const bad = this.#destructible;
    const isKeeper = keeperKey !== null;
    // What a keeper cannot delete gc cannot free; what a runner cannot, a thief cannot.
    const status = isKeeper === (bad !== "no") ? "ok" : "warning";
    const isAccepted = this.#trials.some(({ overwrite }) => overwrite === "without-effect");
    const detail = (isKeeper ? KEEPER_TEXT : THIEF_TEXT)[bad];
    this.#find("thief", status, bad === "no" && !isKeeper && isAccepted ? WITHOUT_EFFECT : detail);
  }

  /** What a thief has put over it. */
  async overwritten(): Promise<void> {
    await this.#orSkip("overwritten", async () => {
      const firstCounts = this.#protection?.versioning === "on";
      this.#overwritten = await findOverwritten(this.#repository, firstCounts, this.#options);
      if (this.#overwritten === null) return;
      const now = this.#repository.environment.now() + (this.#clockOffsetMs ?? 0);
      const isRecent = now - this.#overwritten.lastAtMs < RECENT_MS;
      const isUrgent = isAwaitingExpiry(this.#overwritten) || isRecent;
      const isAny = this.#overwritten.first.length > 0;
      const status = !isAny ? "ok" : firstCounts ? (isUrgent ? "warning" : "ok") : "failed";
      this.#find("overwritten", status, isAny ? overwrittenText(this.#overwritten) : "nothing was overwritten");
    });
  }

  /** What nobody may have written, and what collections would stumble over. */
  async objects(): Promise<void> {
    const unsigned = new Set<string>();
    const onWarning = ({ code, data }: Warning) => {
      if (code === "VERDICT_UNSIGNED") unsigned.add(String(data?.object));
    };
    const catalog = await loadCatalog(this.#repository, { ...this.#options, onWarning, fresh: true });
    await listCondemned(this.#repository, { ...this.#options, onWarning });
    this.#unsigned = [...unsigned].sort();
    const count = this.#unsigned.length;
    this.#find(
      "verdicts",
      count === 0 ? "ok" : "failed",
      count === 0
        ? "no unsigned decisions"
        : `${count} decision${count === 1 ? "" : "s"} without the keeper's signature, e.g. ${this.#unsigned[0]}`,
    );
    const { length } = catalog.unreadable;
    const manifests =
      length === 0 ? "all manifests open" : `${length} manifest${length === 1 ? "" : "s"} cannot be read; run verify`;
    this.#find("manifests", length === 0 ? "ok" : "failed", manifests);
    const [record, ...more] = catalog.unreadableRecords;
    const example = `${record?.object}${more.length === 0 ? "" : ` and ${more.length} more`}`;
    const records = record === undefined ? "all records open" : `cannot be read, and shuts gates: ${example}`;
    this.#find("records", record === undefined ? "ok" : "failed", records);
  }

  async surroundings(): Promise<void> {
    const { cacheFolder } = this.#options;
    if (cacheFolder !== null) {
      this.#cache = await examineCache(cacheFolder);
      const { writable, sizeBytes } = this.#cache;
      const size = `${(sizeBytes / 2 ** 20).toFixed(1)} MiB in ${cacheFolder}`;
      this.#find("cache", writable ? "ok" : "warning", writable ? size : `${cacheFolder} cannot be written to`);
    } else this.#find("cache", "skipped", "without a cache");
    this.#tools = await examineTools(this.#options);
    for (const { name, path, version, debianPackage, neededFor } of this.#tools) {
      const missing = `not installed, needed for ${neededFor}: apt-get install ${debianPackage}`;
      this.#find(`tool.${name}`, path === null ? "warning" : "ok", path === null ? missing : (version ?? path));
    }
  }

  get #destructible(): DoctorReport["destructible"] {
    if (this.#trials.length === 0) return "unknown";
    const outcomes = this.#trials.flatMap((trial) => [
      trial.overwrite,
      trial.delete,
      // What only the keeper writes: a new key slot is no loss, a new plan is none without a signature.
      ...(trial.owner === "keeper" && this.#repository.config.keeper !== null ? [trial.create] : []),
    ]);
    if (outcomes.includes("allowed")) return this.#protection?.versioning === "on" ? "undoable" : "yes";
    return outcomes.includes("unknown") ? "unknown" : "no";
  }

  #find(name: string, status: FindingStatus, detail: string): void {
    this.#findings.push({ name, status, detail });
  }

  async #orSkip(name: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (isAbort(error) || !isOurError(error)) throw error;
      this.#find(name, "skipped", error.message);
    }
  }
}

const THIEF_TEXT: Record<DoctorReport["destructible"], string> = {
  yes: "this repository can be destroyed by its writers: these credentials can overwrite or delete what is stored",
  undoable: "these credentials can overwrite or delete what is stored; older versions are kept and can be brought back",
  no: "these credentials can neither overwrite nor delete what is stored",
  unknown: "whether these credentials can destroy the repository could not be found out",
};
const WITHOUT_EFFECT =
  "these credentials cannot delete what is stored; overwriting it is accepted without effect: the first version counts";
/** With the keeper's private key in hand, which says nothing of the credentials for the storage. */
const KEEPER_TEXT: Record<DoctorReport["destructible"], string> = {
  yes: "these storage credentials can overwrite or delete, as the keeper's must; keep them away from runners",
  undoable:
    "these storage credentials can overwrite or delete, as the keeper's must; older versions are kept; keep them away from runners",
  no: "the keeper's private key is here, but these storage credentials cannot delete, as a runner's: gc will not work with them",
  unknown: "whether these storage credentials can delete, as the keeper's must, could not be found out",
};

function encryptionText(encryption: string): string {
  return encryption === "none" ? "not encrypted: whoever can read the storage can read the disks" : encryption;
}

/** Names in the sentence; the document has more. */
const MOST_NAMES = 3;

function overwrittenText(found: OverwrittenReport): string {
  const counts = Object.entries(found.objects).map(([name, count]) => `${count} in ${name}`);
  const names = found.first.slice(0, MOST_NAMES).join(", ");
  const when = new Date(found.lastAtMs).toISOString();
  const what = `somebody has overwritten objects (${counts.join(", ")}; the last at ${when}), e.g. ${names}`;
  if (found.counts === "last") return `${what}: readers get what was put last; run repair versions`;
  const effect = "without effect: the first versions count";
  return isAwaitingExpiry(found)
    ? `${what}; ${effect}, until those of packs and index objects expire: run repair versions before`
    : `${what}; ${effect}, and they do not expire`;
}

function protectionText(protection: StorageProtection | null): string {
  if (protection === null) return "this storage keeps no versions that Reprise knows of";
  const { versioning, objectLockDays } = protection;
  const lock = objectLockDays === null ? "no object lock" : `object lock for ${objectLockDays} days`;
  const effect =
    versioning === "on" ? " (overwrites that the server accepts have no effect: the first version counts)" : "";
  return `versioning ${versioning}${effect}, ${lock}`;
}
