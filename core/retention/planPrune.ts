// Decides which snapshots of one group a retention policy keeps. Pure: the same snapshots, options, zone and now give
// the same plan, whatever their order. Follows the rules of Proxmox Backup Server's prune exactly for keep-last …
// keep-yearly, and adds keep-within and a rule for snapshots dated in the future. For users: docs/retention.md.

import type { Duration } from "../calendar/duration.js";
import { formatDuration, subtractDuration } from "../calendar/duration.js";
import type { LocalTime, TimeZone } from "../calendar/localTime.js";
import { MAX_TIME_MS, openTimeZone } from "../calendar/localTime.js";
import { RepriseError } from "../errors.js";
import { compareAges, type SnapshotAge } from "../format/snapshotAge.js";
import type { BucketRule } from "./bucket.js";
import { bucketLabel, localTimeText } from "./bucket.js";
import type { CountRule, KeepOptions } from "./prunePolicy.js";
import { COUNT_RULES, checkKeepOptions, hasWithin, keepsEverything } from "./prunePolicy.js";

/** Ids are unique within the call. PruneContext.distrust compares `timeMs` with `storedAtMs`. */
export interface PruneCandidate extends SnapshotAge {
  /** No policy may forget it. */
  protected: boolean;
  /** False for a backup that has not ended, or never will. */
  finished: boolean;
}

/** "keep-partial": an unfinished backup that may still be running. Only "remove" may be forgotten. */
export type PruneMark = "keep" | "remove" | "protected" | "keep-partial";

/** What decided: a counting rule, or "all" (no rule is on) or "none" (no rule selected it). */
export type PruneRule = CountRule | "within" | "protected" | "unfinished" | "future" | "doubtful" | "all" | "none";

export interface PruneDecision {
  id: string;
  timeMs: number;
  mark: PruneMark;
  /** At least one, for people; branch on `mark` and `rule`. */
  reasons: string[];
  rule: PruneRule;
}

export interface PruneContext {
  /** IANA name; days, weeks and so on begin and end in this zone. */
  timeZone: string;
  nowMs: number;
  /** How far ahead of now a snapshot's time may lie before it counts as the future; clocks differ. Default 5 minutes. */
  futureToleranceMs?: number;
  /** Compare claimed times with storedAtMs; absent: believe them. For repositories whose writers may be thieves. */
  distrust?: TimeDistrust;
}

export interface TimeDistrust {
  /** How far the two times may lie apart. */
  toleranceMs: number;
  /** How long after it was stored a snapshot with an older claimed time counts for no rule: time to notice it. */
  settleMs: number;
}

export const DEFAULT_TIME_DISTRUST: TimeDistrust = { toleranceMs: 24 * 60 * 60_000, settleMs: 7 * 24 * 60 * 60_000 };

export const DEFAULT_FUTURE_TOLERANCE_MS = 5 * 60_000;

/** A snapshot on its way to a decision. */
interface Entry {
  readonly candidate: PruneCandidate;
  mark: PruneMark | undefined;
  rule: PruneRule;
  reasons: string[];
  local: LocalTime | undefined;
  /** Goes with whatever is decided. */
  note?: string;
}

/**
 * Decides about all snapshots of one group. The plan is newest first, as the catalog says (compareAges).
 *
 * The order of the rules, each of which only sees what no earlier one has decided:
 * 1. Protected snapshots stay. They use up no count and cover no bucket.
 * 2. Snapshots dated after now + tolerance stay, and for all rules below they do not exist: somebody who can choose the
 *    time of a snapshot must not be able to push real ones out.
 *    With `distrust` the same holds for those that claim a later time than the storage's, and for those that claim an
 *    earlier one and were stored not long ago. Older ones of that kind (copies from elsewhere, or a patient thief's) are
 *    decided by the rules below among themselves, as if the others did not exist, and the others as if they did not.
 * 3. Unfinished ones go, except the newest when nothing finished is newer: it may be running.
 * 4. keep-within keeps every finished snapshot not older than the duration, counted back from now (not from the newest
 *    snapshot, whose time an attacker can choose). It comes first so that what it keeps covers buckets like any other
 *    kept snapshot: `within 30d, monthly 6` is 30 days of everything and then the six months before them.
 * 5. keep-last, hourly, daily, weekly, monthly, yearly. Each first notes the buckets that already hold a kept snapshot
 *    ("covered"), then walks from newest to oldest: a covered bucket is passed over and uses up no count; the first
 *    snapshot of a new bucket is kept; further ones in a bucket taken by this walk are removed, which no later rule
 *    undoes; the walk ends at the first new bucket beyond the count. keep-last treats every snapshot as a bucket.
 * 6. What is left is removed.
 *
 * Without any rule that is on, everything is kept. Throws KEEP_OPTIONS_INVALID, DURATION_INVALID, TIMEZONE_UNKNOWN,
 * TIME_OUT_OF_RANGE, and PRUNE_CANDIDATE_INVALID for a repeated id or a time that is no time.
 */
