// Spans, ages and requirements as the gate's sentences name them.

import type { GateRequirement } from "../config/repriseConfig.js";
import { spanText } from "../evidence/spanText.js";
import { formatInstant } from "../report/amounts.js";
import { shortLine } from "../report/inertText.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Of Date. */
const MAX_TIME_MS = 8.64e15;
const MAX_LIST_CHARS = 300;

/** "just now", "12 minutes ago", "3 hours ago", "yesterday", "5 days ago"; of a span in milliseconds. */
export function agoText(ms: number): string {
  if (ms < MINUTE) return "just now";
  if (ms < HOUR) return `${counted(ms / MINUTE, "minute")} ago`;
  if (ms < DAY) return `${counted(ms / HOUR, "hour")} ago`;
  if (ms < 2 * DAY) return "yesterday";
  return `${counted(ms / DAY, "day")} ago`;
}

/** "from 3 hours ago", "from yesterday". */
export function fromText(ms: number): string {
  return ms < MINUTE ? "from just now" : `from ${agoText(ms)}`;
}

/** "2026-11-21 02:00:00 UTC". */
export function instantText(ms: number): string {
  const isTime = Number.isFinite(ms) && Math.abs(ms) <= MAX_TIME_MS;
  return isTime ? formatInstant(new Date(ms).toISOString()) : "an unknown time";
}

/** For tables. */
export function requirementRows(requirement: GateRequirement): { label: string; value: string }[] {
  const { level, maxBackupAgeMs, maxTestAgeMs, proof, rtoMs, checks, allowWarned, tests } = requirement;
  const rows = [
    { label: "level", value: level },
    { label: "proof", value: proof === "newest" ? "of the newest backup" : "of a recent backup" },
    { label: "backup at most", value: `${spanText(maxBackupAgeMs)} old` },
    { label: "test at most", value: `${spanText(maxTestAgeMs)} ago` },
    { label: "warnings", value: allowWarned ? "allowed" : "not allowed" },
  ];
  if (rtoMs !== null) rows.push({ label: "RTO at most", value: spanText(rtoMs) });
  if (checks.length > 0) rows.push({ label: "checks", value: shortLine(checks.join(", "), MAX_LIST_CHARS) });
  if (tests.length > 0) rows.push({ label: "by the test", value: shortLine(tests.join(", "), MAX_LIST_CHARS) });
  return rows;
}

function counted(amount: number, unit: string): string {
  const whole = Math.floor(amount);
  return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}
