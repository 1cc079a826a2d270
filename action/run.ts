// One step of a workflow from inputs to its end: what every command has in common. Nothing that a command does gets past it: errors,
// a signal and wrong inputs end in the same outputs, summary, reports and annotations as a success.

import { type JobReport, redactReport, renderJobText, renderSummary } from "../core/index.js";
import { annotateProblems } from "./annotations.js";
import type { Done } from "./commandStep.js";
import { carryOut } from "./commands.js";
import { withoutInputPlaces } from "./configuration.js";
import { type PipelineEvent, readEvent } from "./event.js";
import { errorReport, mistakesReport, type ReportFrame } from "./failure.js";
import { COMMANDS, type FailOn, type Inputs, readInputs } from "./inputs.js";
import { provideTools } from "./installTools.js";
import { type Outputs, outputsOf } from "./outputs.js";
import { fillReportFolder, makeReportFolder } from "./reportFolder.js";
import type { Runner } from "./runner.js";
import { hideGivenSecrets } from "./secretInputs.js";
import { secretsOf } from "./secrets.js";
import { VERSION } from "./version.js";

/** How a step ended. */
interface Ended extends Done {
  /** Why the command could not be carried out; empty: it was. */
  errorCode: string;
}

/** Never rejects for anything that a command does. */
export async function run(runner: Runner, signal: AbortSignal): Promise<void> {
  for (const secret of secretsOf(runner.env)) runner.hide(secret);
  const given = runner.inputs();
  hideGivenSecrets(runner, given);
  const event = await readEvent(runner.env);
  const read = readInputs(given);
  const command = COMMANDS.find((name) => name === given.values.get("command")?.trim().toLowerCase()) ?? "run";
  const startedAt = new Date().toISOString();
  const frame = (): ReportFrame => ({
    ...{ command, startedAt, finishedAt: new Date().toISOString() },
    ...{ dryRun: "inputs" in read && read.inputs.dryRun, url: event.url, version: VERSION },
  });
  if ("mistakes" in read) {
    const folder = await makeReportFolder(runner, read.reportFolder).catch(() => null);
    await leave(runner, null, folder, { ...mistakesReport(frame(), read.mistakes), statements: [], outputs: {} });
    return;
  }
  await runCommand(runner, read.inputs, { event, signal, frame });
}

interface Surroundings {
  event: PipelineEvent;
  signal: AbortSignal;
  frame(): ReportFrame;
}

async function runCommand(runner: Runner, inputs: Inputs, { event, signal, frame }: Surroundings): Promise<void> {
  let reportFolder: string | null = null;
  let ended: Ended;
  try {
    signal.throwIfAborted();
    reportFolder = await makeReportFolder(runner, inputs.reportFolder);
    await provideTools(runner, inputs.command, inputs.installTools);
    ended = { ...(await carryOut({ runner, inputs, event, signal, reportFolder })), errorCode: "" };
  } catch (error) {
    if (inputs.logLevel === "debug" && error instanceof Error) runner.log(error.stack ?? error.message);
    ended = { ...errorReport(frame(), error), statements: [], outputs: {} };
  }
  await leave(runner, inputs, reportFolder, { ...ended, report: withoutInputPlaces(ended.report) });
}

/** `reportFolder`: null for one that cannot be made. */
async function leave(runner: Runner, inputs: Inputs | null, reportFolder: string | null, ended: Ended): Promise<void> {
  const report = redactReport(ended.report, (text) => runner.redact(text));
  const summary = summaryOf(report);
  const files = reportFolder === null ? {} : await fillReportFolder(reportFolder, { ...ended, report, summary });
  await finish(runner, inputs, { ...ended, report, outputs: { ...files, ...ended.outputs } });
}

async function finish(runner: Runner, inputs: Inputs | null, { report, errorCode, outputs }: Ended): Promise<void> {
  const all: Outputs = { ...outputsOf(report, errorCode || firstErrorOf(report)), ...outputs };
  for (const [name, value] of Object.entries(all)) runner.setOutput(name, value);
  annotateProblems(runner, report);
  if (inputs?.summary !== false) await showSummary(runner, report);
  await runner.group("Report", async () => runner.log(renderJobText(report)));
  const verdict = `${report.command}: ${report.outcome}: ${report.verdict}`;
  runner.log(verdict);
  if (errorCode === "" && !isFailure(report.outcome, inputs?.failOn ?? "inconclusive")) return;
  // what an annotation says already is not said twice
  const isTold = report.problems.some(({ severity }) => severity === "error");
  runner.fail(isTold ? null : verdict);
}

async function showSummary(runner: Runner, report: JobReport): Promise<void> {
  const summary = summaryOf(report);
  if (await runner.writeSummary(summary)) return;
  // servers without summaries: whoever looks for the result finds it in the log
  await runner.group("Summary", async () => runner.log(summary));
}

function summaryOf(report: JobReport): string {
  return renderSummary([report], {});
}

function firstErrorOf({ outcome, problems }: JobReport): string {
  if (outcome === "cancelled") return "INTERRUPTED";
  return problems.find(({ severity }) => severity === "error")?.code ?? "";
}

/** A step that was ended by a signal has never succeeded. */
function isFailure(outcome: JobReport["outcome"], failOn: FailOn): boolean {
  if (outcome === "cancelled") return true;
  const fromBetterToWorse: readonly string[] = ["passed", "warned", "inconclusive", "failed"];
  return failOn !== "never" && fromBetterToWorse.indexOf(outcome) >= fromBetterToWorse.indexOf(failOn);
}