export function planPrune(
  snapshots: readonly PruneCandidate[],
  keep: KeepOptions,
  context: PruneContext,
): PruneDecision[] {
  const policy = checkKeepOptions(keep);
  const zone = openTimeZone(context.timeZone);
  const entries = newestFirst(snapshots);
  if (keepsEverything(policy)) {
    const why = isTurnedOff(policy) ? "a count of 0 turns a keep rule off, and no other is set" : "no keep rule is set";
    for (const entry of entries) decide(entry, "keep", "all", `${why}: everything is kept`);
  } else {
    const { plausible, backdated } = setDoubtfulAside(setFutureAside(entries, context, zone), context, zone);
    for (const present of [plausible, backdated]) applyRules(present, policy, context, zone);
  }
  return entries.map(toDecision);
}

function isTurnedOff(policy: KeepOptions): boolean {
  return COUNT_RULES.some((rule) => policy[rule] === 0);
}

function applyRules(present: readonly Entry[], policy: KeepOptions, context: PruneContext, zone: TimeZone): void {
  markUnfinished(present);
  if (hasWithin(policy)) markWithin(present, policy.within, context.nowMs, zone);
  for (const rule of COUNT_RULES) {
    const count = policy[rule] ?? 0;
    if (count === 0) continue;
    if (rule === "last") markLast(present, count);
    else markBuckets(present, rule, count, zone);
  }
}

function newestFirst(snapshots: readonly PruneCandidate[]): Entry[] {
  const ids = new Set<string>();
  for (const { id, timeMs } of snapshots) {
    if (ids.has(id)) throw invalidCandidate(id, "is listed twice");
    if (!(Math.abs(timeMs) <= MAX_TIME_MS)) throw invalidCandidate(id, `has no valid time: ${timeMs}`);
    ids.add(id);
  }
  return [...snapshots]
    .sort((a, b) => compareAges(b, a))
    .map((candidate) => ({ candidate, mark: undefined, rule: "none", reasons: [], local: undefined }));
}

function invalidCandidate(id: string, what: string): RepriseError {
  return new RepriseError("invariant", "PRUNE_CANDIDATE_INVALID", `snapshot ${id} ${what}`, { data: { id } });
}

/** Keeps what is dated in the future; returns the others. */
function setFutureAside(entries: readonly Entry[], context: PruneContext, zone: TimeZone): Entry[] {
  const { nowMs, futureToleranceMs = DEFAULT_FUTURE_TOLERANCE_MS } = context;
  const latestMs = nowMs + futureToleranceMs;
  if (!Number.isFinite(latestMs)) {
    throw new RepriseError("usage", "TIME_OUT_OF_RANGE", "the present time is not a time", { data: { nowMs } });
  }
  const present: Entry[] = [];
  for (const entry of entries) {
    if (entry.candidate.timeMs <= latestMs) {
      present.push(entry);
      continue;
    }
    const when = `${localTimeText(localTimeOf(entry, zone))} ${zone.name}`;
    decide(entry, "keep", "future", `time lies in the future: ${when}; kept, counts for no rule`);
  }
  return present;
}

/** Keeps those whose times contradict the storage's in a way that could push out others. */
function setDoubtfulAside(
  entries: readonly Entry[],
  { distrust, nowMs }: PruneContext,
  zone: TimeZone,
): { plausible: Entry[]; backdated: Entry[] } {
  const sorted = { plausible: [] as Entry[], backdated: [] as Entry[] };
  for (const entry of entries) {
    const { timeMs, storedAtMs } = entry.candidate;
    if (distrust === undefined || storedAtMs === undefined || Math.abs(storedAtMs - timeMs) <= distrust.toleranceMs) {
      sorted.plausible.push(entry);
      continue;
    }
    const stored = `stored ${localTimeText(zone.localTime(storedAtMs))} ${zone.name}`;
    const isSettled = timeMs < storedAtMs && nowMs - storedAtMs > distrust.settleMs;
    if (isSettled) {
      entry.note = `${stored}, later than its time: decided among such snapshots only`;
      sorted.backdated.push(entry);
    } else {
      const how = timeMs < storedAtMs ? "later than its time" : "before its time";
      decide(entry, "keep", "doubtful", `${stored}, ${how}; kept, counts for no rule`);
    }
  }
  return sorted;
}

