// `restore-test`: proves that machines come back, by the restore tests of the configuration; signed where there is a key.

import { join } from "node:path";
import type { ConfiguredTest } from "../../config/repriseConfig.js";
import { isAbort } from "../../errors.js";
import { qualifiedGroup } from "../../format/manifest.js";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { defaultRunBase } from "../../hypervisor/runFolder.js";
import type { MachineReportLine, TestReportPart } from "../../jobReport/jobReport.js";
import { chooseSnapshot } from "../../restoreTest/choose/chooseSnapshot.js";
import { writeTestReports } from "../../restoreTest/report/writeReports.js";
import { runRestoreTest } from "../../restoreTest/run/runRestoreTest.js";
import type { MachineReport, TestRequest } from "../../restoreTest/run/testRequest.js";
import { narrowSpec } from "../../restoreTest/spec/narrowSpec.js";
import { lastTestTimes, testHistory } from "../../restoreTest/storedRecords.js";
import { type JobOf, testsOfJob } from "../configJobs.js";
import { currentCatalog, type JobContext, snapshotPart } from "../jobContext.js";

type TestContext = JobContext<JobOf<"restore-test">>;

export async function runRestoreTestJob(context: TestContext): Promise<void> {
  const { request, job } = context;
  const tests = testsOfJob(request.config, job)
    .map((test) => ({ ...test, spec: narrowSpec(test.spec, request.machines) }))
    .filter(({ spec }) => spec.machines.length > 0);
  for (const test of tests) {
    context.options.signal.throwIfAborted();
    if (request.dryRun) planTest(context, test);
    else await runTest(context, test);
  }
}

/** A test that cannot be made at all is a problem of its machines; the next one has its turn. */
async function runTest(context: TestContext, test: ConfiguredTest): Promise<void> {
  const { log, options, job } = context;
  const startedMs = options.environment.now();
  const machines = test.spec.machines.map(({ machine }) => machine);
  for (const machine of machines) options.onEvent?.({ event: "machine-started", job: job.name, machine });
  try {
    const report = await runRestoreTest(requestOf(context, test), {
      signal: options.signal,
      onWarning: log.onWarning,
      onEvent: (detail) => options.onEvent?.({ event: "test", job: job.name, test: test.name, detail }),
    });
    for (const machine of report.machines) addTested(context, test, machine);
    for (const { machine, error } of report.untested) addUntested(context, machine, error, startedMs);
    await writeReports(context, test, report.machines);
  } catch (error) {
    if (isAbort(error) || options.signal.aborted) {
      const result = { outcome: "inconclusive" as const, reason: `cancelled during the test ${test.name}` };
      const open = machines.filter((machine) => !log.lines.some((line) => isOf(line, machine, test)));
      for (const machine of open) log.addLine(machine, result, startedMs);
      throw error;
    }
    for (const machine of machines) addUntested(context, machine, error, startedMs);
  }
}

function isOf(line: MachineReportLine, machine: string, { name }: ConfiguredTest): boolean {
  return line.machine === machine && line.test?.name === name;
}

function requestOf(context: TestContext, test: ConfiguredTest): TestRequest {
  const { repository, catalog, request } = context;
  const { trigger, url, executedBy, signingKeys } = request;
  return {
    ...{ repository, catalog, trigger, url, executedBy, signingKeys },
    ...{ spec: test.spec, specPath: test.fileName, specDigest: test.specDigest },
    location: repository.shownLocation,
    runsFolder: defaultRunBase(),
    store: true,
    keepFolder: folderOf(context, test),
    drill: null,
    only: null,
  };
}

/** Of its own for each job: two may make the same test. */
function folderOf({ request: { reportFolder }, job }: TestContext, { name }: ConfiguredTest): string | null {
  return reportFolder === null ? null : join(reportFolder, job.name, name);
}

