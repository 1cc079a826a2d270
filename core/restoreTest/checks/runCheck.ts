// A check from its first attempt to its result: attempts, pauses, time-outs, and what a verdict means for its severity.
// docs/restore-tests.md.

import { setTimeout as sleep } from "node:timers/promises";
import type { CheckResult, Outcome } from "../../format/restoreTestRecord.js";
import { bounded } from "../../report/visibleText.js";
import type { CheckSpec, Severity } from "../spec/restoreTestSpec.js";
import type { CheckContext, CheckVerdict, Observation, ObservedArtifact } from "./check.js";
import { observe, timeOfAttempt, whenLate } from "./observe.js";
import { isEnded, isTimeout, messageOf, verdictOfError } from "./problems.js";

/** How long a check that does not listen to its signal is waited for. */
const GRACE_MS = 2000;

export interface CheckRun {
  result: CheckResult;
  /** Of the last attempt. */
  artifacts: readonly ObservedArtifact[];
}

/**
 * Never holds on doubt, and throws only the reason of `context.signal` when that is an abort; when the whole test took too long,
 * the check is inconclusive.
 */
export async function runCheck(check: CheckSpec, context: CheckContext): Promise<CheckRun> {
  const startMs = context.now();
  let attempts = 0;
  let seen: Observation;
  for (;;) {
    attempts++;
    seen = await attempt(check, context);
    if (seen.verdict === "holds" || attempts > check.retries || context.signal.aborted) break;
    await sleep(check.intervalMs, undefined, { signal: context.signal }).catch(() => {});
    if (context.signal.aborted) break;
  }
  if (context.signal.aborted && !isTimeout(context.signal.reason)) context.signal.throwIfAborted();
  const artifacts = seen.artifacts ?? [];
  const result: CheckResult = {
    ...frameOf(check),
    outcome: outcomeOf(seen.verdict, check.severity),
    expected: bounded(seen.expected),
    observed: bounded(seen.observed),
    reason: seen.reason === undefined ? null : bounded(seen.reason),
    startMs,
    durationMs: Math.max(0, context.now() - startMs),
    attempts,
    artifacts: artifacts.map(({ name }) => name),
  };
  return { result, artifacts };
}

/** For a check behind something that went wrong. `atMs`: since the start of the test. */
export function skippedCheck(check: CheckSpec, reason: string, atMs: number): CheckResult {
  const untouched = { expected: "", observed: "", durationMs: 0, attempts: 0, artifacts: [] };
  return { ...frameOf(check), ...untouched, outcome: "skipped", reason: bounded(reason), startMs: Math.max(0, atMs) };
}

/** `info` is told as a warning; the verdict does not look at it. */
export function outcomeOf(verdict: CheckVerdict, severity: Severity): Outcome {
  if (verdict === "holds") return "passed";
  if (verdict === "cannot-tell") return "inconclusive";
  return severity === "fail" ? "failed" : "warned";
}

function frameOf({ id, type, severity, line }: CheckSpec): Pick<CheckResult, "id" | "type" | "severity" | "line"> {
  return { id, type, severity, line: line > 0 ? line : null };
}

async function attempt(check: CheckSpec, context: CheckContext): Promise<Observation> {
  const timeoutMs = timeOfAttempt(check);
  const clock = new AbortController();
  const signal = AbortSignal.any([clock.signal, context.signal]);
  const late = () => clock.abort(new DOMException(`the time of ${timeoutMs} ms is over`, "TimeoutError"));
  const timer = setTimeout(late, timeoutMs);
  const guard = deadline(signal);
  try {
    return await Promise.race([observe(check, context, { signal }), guard.promise]);
  } catch (error) {
    return observationOf(error, check, context, timeoutMs);
  } finally {
    clearTimeout(timer);
    guard.end();
    // Whatever it has left running ends now.
    clock.abort();
  }
}

function observationOf(error: unknown, check: CheckSpec, context: CheckContext, timeoutMs: number): Observation {
  const expected = `the check "${check.id}" can be made`;
  if (context.signal.aborted) {
    return { verdict: "cannot-tell", expected, observed: "", reason: "the test was ended before it was done" };
  }
  if (isEnded(error)) {
    const reason = `not done within ${timeoutMs} ms`;
    return { verdict: whenLate(check.type), expected: `${check.type} within ${timeoutMs} ms`, observed: "", reason };
  }
  const verdict = verdictOfError(error);
  const reason = verdict === "fails" ? "stored or restored data is damaged" : "the check could not be made";
  return { verdict, expected, observed: messageOf(error), reason };
}

/** Rejects a moment after the signal, for a check that does not hear it. */
function deadline(signal: AbortSignal): { promise: Promise<never>; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const promise = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), GRACE_MS);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  promise.catch(() => {});
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  };
  return { promise, end };
}
