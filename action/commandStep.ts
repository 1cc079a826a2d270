// What a command is given, and what it leaves.

import type { JobReport } from "../core/index.js";
import type { PipelineEvent } from "./event.js";
import type { Inputs } from "./inputs.js";
import type { Outputs } from "./outputs.js";
import type { Runner } from "./runner.js";

export interface CommandStep {
  runner: Runner;
  inputs: Inputs;
  event: PipelineEvent;
  signal: AbortSignal;
  /** Exists. */
  reportFolder: string;
}

export interface Done {
  report: JobReport;
  /** For attestation-path: DSSE envelopes, or a statement that nobody signed. */
  statements: readonly string[];
  /** Besides those that follow from the report. */
  outputs: Outputs;
}
