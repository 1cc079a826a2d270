// What the action needs of the machine that runs it. githubRunner.ts is GitHub's; tests have their own.

import type { Annotation } from "../core/index.js";
import type { GivenInputs } from "./inputReader.js";

export interface Runner {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Inputs by the names of action.yml, and what is none. */
  inputs(): GivenInputs;
  /** From here on it is replaced in everything below. */
  hide(secret: string): void;
  /** The text without the secrets that are known. */
  redact(text: string): string;
  /** One or several lines for the log; nothing in them is a command. */
  log(text: string): void;
  debug(text: string): void;
  /** Lines of the log that are folded. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
  annotate(annotation: Annotation): void;
  setOutput(name: string, value: string): void;
  /** False: this runner shows no summaries. */
  writeSummary(markdown: string): Promise<boolean>;
  /** The step has failed, for this reason; null: annotations have said why. */
  fail(reason: string | null): void;
}