function addTested(context: TestContext, test: ConfiguredTest, report: MachineReport): void {
  const { log, results } = context;
  const { record, envelopes } = report;
  const { machine } = record.asset;
  const { outcome, reason } = record.result;
  const { snapshotId, manifestDigest, startedAt } = record.backup;
  const { startedAt: beganAt, finishedAt } = record.times;
  results.envelopes.push(...envelopes);
  log.addLine(machine, {
    outcome,
    reason,
    snapshot: { id: snapshotId, digest: manifestDigest, time: startedAt },
    test: testPart(test, report),
    durationMs: Math.max(0, Date.parse(finishedAt) - Date.parse(beganAt)),
  });
  addCheckProblems(context, test, record);
}

/** Each at the line of the spec that it was asked for in. */
function addCheckProblems({ log }: TestContext, test: ConfiguredTest, record: RestoreTestRecord): void {
  const { machine } = record.asset;
  for (const { id, outcome, reason, observed, line } of record.checks) {
    if (outcome === "passed" || outcome === "skipped") continue;
    log.addProblem({
      severity: outcome === "failed" ? "error" : "warning",
      code: CHECK_CODES[outcome],
      message: `${machine}: check ${id} ${outcome}: ${reason ?? observed}`,
      hint: null,
      machine,
      file: test.fileName,
      line: line ?? test.line,
    });
  }
}

const CHECK_CODES = {
  failed: "TEST_CHECK_FAILED",
  warned: "TEST_CHECK_WARNED",
  inconclusive: "TEST_CHECK_INCONCLUSIVE",
} as const;

function addUntested({ log }: TestContext, machine: string, error: unknown, startedMs: number): void {
  log.addError(error, machine);
  const reason = error instanceof Error ? error.message : String(error);
  log.addLine(machine, { outcome: "inconclusive", reason: `not tested: ${reason}` }, startedMs);
}

function testPart({ fileName, name }: ConfiguredTest, { record, artifacts }: MachineReport): TestReportPart {
  const { times, plan, result } = record;
  const totals = times.rto.map(({ totalMs }) => totalMs);
  const restores = times.rto.map(({ restoreMs }) => restoreMs);
  return {
    name,
    file: fileName,
    recordId: record.recordId,
    level: plan.level,
    provenLevel: result.provenLevel,
    rtoMs: totals.length === 0 ? null : Math.min(...totals),
    rpoMs: times.rpoMs,
    objectives: times.objectives,
    restoreMs: restores.length === 0 ? null : Math.max(...restores),
    checks: record.checks.map(({ id, outcome, reason, line }) => ({ id, outcome, reason, line })),
    screenshot: screenshotOf(record, artifacts),
  };
}

function screenshotOf(record: RestoreTestRecord, artifacts: MachineReport["artifacts"]): TestReportPart["screenshot"] {
  const picture = artifacts.findLast(({ mediaType }) => mediaType === "image/png");
  const described = record.integrity.artifacts.find(({ name }) => name === picture?.name);
  if (picture === undefined || described === undefined) return null;
  return { name: picture.name, sha256: described.sha256, pngBase64: Buffer.from(picture.bytes).toString("base64") };
}

/** Reports that cannot be written cost a warning: the records are in the repository. */
async function writeReports(
  context: TestContext,
  test: ConfiguredTest,
  machines: readonly MachineReport[],
): Promise<void> {
  const { results, options, log } = context;
  const folder = folderOf(context, test);
  if (folder === null) return;
  try {
    const history = testHistory(await currentCatalog(context));
    results.reportFiles.push(...(await writeTestReports(folder, machines, history, options.signal)));
  } catch (error) {
    if (isAbort(error)) throw error;
    log.addError(error, null, "warning");
  }
}

function planTest(context: TestContext, { name, spec }: ConfiguredTest): void {
  const { catalog, log } = context;
  for (const test of spec.machines) {
    const { machine, level } = test;
    const testedAtMs = lastTestTimes(catalog, machine);
    try {
      const chosen = chooseSnapshot(test.snapshot, { machine, catalog, testedAtMs, random: Math.random });
      const { manifest } = chosen.snapshot;
      const reason = `dry run: ${name} would test ${qualifiedGroup(manifest.namespace, manifest.group)}@${manifest.time} (${chosen.reason}) to ${level}`;
      log.addLine(machine, { outcome: "skipped", reason, snapshot: snapshotPart(chosen.snapshot) });
    } catch (error) {
      addUntested(context, machine, error, context.options.environment.now());
    }
  }
}
