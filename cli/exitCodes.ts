// The one table of exit codes, and how errors become them. docs/cli.md lists them for users.

import { type ErrorFamily, isAbort, isOurError, type RepriseError } from "../core/index.js";
import { Interruption, type SignalName } from "./interruption.js";

export const EXIT = {
  done: 0,
  /** The work was begun and did not succeed, or what is stored is damaged; also: verify has found damage. */
  failed: 1,
  /** Something that the work needs is missing, refuses or is in the way: repository, key, storage, tool, source, target. */
  couldNotRun: 2,
  /** Done, but look at the warnings. */
  doneWithWarnings: 3,
  wrongUsage: 64,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGPIPE: whoever read the output is gone. */
  outputClosed: 141,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Nobody reads our output any more: nothing is left to be said. */
export class OutputClosed extends Error {
  override readonly name = "AbortError";
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof OutputClosed) return EXIT.outputClosed;
  if (error instanceof Interruption) return exitCodeOfSignal(error.signalName);
  if (isAbort(error)) return EXIT.interrupted;
  return isOurError(error) ? exitCodeOfOurs(error) : EXIT.failed;
}

function exitCodeOfSignal(name: SignalName): number {
  return name === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
}

/** Whatever is not in CANNOT_BEGIN. A record, so that a new family does not compile without a decision. */
export const EXIT_OF_FAMILY: Readonly<Record<ErrorFamily, ExitCode>> = {
  usage: EXIT.wrongUsage,
  "not-found": EXIT.couldNotRun,
  key: EXIT.couldNotRun,
  backend: EXIT.couldNotRun,
  unsupported: EXIT.couldNotRun,
  format: EXIT.failed,
  corrupt: EXIT.failed,
  source: EXIT.failed,
  conflict: EXIT.failed,
  invariant: EXIT.failed,
};

/** Of the families that mean a failure: the errors that come before anything is read from a disk or written to a target. */
export const CANNOT_BEGIN: ReadonlySet<string> = new Set([
  "CONFIG_FILE_UNREADABLE",
  "SOURCE_ENCRYPTED",
  "SOURCE_FOREIGN_FILES",
  "SOURCE_IN_USE",
  "SOURCE_NOT_FOUND",
  "SOURCE_OPEN_FAILED",
  "SOURCE_UNSUPPORTED",
  "TARGET_EXISTS",
  "TARGET_IN_USE",
  "TARGET_READ_ONLY",
  "TARGET_TOO_SMALL",
  "TARGET_UNSAFE",
  "TARGET_UNSUPPORTED",
  "REPOSITORY_EXISTS",
  "REPOSITORY_REMAINS",
  "S3_BUCKET_TAKEN",
]);

function exitCodeOfOurs({ family, code }: RepriseError): ExitCode {
  return CANNOT_BEGIN.has(code) ? EXIT.couldNotRun : EXIT_OF_FAMILY[family];
}
