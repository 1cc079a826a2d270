// What a restore of files is asked for, and what it answers.

import type { ReadOptions } from "../../filesystem/blockReader.js";
import type { OnProgress } from "../../platform/progress.js";
import type { MachineTree, TreeNode } from "../machineTree.js";
import type { LeftOutAttributes, SkippedFile } from "./leftOut.js";

export interface RestoreFilesRequest {
  tree: MachineTree;
  /** What is restored; the whole machine, a disk, a volume, a folder or a file. */
  source: TreeNode;
  /** Its name below `to`; null: what is in it goes there without a folder around it. */
  name: Uint8Array | null;
  /** Made when missing; its parent must exist. */
  to: string;
  /** What is there already: an error before anything is written, replaced (folders are entered), or left alone. */
  existing: "refuse" | "replace" | "keep";
  /** Owners and setuid bits; only root can. */
  owners: boolean;
  /** Devices, pipes: only root can. */
  devices: boolean;
  /** Write nothing, count what would be. */
  dryRun: boolean;
}

export interface RestoreFilesOptions extends ReadOptions {
  onProgress?: OnProgress;
  /** Hears of each file that is missing or not whole. */
  onSkipped: (file: SkippedFile) => void;
}

export interface RestoreFilesReport {
  files: number;
  folders: number;
  /** Symbolic ones. */
  links: number;
  /** Names of files that were restored under another name. */
  hardLinks: number;
  /** Devices and pipes. */
  special: number;
  sizeBytes: number;
  /** Without holes. */
  bytesWritten: number;
  /** Files that were there already and were left alone. */
  kept: number;
  skipped: number;
  leftOut: readonly LeftOutAttributes[];
}
