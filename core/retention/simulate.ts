// Tries a retention policy on a list of times instead of a repository: checks the list, then asks planPrune. Reads no
// file and no clock; the caller passes the parsed JSON and now.

import { parseIsoInstant } from "../calendar/isoInstant.js";
import { RepriseError } from "../errors.js";
import type { PruneCandidate, PruneContext, PruneMark } from "./planPrune.js";
import { planPrune } from "./planPrune.js";
import type { KeepOptions } from "./prunePolicy.js";

export interface SimulatedDecision {
  /** As given: a text stays a text, a number a number. */
  time: string | number;
  mark: PruneMark;
  reasons: string[];
}

export const MAX_SIMULATED_SNAPSHOTS = 1_000_000;

/** Years 0000 to 9999, the range of the texts. A count of milliseconds for a time of today lies outside. */
const MIN_UNIX_SECONDS = -62_167_219_200;
const MAX_UNIX_SECONDS = 253_402_300_799;
/** Same width for every position, so that ids sort like positions. */
const ID_DIGITS = String(MAX_SIMULATED_SNAPSHOTS).length;

/**
 * Marks a list `[{"time", "protected"?, "finished"?}]`. `time` is ISO 8601 with a zone or offset, or Unix seconds;
 * `protected` is false and `finished` true when absent; other members are ignored, so that a listing can be passed as it
 * is. The answer is in the order of the input. Of equal times the later element counts as newer. Elements later than
 * `nowMs` are treated as snapshots from the future, which a policy always keeps: for a list that plans ahead, pass a
 * `nowMs` after its last time. Throws SIMULATION_INVALID, naming the element, and what planPrune throws.
 */
export function simulatePrune(input: unknown, keep: KeepOptions, context: PruneContext): SimulatedDecision[] {
  if (!Array.isArray(input)) throw invalid("the list of snapshots is not a JSON array", {});
  if (input.length > MAX_SIMULATED_SNAPSHOTS) {
    throw invalid(`the list holds ${input.length} snapshots, more than ${MAX_SIMULATED_SNAPSHOTS}`, {});
  }
  const candidates = Array.from(input as unknown[], readElement);
  const answer = new Array<SimulatedDecision>(candidates.length);
  for (const { id, mark, reasons } of planPrune(candidates, keep, context)) {
    const index = Number(id);
    answer[index] = { time: (input[index] as { time: string | number }).time, mark, reasons };
  }
  return answer;
}

function readElement(element: unknown, index: number): PruneCandidate {
  if (typeof element !== "object" || element === null || Array.isArray(element)) {
    throw invalid(`element ${index} is not an object`, { index });
  }
  const { time, protected: isProtected, finished } = element as Record<string, unknown>;
  return {
    id: String(index).padStart(ID_DIGITS, "0"),
    timeMs: readTime(time, index),
    protected: readFlag(isProtected, false, "protected", index),
    finished: readFlag(finished, true, "finished", index),
  };
}

function readTime(time: unknown, index: number): number {
  if (typeof time === "number") {
    if (time >= MIN_UNIX_SECONDS && time <= MAX_UNIX_SECONDS) return Math.round(time * 1000);
    throw invalid(`element ${index}: ${time} is not a time in Unix seconds of the years 0 to 9999`, { index, time });
  }
  if (typeof time !== "string") throw invalid(`element ${index}: "time" is missing, or no text or number`, { index });
  const timeMs = parseIsoInstant(time);
  if (timeMs !== undefined) return timeMs;
  const shown = time.slice(0, 60);
  throw invalid(`element ${index}: "${shown}" is not an ISO 8601 time with a zone`, { index, time: shown });
}

function readFlag(value: unknown, whenAbsent: boolean, name: string, index: number): boolean {
  if (value === undefined) return whenAbsent;
  if (typeof value === "boolean") return value;
  throw invalid(`element ${index}: "${name}" is neither true nor false`, { index });
}

function invalid(message: string, data: Record<string, unknown>): RepriseError {
  return new RepriseError("usage", "SIMULATION_INVALID", message, {
    data,
    hint: 'pass a JSON array such as [{"time": "2026-11-20T02:00:00Z", "protected": false, "finished": true}]',
  });
}
