// What a job tells while it goes on, as lines of a log.

import type { JobEvent, TestEvent } from "../core/index.js";

const SIGNS: Readonly<Record<string, string>> = { passed: "✓", failed: "✗", skipped: "–" };

/** Null: not worth a line. */
export function eventLine(event: JobEvent): string | null {
  switch (event.event) {
    case "job-started":
      return `job ${event.job} (${event.command})${event.machines.length === 0 ? "" : `: ${event.machines.join(", ")}`}`;
    case "machine-started":
      return `  ${event.machine} …`;
    case "machine-finished":
      return `  ${event.machine}: ${event.outcome}${event.reason === "" ? "" : `: ${event.reason}`}`;
    case "job-finished":
      return `job ${event.job}: ${event.outcome}: ${event.verdict}`;
    case "test":
      return testLine(event.detail);
  }
}

function testLine(event: TestEvent): string | null {
  if (event.event === "machine-started") return `  ${event.machine}: ${event.snapshot}, to the level ${event.level}`;
  if (event.event === "phase") {
    const { phase, state, durationMs } = event;
    return state === "finished" && durationMs !== null ? `    ${phase}: ${seconds(durationMs)}` : null;
  }
  if (event.event !== "check") return null;
  const { id, outcome, reason, durationMs } = event.result;
  const why = reason === null || outcome === "passed" ? "" : `: ${reason}`;
  return `    ${SIGNS[outcome] ?? "!"} ${id} ${seconds(durationMs)}${why}`;
}

function seconds(spanMs: number): string {
  return `${(spanMs / 1000).toFixed(1)} s`;
}
