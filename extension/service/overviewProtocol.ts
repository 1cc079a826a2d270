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
  /** The newest restore test of any of its snapshots; drills are none. */
  test: { outcome: string; provenLevel: string | null; atMs: number } | null;
  /** The newest verification of any of its snapshots. */
  verification: { result: "ok" | "damaged"; level: "structure" | "data"; atMs: number } | null;
  /** Snapshots that are known to be damaged. */
  damaged: number;
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
  /** Newest first, at most MAX_JOB_LINES. */
  jobs: readonly JobLine[];
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
