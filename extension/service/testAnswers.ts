// Runs a restore test of a text that an editor shows, tells what happens, and writes its reports.

import { createHash } from "node:crypto";
import { userInfo } from "node:os";
import { join } from "node:path";
import {
  type CheckResult,
  defaultRunBase,
  errorToData,
  inertLine,
  looksLikeConfig,
  type MachineReport,
  narrowSpec,
  RepriseError,
  type RestoreTestSpec,
  readConfig,
  readRestoreTestSpecs,
  reportFolderName,
  requireTool,
  runRestoreTest,
  type TestEvent,
  type TestRequest,
  testHistory,
  writeTestReports,
} from "../../core/index.js";
import { policyFiles } from "./policyAnswers.js";
import type { CheckResultData, TestEventData, TestedMachineData, TestRunData } from "./policyProtocol.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext, Session } from "./session.js";
import { useToolFolder } from "./toolFolder.js";

interface Found {
  spec: RestoreTestSpec;
  digest: string;
  path: string;
}

export async function runTest(
  session: Session,
  argument: ArgumentOf<"runTest">,
  context: CallContext,
): Promise<TestRunData> {
  const { signal, onWarning } = context;
  useToolFolder(argument.toolFolder);
  const { spec, digest, path } = await findSpec(argument, signal);
  const narrowed = narrowSpec(spec, argument.machine === null ? [] : [argument.machine]);
  if (narrowed.machines.some(({ level }) => level === "boots" || level === "serves"))
    await requireTool("qemu-system-x86_64");
  const catalog = await session.catalog(context, true);
  const { repository } = session;
  const request: TestRequest = {
    ...{ repository, catalog, spec: narrowed, specPath: path, specDigest: digest, trigger: "manual", url: null },
    ...{ location: repository.backend.location, executedBy: userInfo().username, runsFolder: defaultRunBase() },
    ...{ signingKeys: [], store: argument.checks === null, keepFolder: null, drill: null, only: argument.checks },
  };
  const tell = (event: TestEventData) => context.onEvent(event);
  const report = await runRestoreTest(request, {
    ...{ signal, onWarning },
    onEvent: (event) => tell(eventData(event)),
    onConsoleLine: (machine, line) => tell({ event: "console", machine, line }),
  });
  await writeTestReports(argument.reportFolder, report.machines, testHistory(catalog), signal);
  // what it has stored is new
  await session.catalog(context, true);
  return {
    machines: report.machines.map((machine) => machineData(machine, argument.reportFolder)),
    untested: report.untested.map(({ machine, error }) => {
      const { message, code, hint } = errorToData(error);
      return { machine, message: inertLine(message), code: code ?? null, hint: hint ?? null };
    }),
  };
}

async function findSpec({ path, text, test }: ArgumentOf<"runTest">, signal: AbortSignal): Promise<Found> {
  const found = looksLikeConfig(text)
    ? await configuredSpec(path, text, test, signal)
    : await writtenSpec(path, text, test);
  if (found !== undefined) return found;
  throw new RepriseError("usage", "RESTORE_TEST_UNKNOWN", `${path} has no restore test ${test}`, {
    data: { path, test },
  });
}

async function configuredSpec(
  path: string,
  text: string,
  test: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const config = await readConfig(text, { fileName: path, ...policyFiles(path, true, signal) });
  const found = config.restoreTests.find(({ name }) => name === test);
  return found && { spec: found.spec, digest: found.specDigest, path: found.fileName };
}

async function writtenSpec(path: string, text: string, test: string): Promise<Found | undefined> {
  const spec = (await readRestoreTestSpecs(text, path)).find(({ name }) => name === test);
  return spec && { spec, digest: createHash("sha256").update(text).digest("hex"), path };
}

function eventData(event: TestEvent): TestEventData {
  switch (event.event) {
    case "machine-started": {
      const { machine, snapshot, level } = event;
      return { event: "machine-started", machine, snapshot, level };
    }
    case "check":
      return { event: "check", machine: event.machine, result: checkData(event.result) };
    case "machine-finished":
      return { ...event, reason: inertLine(event.reason) };
    default:
      return event;
  }
}

function checkData(result: CheckResult): CheckResultData {
  const { id, type, severity, outcome, expected, observed, reason, durationMs, line } = result;
  return {
    ...{ id, type, severity, outcome, durationMs, line },
    expected: inertLine(expected),
    observed: inertLine(observed),
    reason: reason === null ? null : inertLine(reason),
  };
}

function machineData({ record, artifacts }: MachineReport, reportFolder: string): TestedMachineData {
  const folder = join(reportFolder, reportFolderName(record.asset.machine));
  const { startedAt, finishedAt, rto } = record.times;
  return {
    machine: record.asset.machine,
    outcome: record.result.outcome,
    reason: inertLine(record.result.reason),
    provenLevel: record.result.provenLevel,
    durationMs: Date.parse(finishedAt) - Date.parse(startedAt),
    rtoMs: rto.length === 0 ? null : Math.min(...rto.map(({ totalMs }) => totalMs)),
    checks: record.checks.map(checkData),
    report: join(folder, "report.html"),
    screenshots: artifacts.filter(({ mediaType }) => mediaType === "image/png").map(({ name }) => join(folder, name)),
  };
}
