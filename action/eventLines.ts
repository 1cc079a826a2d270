// What a job tells while it goes on, as lines of a log.

import type { JobEvent } from "../core/index.js";

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
    default:
      return null;
  }
}
