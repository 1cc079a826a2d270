// The part of the service's protocol that changes something, or starts something. Plain data, like all of protocol.ts, which names the
// type of handles. What is destroyed was shown before: a plan is applied as it was previewed, or refused.

export interface VerifyData {
  ok: boolean;
  level: "structure" | "data";
  snapshots: number;
  damaged: readonly DamageData[];
  /** Objects of the repository itself. */
  problems: readonly string[];
  packsRead: number;
  bytesRead: number;
  durationMs: number;
}

export interface DamageData {
  machine: string;
  snapshotId: string;
  timeMs: number;
  disk: string;
  path: string | null;
  offset: number;
  length: number;
  reason: string;
}

/** Counts by rule, and a duration such as `30d`. */
export type KeepRules = Partial<Record<"last" | "hourly" | "daily" | "weekly" | "monthly" | "yearly", number>> & {
  within?: string;
};

export interface PruneLine {
  machine: string;
  snapshotId: string;
  timeMs: number;
  mark: "keep" | "remove" | "protected" | "keep-partial";
  reasons: readonly string[];
  newBytes: number;
}

export interface PrunePlanData {
  /** Names the plan; to be given to applyPrune. */
  plan: string;
  timeZone: string;
  /** Machine by machine, newest first. */
  lines: readonly PruneLine[];
  removes: number;
}

export interface GcPlanData {
  /** Names the plan; to be given to applyGc. */
  plan: string;
  totalBytes: number;
  freedBytes: number;
  repackedBytes: number;
  unusedBytes: number;
  /** Those that do not simply stay, at most MAX_GC_LINES. */
  packs: readonly { name: string; sizeBytes: number; usedBytes: number; action: string; reason: string }[];
  packsChanged: number;
  packsKept: number;
}

export interface GcResultData {
  deletedPacks: number;
  deletedBytes: number;
  repackedPacks: number;
  /** Backups that were running: what they may need waits for the next gc. */
  waitingFor: readonly { snapshotId: string; silentMs: number }[];
  durationMs: number;
}

export interface BackupResultData {
  snapshotId: string;
  machine: string;
  sizeBytes: number;
  newBytes: number;
  storedBytes: number;
  durationMs: number;
}

export interface NbdData {
  server: number;
  machine: string;
  snapshotId: string;
  /** One for each disk: its name, and its address as tools take it. */
  disks: readonly { name: string; uri: string; sizeBytes: number }[];
}

export interface BootData {
  boot: number;
  machine: string;
  snapshotId: string;
  hardware: string;
  accelerator: string;
  notes: readonly string[];
  vncSocket: string | null;
}

export const MAX_GC_LINES = 1_000;
export const MAX_DAMAGE_LINES = 1_000;

export interface ActionsApi<Handle> {
  /** `snapshot`: null for all. What was found is stored with the snapshots. */
  verify: { argument: { repository: Handle; snapshot: string | null; readData: boolean }; answer: VerifyData };
  setProtection: { argument: { repository: Handle; snapshot: string; protected: boolean }; answer: null };
  setNotes: { argument: { repository: Handle; snapshot: string; notes: string }; answer: null };
  setTags: { argument: { repository: Handle; snapshot: string; tags: readonly string[] }; answer: null };
  /** All of them or none: SNAPSHOT_NOT_FOUND, SNAPSHOT_PROTECTED and FORGET_RECORD_UNREADABLE before anything is forgotten. */
  forget: { argument: { repository: Handle; snapshots: readonly string[] }; answer: { forgotten: number } };
  /** `machine`: null for all. */
  planPrune: {
    argument: { repository: Handle; machine: string | null; keep: KeepRules; timeZone: string };
    answer: PrunePlanData;
  };
  /** Exactly what the plan showed; SERVICE_PLAN_CHANGED when that is not what the policy would do now. */
  applyPrune: { argument: { repository: Handle; plan: string; confirmed: boolean }; answer: { forgotten: number } };
  planGc: { argument: { repository: Handle }; answer: GcPlanData };
  /** SERVICE_PLAN_CHANGED when other packs would go than the plan showed. */
  applyGc: { argument: { repository: Handle; plan: string; confirmed: boolean }; answer: GcResultData };
  /** `machine`: `vm/web1` or `prod:vm/web1`. Disks and folders by their paths on this computer. */
  backUp: {
    argument: {
      repository: Handle;
      machine: string;
      disks: readonly string[];
      folders: readonly string[];
      notes: string;
      tags: readonly string[];
    };
    answer: BackupResultData;
  };
  /** One machine of a backup job of a reprise.yml, into this repository. */
  backUpByJob: {
    argument: { repository: Handle; config: string; job: string; machine: string };
    answer: { outcome: string; verdict: string; problems: readonly string[] };
  };
  /** `passphrase`: null for no encryption. The recovery key is answered this one time. */
  initRepository: {
    argument: { location: string; passphrase: string | null };
    answer: { repositoryId: string; recoveryKey: string | null };
  };
  /** A small repository with a history, in a folder that is not there yet. */
  makeDemo: { argument: { folder: string }; answer: { location: string; snapshots: number } };
  startNbd: { argument: { repository: Handle; snapshot: string }; answer: NbdData };
  stopNbd: { argument: { server: number }; answer: null };
  /** Starts QEMU; `toolFolder`: where it is, null for where programs are. Nothing it writes is kept. */
  startBoot: {
    argument: { repository: Handle; snapshot: string; vnc: boolean; toolFolder: string | null };
    answer: BootData;
  };
  /** What its console has printed since the last call; waits for something. `end`: it has stopped. */
  bootOutput: {
    argument: { boot: number };
    answer: { bytes: Uint8Array<ArrayBuffer>; end: { description: string; readErrors: readonly string[] } | null };
  };
  bootInput: { argument: { boot: number; text: string }; answer: null };
  /** Also when it has ended: removes all that belonged to it. */
  stopBoot: { argument: { boot: number }; answer: null };
}
