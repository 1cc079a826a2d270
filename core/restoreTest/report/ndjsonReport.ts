// A restore test as events, one JSON object a line, in the order in which things happened. Pure. Text stays what it is; what a
// terminal or a pipeline's runner would obey is written as `\uNNNN`.

import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";

/** `test`, then `phase` and `check` by their end, then `result`. Each has the record's id and a time. */
export function renderNdjson(record: RestoreTestRecord): string {
  const { recordId, runId, asset, plan, backup, times, result, checks, simulated, coverage } = record;
  const startedAtMs = Date.parse(times.startedAt);
  const at = (ms: number) => (Number.isNaN(startedAtMs) ? null : new Date(startedAtMs + ms).toISOString());
  const head = {
    ...{ event: "test", at: times.startedAt, recordId, runId, simulated, machine: asset.machine, level: plan.level },
    snapshot: { id: backup.snapshotId, manifestDigest: backup.manifestDigest, startedAt: backup.startedAt },
  };
  const phases = times.phases.map((phase) => ({ endMs: phase.startMs + phase.durationMs, event: "phase", ...phase }));
  const made = checks.map((check) => ({ endMs: check.startMs + check.durationMs, event: "check", ...check }));
  const middle = [...phases, ...made]
    .sort((a, b) => a.endMs - b.endMs)
    .map(({ endMs, event, ...rest }) => ({ event, at: at(endMs), recordId, ...rest }));
  const { rto, rpoMs, objectives } = times;
  const tail = { event: "result", at: times.finishedAt, recordId, ...result, rto, rpoMs, objectives, coverage };
  return [head, ...middle, tail].map((event) => `${inertJson(event)}\n`).join("");
}

/** Such characters occur in JSON only inside strings, where each may be written by its number. */
function inertJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, unicodeEscapes)
    .replace(/#(?=[\w-]*\[)/g, unicodeEscapes);
}

function unicodeEscapes(char: string): string {
  return Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`).join(
    "",
  );
}
