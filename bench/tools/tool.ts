// One backup program, as the side-by-side run uses it.

import type { Traffic } from "../../core/storage/backend.js";
import type { Command } from "../measure.js";
import type { Place } from "./place.js";

export interface BenchTool {
  readonly name: string;
  /** Absent for tools without a repository. */
  readonly place?: Place;
  /** For the report: version and the options that matter. */
  describe(): Promise<string>;
  /** Makes an empty repository. Absent for tools without one. */
  init?(folder: string): Promise<void>;
  /** Backs up the disk at `diskPath` as the next snapshot of `machine`. */
  backup?(folder: string, diskPath: string, machine: string): Command;
  /** What went over the network, when the output of a backup tells. */
  traffic?(output: string): Traffic | null;
  /** Writes the latest snapshot of `machine` below `target`, an empty folder; `result` is the file it makes. */
  restore(folder: string, diskPath: string, machine: string, target: string): { command: Command; result: string };
  /** Reads back and checks every stored byte. */
  verify?(folder: string): Command;
}

export const passphrase = "side by side";
