// The table of machines: which columns a report has, and what stands in them. Each form of a report makes the text safe for its own
// medium and gives it its looks.

import type { Outcome } from "../format/restoreTestRecord.js";
import { formatBytes, formatDuration, formatMinute } from "../report/amounts.js";
import type { JobReport, MachineReportLine } from "./jobReport.js";
import { ageBetween, ageOf, agoOf, amountOf, durationOf, isInFuture, objectiveOf, shortId } from "./reportWords.js";

export interface Cell {
  text: string;
  /** From elsewhere: a name, a reason. */
  foreign: boolean;
  /** Smaller, below or behind. */
  note: string;
  /** Whether what was asked for was met; null: nothing was asked. */
  met: boolean | null;
  outcome: Outcome | null;
}

export interface Column {
  title: string;
  cell: (line: MachineReportLine) => Cell | null;
}

/** Those in which at least one of the lines has something to tell. The first is the machine, the last the reason. */
export function columnsOf(report: JobReport, lines: readonly MachineReportLine[] = report.machines): Column[] {
  const all: Column[] = [
    { title: "Machine", cell: (line) => machineCell(line, report) },
    { title: "Result", cell: ({ outcome }) => cellOf(outcome, { outcome }) },
    { title: "Snapshot", cell: snapshotCell },
    { title: "Backup age", cell: (line) => backupAge(line, report) },
    { title: "New", cell: newCell },
    { title: "Verified", cell: verifiedCell },
    { title: "Proven", cell: provenCell },
    { title: "RTO", cell: rtoCell },
    { title: "RPO", cell: rpoCell },
    { title: "Took", cell: tookCell },
    { title: "Reason", cell: ({ reason }) => (reason === "" ? null : cellOf(reason, { foreign: true })) },
  ];
  return all.filter(({ cell }) => lines.some((line) => cell(line) !== null));
}

function cellOf(text: string, given: Partial<Cell> = {}): Cell {
  return { text, foreign: false, note: "", met: null, outcome: null, ...given };
}

function machineCell({ machine, job, state }: MachineReportLine, report: JobReport): Cell {
  const notes = [
    job === null || job === report.job ? "" : job,
    state === null ? "" : state.owner,
    state === null || state.criticality === "" ? "" : `${state.criticality} criticality`,
  ];
  return cellOf(machine, { foreign: true, note: notes.filter((note) => note !== "").join(", ") });
}

function snapshotCell({ snapshot, state, backup }: MachineReportLine): Cell | null {
  const shown = snapshot ?? state?.newest ?? null;
  if (shown === null) return state === null ? null : cellOf("none", { met: false });
  const kept = backup?.protected === true || state?.newest?.protected === true;
  const notes = [
    formatMinute(shown.time),
    kept ? "protected" : "",
    state === null ? "" : amountOf(state.snapshots, "snapshot"),
  ];
  return cellOf(shortId(shown.id), { foreign: true, note: notes.filter((note) => note !== "").join(", ") });
}

function backupAge({ snapshot, state, backup }: MachineReportLine, { finishedAt }: JobReport): Cell | null {
  if (state !== null) return state.newest === null ? null : ageCell(state.newest.ageMs);
  // What a backup has just made is not old.
  if (snapshot === null || backup !== null) return null;
  const ageMs = ageBetween(snapshot.time, finishedAt);
  return ageMs === null ? null : ageCell(ageMs);
}

/** A time to come is no age: a clock is wrong, or somebody lies. */
function ageCell(ms: number): Cell {
  return cellOf(ageOf(ms), { met: isInFuture(ms) ? false : null });
}

function newCell({ backup }: MachineReportLine): Cell | null {
  if (backup === null) return null;
  return cellOf(formatBytes(backup.addedBytes), { note: `of ${formatBytes(backup.sizeBytes)}` });
}

function verifiedCell({ verification, state }: MachineReportLine): Cell | null {
  if (verification !== null) {
    const { level, result, damagedRanges } = verification;
    if (result === "ok") return cellOf(level, { met: true });
    return cellOf("damaged", { met: false, note: `${damagedRanges} ranges` });
  }
  const known = state?.newest?.verification;
  if (known === undefined) return null;
  return known === "none" ? cellOf("never") : cellOf(known, { met: known === "ok" });
}

function provenCell({ test, state }: MachineReportLine): Cell | null {
  if (test !== null) {
    const proven = test.provenLevel ?? "nothing";
    return cellOf(proven, {
      met: proven === test.level,
      note: proven === test.level ? "" : `asked for: ${test.level}`,
    });
  }
  if (state === null) return null;
  const { lastTest } = state;
  if (lastTest === null) return cellOf("never");
  const which = lastTest.ofNewest ? "" : ", of an older snapshot";
  const good = lastTest.outcome === "passed" || lastTest.outcome === "warned";
  return cellOf(lastTest.provenLevel ?? "nothing", { met: good, note: `${agoOf(lastTest.ageMs)}${which}` });
}

/** Of a restore test the time that matters is the recovery time. */
function tookCell({ durationMs, test }: MachineReportLine): Cell | null {
  return durationMs > 0 && test === null ? cellOf(formatDuration(durationMs)) : null;
}

function rtoCell({ test, state }: MachineReportLine): Cell | null {
  if (test !== null) {
    const { rtoMs, rtoMet } = test.objectives;
    return cellOf(durationOf(test.rtoMs), { met: rtoMet, note: objectiveOf(rtoMs) });
  }
  const known = state?.lastTest?.rtoMs ?? null;
  return known === null ? null : cellOf(formatDuration(known));
}

function rpoCell({ test }: MachineReportLine): Cell | null {
  if (test === null) return null;
  const { rpoMs, rpoMet } = test.objectives;
  return cellOf(durationOf(test.rpoMs), { met: rpoMet, note: objectiveOf(rpoMs) });
}
