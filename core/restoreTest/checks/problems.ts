// Errors and ends of attempts, as observations.

import { isAbort, isOurError } from "../../errors.js";
import type { CheckVerdict } from "./check.js";

/** True when the attempt ended because its time was over, not because somebody ended the test. */
export function isOutOfTime(signal: AbortSignal): boolean {
  return signal.aborted && isTimeout(signal.reason);
}

export function isTimeout(reason: unknown): boolean {
  return typeof reason === "object" && reason !== null && (reason as { name?: unknown }).name === "TimeoutError";
}

/** For a check that was ended: neither an error of the machine nor of the storage. */
export function isEnded(error: unknown): boolean {
  return isAbort(error) || isTimeout(error);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** With the remedy, where one is known. */
export function adviceOf(error: unknown): string {
  const hint = isOurError(error) ? error.hint : undefined;
  return hint === undefined ? messageOf(error) : `${messageOf(error)} (${hint})`;
}

/** What an error says about the backup: damaged data fails, everything else leaves the question open. */
export function verdictOfError(error: unknown): CheckVerdict {
  return isOurError(error) && error.family === "corrupt" ? "fails" : "cannot-tell";
}
