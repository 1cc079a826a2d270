// What went wrong, as a report like any other: the summary, the outputs and the annotations of a failure come from the same place as
// those of a success.

import { isAbort, isOurError, JOB_REPORT_SCHEMA, type JobReport, type ReportProblem } from "../core/index.js";
import type { InputMistake } from "./inputReader.js";
import type { Command } from "./inputs.js";

export interface ReportFrame {
  command: Command;
  startedAt: string;
  finishedAt: string;
  dryRun: boolean;
  url: string | null;
  version: string;
}

export interface Failure {
  report: JobReport;
  errorCode: string;
}

/** Of inputs that cannot be used. */
export function mistakesReport(frame: ReportFrame, mistakes: readonly InputMistake[]): Failure {
  const problems = mistakes.map(({ input, message, hint }) =>
    problemOf({ code: "INPUT_INVALID", message: `input ${input} ${message}`, hint }),
  );
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const verdict = `${first?.message ?? "the inputs are wrong"}${more}`;
  return { report: emptyReport(frame, "failed", verdict, problems), errorCode: "INPUT_INVALID" };
}

/** Of an error of a command, or of its being cancelled. */
export function errorReport(frame: ReportFrame, error: unknown): Failure {
  if (isAbort(error)) {
    const verdict = "cancelled; what was finished before counts, and the next run goes on from there";
    return { report: emptyReport(frame, "cancelled", verdict, []), errorCode: "INTERRUPTED" };
  }
  const { code, message, hint } = wordsOf(error);
  const problems = problemsOf(error) ?? [problemOf({ code, message, hint })];
  const verdict = message.split("\n", 1)[0] as string;
  return { report: emptyReport(frame, "failed", verdict, problems), errorCode: code };
}

export function problemOf(problem: Partial<ReportProblem> & Pick<ReportProblem, "code" | "message">): ReportProblem {
  const nowhere = { machine: null, file: null, line: null, column: null };
  return { severity: "error", hint: null, ...nowhere, ...problem };
}

function wordsOf(error: unknown): { code: string; message: string; hint: string | null } {
  if (isOurError(error)) return { code: error.code, message: error.message, hint: error.hint ?? null };
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "INTERNAL_ERROR",
    message,
    hint: "this is a mistake in Reprise; log-level: debug shows where it came from",
  };
}

interface Mistake {
  line: number;
  column: number;
  message: string;
  /** When it is in another file, one that the first names. */
  file?: string;
}

/** Of a file with mistakes in it: each on its line. Null: the error is about something else. */
function problemsOf(error: unknown): ReportProblem[] | null {
  if (!isOurError(error)) return null;
  const { file, problems } = error.data as { file?: unknown; problems?: unknown };
  if (typeof file !== "string" || !Array.isArray(problems) || problems.length === 0) return null;
  const mistakes = problems as Mistake[];
  // the error as a whole is about the file of its first problem
  const ownFile = mistakes[0]?.file === undefined ? file : null;
  return mistakes.map((mistake) => {
    const { line, column, message } = mistake;
    const place = { file: mistake.file ?? ownFile, line, column };
    return problemOf({ code: error.code, message, hint: error.hint ?? null, ...place });
  });
}

function emptyReport(
  frame: ReportFrame,
  outcome: JobReport["outcome"],
  verdict: string,
  problems: ReportProblem[],
): JobReport {
  return {
    schema: JOB_REPORT_SCHEMA,
    command: frame.command === "report" ? "run" : frame.command,
    job: null,
    tool: { name: "reprise", version: frame.version },
    repository: null,
    startedAt: frame.startedAt,
    finishedAt: frame.finishedAt,
    dryRun: frame.dryRun,
    url: frame.url,
    outcome,
    verdict,
    machines: [],
    facts: [],
    gate: null,
    plan: null,
    problems,
    trends: [],
  };
}
