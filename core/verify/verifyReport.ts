// What a verification is asked for and what it answers.

import type { PackName, Sid } from "../format/ids.js";
import type { DamagedRange } from "../format/record.js";
import type { OnProgress } from "../platform/progress.js";
import type { Snapshot } from "../repository/catalog.js";
import type { OnWarning } from "../repository/warnings.js";
import type { ObjectProblem } from "./objectChecks.js";
import type { PackProblem } from "./verifyLane.js";

export interface VerifyRequest {
  /** Which snapshots; null: all, and every object of the repository. */
  snapshots: readonly Snapshot[] | null;
  readData: boolean;
  /** Leave out snapshots with a good verification of at least this depth that is younger than `outdatedAfterMs`. */
  ignoreVerified: boolean;
  /** Null: a verification never becomes outdated. */
  outdatedAfterMs: number | null;
  /** Read only packs of slice `part` of `of` (1-based); needs readData. */
  subset: { part: number; of: number } | null;
  /** Hex ids of blobs that count as whole whatever an earlier verification has noted: they can be read all the same. */
  spared?: ReadonlySet<string>;
  /** Store what was found: verification records, and damaged copies in quarantine. */
  record: boolean;
  lanes?: number;
}

export interface VerifyOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}

export interface VerifyReport {
  /** True when nothing that a snapshot needs, and no object of the repository, is damaged. */
  ok: boolean;
  level: "structure" | "data";
  snapshots: SnapshotVerdict[];
  /** Snapshots left out because of an earlier, recent verification. */
  skipped: Sid[];
  objects: { checked: number; problems: ObjectProblem[]; foreign: string[] };
  packs: { listed: number; read: number; bytesRead: number; problems: (PackProblem & { needed: boolean })[] };
  /** Share of the listed packs that this run read, 0–1. */
  coverage: number;
  durationMs: number;
}

/** What the structural walk has found. */
export interface StructureDamage {
  /** Hex ids of blobs that no listed pack holds. */
  missing: Set<string>;
  /** Packs that hold something the chosen snapshots need. */
  packs: Set<PackName>;
}

export interface SnapshotVerdict {
  sid: Sid;
  namespace: string;
  group: string;
  time: string;
  result: "ok" | "damaged";
  /**
   * Ranges of disks (or whole files) that cannot be restored. In a file tree the contents of all files are counted one after the
   * other, and `path` says whose they are; a length of 0: attributes, or a folder of empty files.
   */
  damaged: (DamagedRange & { reason: string; path?: string })[];
}
