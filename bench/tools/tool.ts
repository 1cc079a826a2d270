// One backup program, as the side-by-side run uses it.

import type { Command } from "../measure.js";

export interface BenchTool {
  readonly name: string;
  /** For the report: version and the options that matter. */
  describe(): Promise<string>;
  /** Makes an empty repository in an empty folder. Absent for tools without one. */
  init?(folder: string): Promise<void>;
  /** Backs up the disk at `diskPath` as the next snapshot of `machine`. */
  backup?(folder: string, diskPath: string, machine: string): Command;
  /** Writes the latest snapshot of `machine` below `target`, an empty folder; `result` is the file it makes. */
  restore(folder: string, diskPath: string, machine: string, target: string): { command: Command; result: string };
  /** Reads back and checks every stored byte. */
  verify?(folder: string): Command;
}

export const passphrase = "side by side";
