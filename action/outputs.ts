// Reports as the outputs that action.yml names: everything that a later step may branch on. Pure.

import { type JobReport, type MachineReportLine, TEST_LEVELS, type TestReportPart } from "../core/index.js";

export const OUTPUT_NAMES = [
  "result",
  "verdict",
  "error-code",
  "machines",
  "snapshot-id",
  "manifest-digest",
  "added-bytes",
  "read-bytes",
  "restore-seconds",
  "rto-seconds",
  "rto-met",
  "rpo-met",
  "proven-level",
  "backup-age-seconds",
  "gate-decision",
  "gate-reason",
  "matrix",
  "due",
  "any-due",
  "report-folder",
  "report-json",
  "report-html",
  "report-summary",
  "attestation-path",
  "evidence-commit",
] as const;
export type OutputName = (typeof OUTPUT_NAMES)[number];
export type Outputs = Partial<Record<OutputName, string>>;

/** Of `machines`: the runner takes outputs of up to 1 MiB. */
const MAX_MACHINES_CHARS = 512 * 1024;
const MAX_REASON_CHARS = 16 * 1024;

/** Outputs of what the reports say; those that do not apply are left out. */
export function outputsOf(report: JobReport, errorCode: string): Outputs {
  return {
    result: report.outcome,
    verdict: report.verdict,
    "error-code": errorCode,
    machines: machinesJson(report.machines),
    ...backupOutputs(report.machines),
    ...testOutputs(report.machines),
    ...gateOutputs(report),
    ...planOutputs(report),
  };
}

/** Screenshots are files of the report folder. */
function machinesJson(machines: readonly MachineReportLine[]): string {
  const lines = machines.map((line) => ({
    ...line,
    test: line.test === null ? null : { ...line.test, screenshot: null },
  }));
  const text = JSON.stringify(lines);
  if (text.length <= MAX_MACHINES_CHARS) return text;
  return JSON.stringify(
    machines.map(({ machine, outcome, reason }) => ({ machine, outcome, reason: reason.slice(0, 200) })),
  );
}

function backupOutputs(machines: readonly MachineReportLine[]): Outputs {
  const snapshots = distinct(machines.flatMap(({ snapshot }) => (snapshot === null ? [] : [snapshot.id])));
  const one = snapshots.length === 1 ? machines.find(({ snapshot }) => snapshot !== null)?.snapshot : undefined;
  const backups = machines.flatMap(({ backup }) => (backup === null ? [] : [backup]));
  const ages = machines.flatMap(({ state }) => (state?.newest ? [state.newest.ageMs] : []));
  return {
    ...(one ? { "snapshot-id": one.id, "manifest-digest": one.digest } : {}),
    ...(backups.length === 0
      ? {}
      : {
          "added-bytes": String(sum(backups.map(({ addedBytes }) => addedBytes))),
          "read-bytes": String(sum(backups.map(({ readBytes }) => readBytes))),
        }),
    ...(ages.length === 0 ? {} : { "backup-age-seconds": seconds(Math.max(...ages)) }),
  };
}

function testOutputs(machines: readonly MachineReportLine[]): Outputs {
  const tests = machines.flatMap(({ test }) => (test === null ? [] : [test]));
  if (tests.length === 0) return {};
  const restores = tests.flatMap(({ restoreMs }) => (restoreMs === null ? [] : [restoreMs]));
  const recoveries = tests.flatMap(({ rtoMs }) => (rtoMs === null ? [] : [rtoMs]));
  return {
    ...(restores.length === 0 ? {} : { "restore-seconds": fine(Math.max(...restores)) }),
    ...(recoveries.length === 0 ? {} : { "rto-seconds": fine(Math.max(...recoveries)) }),
    ...met(
      "rto-met",
      tests.map(({ objectives }) => objectives.rtoMet),
    ),
    ...met(
      "rpo-met",
      tests.map(({ objectives }) => objectives.rpoMet),
    ),
    "proven-level": lowestLevel(tests),
  };
}

function met(name: "rto-met" | "rpo-met", each: readonly (boolean | null)[]): Outputs {
  const known = each.filter((value) => value !== null);
  return known.length === 0 ? {} : { [name]: String(known.every((value) => value)) };
}

function lowestLevel(tests: readonly TestReportPart[]): string {
  const ranks = tests.map(({ provenLevel }) => (provenLevel === null ? -1 : TEST_LEVELS.indexOf(provenLevel)));
  return TEST_LEVELS[Math.min(...ranks)] ?? "none";
}

function gateOutputs({ command, gate, verdict }: JobReport): Outputs {
  if (gate === null) return command === "gate" ? { "gate-decision": "blocked", "gate-reason": verdict } : {};
  const lines = gate.machines.map(
    ({ machine, reasons }) => `${machine}: ${reasons.map(({ message }) => message).join("; ")}`,
  );
  const reason = lines.length === 0 ? verdict : lines.join("\n");
  return { "gate-decision": gate.decision, "gate-reason": reason.slice(0, MAX_REASON_CHARS) };
}

function planOutputs({ command, plan }: JobReport): Outputs {
  if (plan === null) return {};
  const due = distinct(plan.runs.filter((run) => run.due).map(({ job }) => job));
  const matrix = command === "plan" ? { matrix: JSON.stringify({ include: plan.matrix }) } : {};
  return { ...matrix, due: JSON.stringify(due), "any-due": String(due.length > 0) };
}

function seconds(spanMs: number): string {
  return String(Math.round(spanMs / 1000));
}

/** Of things that may take less than a second. */
function fine(spanMs: number): string {
  return String(Math.round(spanMs) / 1000);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
