// Snapshots grouped by the day on which they were made.

import type { SnapshotData } from "../service/protocol.js";
import { dayNumber } from "./words.js";

export interface SnapshotDay {
  /** Of the calendar; the same for all in it. */
  day: number;
  /** Newest first. */
  snapshots: readonly SnapshotData[];
}

/** Newest first, as the snapshots are. */
export function groupByDay(snapshots: readonly SnapshotData[], timeZone?: string): SnapshotDay[] {
  const days: { day: number; snapshots: SnapshotData[] }[] = [];
  for (const snapshot of snapshots) {
    const day = dayNumber(snapshot.timeMs, timeZone);
    const last = days.at(-1);
    if (last?.day === day) last.snapshots.push(snapshot);
    else days.push({ day, snapshots: [snapshot] });
  }
  return days;
}
