// What comes after a job: its evidence is published, and then people are told, also of that. The work itself is done by now.

import { isAbort, isOurError } from "../errors.js";
import type { PublishReport } from "../evidenceBranch/publishEvidence.js";
import type { JobReport, ReportProblem } from "../jobReport/jobReport.js";
import { worstOutcome } from "../jobReport/reportWords.js";
import { findJob } from "./configJobs.js";
import { reasonOf } from "./jobLog.js";
import type { JobOptions, JobRequest, JobRun } from "./jobRequest.js";
import { notifyPeople, type SecretReader } from "./notify/notify.js";
import { publishEnvelopes } from "./publishEnvelopes.js";

export interface RunOptions extends JobOptions {
  /** Inside of the clone that evidence is published with; null: nothing is published. */
  gitFolder: string | null;
  /** Evidence that cannot be published, or signed, fails the job; else that is a warning, and without a key nothing is published. */
  mustPublish?: boolean;
  /** For notifications. */
  secret: SecretReader;
}

type Told = Pick<ReportProblem, "severity" | "code" | "message" | "hint">;

/** Of a dry run nothing is published, and nobody is told. */
export async function completeRun(request: JobRequest, run: JobRun, options: RunOptions): Promise<JobRun> {
  const { config, dryRun } = request;
  if (dryRun) return run;
  const job = findJob(config, request.job);
  const problems: ReportProblem[] = [];
  const add = (problem: Told) => {
    options.onWarning(problem);
    problems.push({ ...problem, machine: null, file: config.fileName, line: job.line, column: null });
  };
  const published = await publish(request, run, options, add);
  const told = await notifyPeople(config, job, withProblems(run.report, problems), options).catch(passAbort);
  for (const warning of told) add({ severity: "warning", ...warning });
  return { ...run, published, report: withProblems(run.report, problems) };
}

async function publish(
  { config, job, signingKeys }: JobRequest,
  { envelopes, evidenceProblem }: JobRun,
  { gitFolder, environment, signal, mustPublish = false }: RunOptions,
  add: (problem: Told) => void,
): Promise<PublishReport | null> {
  if (!config.evidence.publish || gitFolder === null) return null;
  if (mustPublish && signingKeys.length === 0) add(KEY_MISSING);
  // a sync has nothing to sign: see runJob
  else if (mustPublish && evidenceProblem !== null && findJob(config, job).command !== "sync")
    add({ severity: "error", ...NOT_PUBLISHED, message: `not all of the evidence was signed: ${evidenceProblem}` });
  if (envelopes.length === 0) return null;
  const by = `${environment.host} (${environment.tool.name} ${environment.tool.version})`;
  const calls = { signal, now: () => environment.now() };
  try {
    const published = await publishEnvelopes(config, { envelopes, signingKeys, gitFolder, by }, calls);
    if (published.left > 0) add({ severity: mustPublish ? "error" : "warning", ...LEFT, message: leftText(published) });
    return published;
  } catch (error) {
    if (isAbort(error)) return null;
    const hint = (isOurError(error) ? error.hint : undefined) ?? NOT_PUBLISHED.hint;
    const message = `the evidence was not published: ${reasonOf(error)}`;
    add({ severity: mustPublish ? "error" : "warning", ...NOT_PUBLISHED, message, hint });
    return null;
  }
}

const NOT_PUBLISHED: Pick<Told, "code"> & { hint: string } = {
  code: "EVIDENCE_NOT_PUBLISHED",
  hint: "what tests have found is in the repository: publish it later with reprise evidence publish",
};

const LEFT: Pick<Told, "code" | "hint"> = {
  code: "EVIDENCE_NOT_PUBLISHED",
  hint: "the next publication of a job carries on with them",
};

function leftText({ added, left }: PublishReport): string {
  return `${added.length} statements were published, and ${left} more are too many for one publication`;
}

const KEY_MISSING: Told = {
  severity: "error",
  code: "SIGNING_KEY_MISSING",
  message: "evidence has to be published, and there is no signing key",
  hint: "set REPRISE_SIGNING_KEY in the environment; reprise key signing generate makes one",
};

function withProblems(report: JobReport, problems: readonly ReportProblem[]): JobReport {
  const [first] = problems;
  if (first === undefined) return report;
  const worst = problems.some(({ severity }) => severity === "error") ? "failed" : "warned";
  const outcome = worstOutcome([report.outcome, worst]);
  const verdict = report.outcome === "passed" ? `${report.verdict}; ${first.message}` : report.verdict;
  return { ...report, outcome, verdict, problems: [...report.problems, ...problems] };
}

/** An abort while people are told: the job is done, and whoever waits sees the signal. */
function passAbort(error: unknown): [] {
  if (isAbort(error)) return [];
  throw error;
}
