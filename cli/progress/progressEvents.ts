// Progress as JSON lines, thinned out: the first and the last event of each phase always, others ten times a second.

import type { OnProgress, ProgressEvent } from "../../core/index.js";

export const MIN_INTERVAL_MS = 100;

export function throttledEvents(
  emit: (event: object) => void,
  now: () => number = () => performance.now(),
): OnProgress {
  let phase = "";
  let lastAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    const isNew = phaseOf(event) !== phase;
    const isLast = event.total !== undefined && event.done >= event.total;
    if (!isNew && !isLast && now() - lastAt < MIN_INTERVAL_MS) return;
    phase = phaseOf(event);
    lastAt = now();
    emit({ type: "progress", ...event });
  };
}

export function phaseOf({ operation, phase, subject, unit }: ProgressEvent): string {
  return [operation, phase, subject ?? "", unit].join("\n");
}