function markUnfinished(present: readonly Entry[]): void {
  let newer: "nothing" | "an unfinished" | "a finished" = "nothing";
  for (const entry of present) {
    if (entry.candidate.finished) {
      newer = "a finished";
      continue;
    }
    if (newer === "nothing") {
      decide(entry, "keep-partial", "unfinished", "unfinished, nothing newer exists: it may still be running");
      newer = "an unfinished";
    } else {
      const kind = newer === "a finished" ? "finished" : "unfinished";
      decide(entry, "remove", "unfinished", `unfinished, a newer ${kind} snapshot exists`);
    }
  }
}

function markWithin(present: readonly Entry[], within: Duration, nowMs: number, zone: TimeZone): void {
  const oldestMs = subtractDuration(nowMs, within, zone);
  const reason = `within ${formatDuration(within)}`;
  for (const entry of present) {
    if (isOpen(entry) && entry.candidate.timeMs >= oldestMs) decide(entry, "keep", "within", reason);
  }
}

function markLast(present: readonly Entry[], count: number): void {
  let taken = 0;
  for (const entry of present) {
    if (taken === count) return;
    if (!isOpen(entry)) continue;
    taken += 1;
    decide(entry, "keep", "last", `keep-last ${taken} of ${count}`);
  }
}

function markBuckets(present: readonly Entry[], rule: BucketRule, count: number, zone: TimeZone): void {
  const labelOf = (entry: Entry) => bucketLabel(rule, localTimeOf(entry, zone));
  const covered = coveredBuckets(present, labelOf);
  const taken = new Set<string>();
  for (const [index, entry] of present.entries()) {
    if (!isOpen(entry)) continue;
    const label = labelOf(entry);
    const coveredBy = covered.get(label);
    if (coveredBy !== undefined) {
      entry.reasons.push(`${label} already has a ${coveredBy < index ? "newer" : "kept"} snapshot (${rule})`);
    } else if (taken.has(label)) {
      decide(entry, "remove", rule, ...entry.reasons, `${label} already has a newer snapshot (${rule})`);
    } else {
      if (taken.size === count) return;
      taken.add(label);
      const isNewest = index === 0 || labelOf(present[index - 1]!) !== label;
      const which = isNewest ? "newest" : "newest remaining";
      decide(entry, "keep", rule, `keep-${rule} ${taken.size} of ${count}: ${which} of ${label}`);
    }
  }
}

/** The buckets that hold a kept snapshot, each with the position of the newest one. */
function coveredBuckets(present: readonly Entry[], labelOf: (entry: Entry) => string): Map<string, number> {
  const covered = new Map<string, number>();
  for (const [index, entry] of present.entries()) {
    if (entry.mark !== "keep") continue;
    const label = labelOf(entry);
    if (!covered.has(label)) covered.set(label, index);
  }
  return covered;
}

/** Still to be decided by a rule. */
function isOpen(entry: Entry): boolean {
  return entry.mark === undefined && !entry.candidate.protected;
}

function decide(entry: Entry, mark: PruneMark, rule: PruneRule, ...reasons: string[]): void {
  entry.mark = mark;
  entry.rule = rule;
  entry.reasons = reasons;
}

function localTimeOf(entry: Entry, zone: TimeZone): LocalTime {
  entry.local ??= zone.localTime(entry.candidate.timeMs);
  return entry.local;
}

function toDecision({ candidate, mark, rule, reasons: found, note }: Entry): PruneDecision {
  const { id, timeMs } = candidate;
  const reasons = note === undefined ? found : [...found, note];
  if (candidate.protected) return { id, timeMs, mark: "protected", reasons: ["protected"], rule: "protected" };
  if (mark !== undefined) return { id, timeMs, mark, reasons, rule };
  return { id, timeMs, mark: "remove", reasons: reasons.length > 0 ? reasons : ["not selected by any rule"], rule };
}
