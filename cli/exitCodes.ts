// The one table of exit codes, and how errors become them. docs/cli.md lists them for users.

import { type ErrorFamily, isAbort, isOurError } from "../core/index.js";

export const EXIT = {
  done: 0,
  /** The work was begun and did not succeed; also: verify has found damage. */
  failed: 1,
  /** The work could not begin: no repository, no key, no tool, no storage. */
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

export type SignalName = "SIGINT" | "SIGTERM";

/** The reason with which the process aborts its work. An AbortError for the core. */
export class Interruption extends Error {
  override readonly name = "AbortError";
  readonly signalName: SignalName;

  constructor(signalName: SignalName) {
    super(`ended by ${signalName}`);
    this.signalName = signalName;
  }
}

/** Nobody reads our output any more: nothing is left to be said. */
export class OutputClosed extends Error {
  override readonly name = "AbortError";
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof OutputClosed) return EXIT.outputClosed;
  if (error instanceof Interruption) return exitCodeOfSignal(error.signalName);
  if (isAbort(error)) return EXIT.interrupted;
  return isOurError(error) ? exitCodeOfFamily(error.family) : EXIT.failed;
}

export function exitCodeOfSignal(name: SignalName): number {
  return name === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
}

function exitCodeOfFamily(family: ErrorFamily): number {
  switch (family) {
    case "usage":
      return EXIT.wrongUsage;
    case "not-found":
    case "key":
    case "backend":
    case "unsupported":
      return EXIT.couldNotRun;
    case "format":
    case "corrupt":
    case "source":
    case "conflict":
    case "invariant":
      return EXIT.failed;
  }
}
