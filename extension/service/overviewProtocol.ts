// What the overview of a repository is made of. Facts only: what follows from them is extension/model's.

/** One snapshot that is there now. Bytes as in SnapshotData. */
export interface BackupPoint {
  machine: string;
  snapshotId: string;
  atMs: number;
  /** Of all its disks, as the machine sees them. */
  sizeBytes: number;
  newBytes: number;
  storedBytes: number;
}

export interface MachineProof {
  machine: string;
  snapshots: number;
  newestId: string;
  newestAtMs: number;
  /** Its newest restore test, as `reprise status` has it; drills are none. `ofNewest`: of its newest snapshot. */
  test: { outcome: string; provenLevel: string | null; atMs: number; ofNewest: boolean } | null;
  /** Of the newest snapshot when that was verified, else the newest one of any. */
  verification: { result: "ok" | "damaged"; level: "structure" | "data"; atMs: number; ofNewest: boolean } | null;
  /** Snapshots that are known to be damaged, and when that was seen last; null: not by a verification. */
  damaged: number;
  damagedAtMs: number | null;
}

export interface JobLine {
  job: string;
  command: string;
  outcome: string;
  trigger: string;
  host: string;
  startedAtMs: number;
  finishedAtMs: number;
  machines: number;
}

export interface RecoveryPoint {
  atMs: number;
  /** The fastest way that the test has measured. */
  totalMs: number;
  outcome: string;
}

export interface OverviewData {
  location: string;
  /** When it was asked for, by the clock of this computer. */
  atMs: number;
  /** Oldest first. */
  backups: readonly BackupPoint[];
  machines: readonly MachineProof[];
  /** Newest first, at most MAX_JOB_LINES; `reprise` knows the others. */
  jobs: readonly JobLine[];
  /** Tests that measured it, oldest first. */
  recovery: readonly { machine: string; objectiveMs: number | null; points: readonly RecoveryPoint[] }[];
  /** Manifests that cannot be read. */
  unreadable: number;
  totals: {
    logicalBytes: number;
    uniqueBytes: number;
    storedBytes: number;
    unusedBytes: number;
    packs: number;
    chunks: number;
    compressionRatio: number;
    totalRatio: number;
  };
}

export const MAX_JOB_LINES = 20;
export const MAX_RECOVERY_POINTS = 60;

export interface OverviewApi<Handle> {
  /** Reads the catalog anew and counts what snapshots need: with progress, and seconds in a large repository. */
  overview: { argument: { repository: Handle }; answer: OverviewData };
}
