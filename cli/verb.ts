// What a verb of the command line is: a declaration that the argument parser, the help and the completion read, and the
// function that does the work. A verb prints nothing itself; it answers, and runCli prints.

import type { Context } from "./context.js";
import type { ExitCode } from "./exitCodes.js";
import type { Given } from "./given/given.js";
import type { OperandSpec, OptionSpec } from "./lineSpec.js";
import type { Line } from "./output/text.js";

export interface Example {
  command: string;
  meaning: string;
}

export interface Verb {
  name: string;
  summary: string;
  /** More for `--help`; each string is a paragraph. */
  details?: readonly string[];
  /** Not in the help. */
  hidden?: true;
  operands: readonly OperandSpec[];
  options: readonly OptionSpec[];
  examples: readonly Example[];
  run(context: Context, given: Given): Promise<Answer>;
}

/** Verbs below a common word: `key add`, `key list`. */
export interface VerbFamily {
  name: string;
  summary: string;
  verbs: readonly Verb[];
  /** What the word does by itself, with options of its own. */
  own?: Verb;
}

/** Headings of the help. */
export type VerbGroup =
  | "Back up and restore:"
  | "Run what reprise.yml says:"
  | "Look into snapshots:"
  | "Look after snapshots:"
  | "Look after the repository:"
  | "This program:";

export interface Listed {
  group: VerbGroup;
  entry: Verb | VerbFamily;
}

export function isFamily(entry: Verb | VerbFamily): entry is VerbFamily {
  return "verbs" in entry;
}

export interface Answer {
  /** For --json: the one document. Warnings are added to it when it is an object. */
  document: unknown;
  /** What was asked for, for people. */
  lines: readonly Line[];
  /** What was done, for people; left out with --quiet. */
  summary?: readonly Line[];
  /** The work was done and its result is bad (verify found damage): exit code 1. */
  failed?: true;
  /** Another end than these; more important than warnings. */
  exitCode?: ExitCode;
  /** The exit code is a verdict that others act upon: warnings are told, and do not change it. */
  isVerdict?: true;
  /** Standard output was used for data: lines and summary go to standard error. */
  outputTaken?: true;
}
