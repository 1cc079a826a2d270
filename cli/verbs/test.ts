import { userInfo } from "node:os";
import {
  DRILL_FAULTS,
  defaultRunBase,
  type MachineReport,
  runRestoreTest,
  TEST_LEVELS,
  type TestReport,
  type TestRequest,
  testHistory,
  writeTestReports,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { EXIT } from "../exitCodes.js";
import { type Given, usageError } from "../given/given.js";
import { testLines, testSummary } from "../output/restoreTestText.js";
import { readSigningKey, SIGNING_KEY_OPTION } from "../secret/signingKeySource.js";
import { narrowSpecs, readSpecFiles, type SpecFile, specsNamed } from "../specFiles.js";
import type { Answer, Verb } from "../verb.js";
import { runDrills, testOptions } from "./testDrills.js";
import { showTestHistory } from "./testHistory.js";
import { planTests } from "./testPlan.js";

const TRIGGERS = ["manual", "scheduled", "pipeline"] as const;

export const testVerb: Verb = {
  name: "test",
  summary: "prove that machines can be restored: start them from their backups, check them, measure it",
  details: [
    "A spec says which machines, to which level (intact, readable, boots, serves), and what must hold. Machines are started in isolation: their disks are read from the repository, what they write is thrown away, and their network leads nowhere.",
    "The result is stored beside the snapshot. Ends with 0 when every test passed, 3 when there is something to look at, 1 when one failed, 2 when one could not be made or was inconclusive.",
  ],
  operands: [
    {
      name: "[spec...]",
      description:
        "files with restore-test specs (YAML), or a reprise.yml with restore tests; see docs/restore-tests.md",
      completes: "file",
    },
  ],
  options: [
    { flags: "--test <name>", description: "only the spec of this name", many: true, completes: "nothing" },
    { flags: "--level <level>", description: "test to this level, whatever the spec says", choices: TEST_LEVELS },
    {
      flags: "--snapshot <name>",
      description: "of each machine: latest, oldest, random, rolling, a time, ~N or an id",
      completes: "nothing",
    },
    {
      flags: "--machine <machine>",
      description: "only this one, and what it depends on",
      many: true,
      completes: "group",
    },
    {
      flags: "--check <id>",
      description: "only this check, beside those of the level",
      many: true,
      completes: "nothing",
    },
    {
      flags: "--report <folder>",
      description: "write reports there: HTML, Markdown, JUnit, JSON, screenshots",
      completes: "folder",
    },
    SIGNING_KEY_OPTION,
    {
      flags: "--trigger <trigger>",
      description: "what started this test, for its record",
      choices: TRIGGERS,
      standard: "manual",
    },
    { flags: "--no-record", description: "do not store the results with the snapshots" },
    { flags: "--dry-run", description: "start nothing, say what would be tested" },
    {
      flags: "--drill [fault]",
      description: "make the test fail on purpose, and see that it does; without a name: each fault there is",
      choices: DRILL_FAULTS,
    },
    {
      flags: "--history [machine]",
      description: "no test: the tests there were, with their recovery times",
      completes: "group",
    },
  ],
  examples: [
    { command: "reprise test web1.yaml --report report", meaning: "then open report/vm-web1/report.html" },
    { command: "reprise test tests/*.yaml --level intact", meaning: "read and verify only" },
    { command: "reprise test reprise.yml --test web1", meaning: "one restore test of a configuration" },
    { command: "reprise test --history vm/web1", meaning: "recovery times so far" },
  ],
  run: runTestVerb,
};

async function runTestVerb(context: Context, given: Given): Promise<Answer> {
  if (given.has("history")) return await showTestHistory(context, given);
  if (given.operands.length === 0)
    throw usageError("no spec is named", "give a YAML file, as in reprise test web1.yaml");
  const read = await readSpecFiles(given.operands, context.signal);
  // without --repo: that of the configuration
  for (const config of read.configs) context.useConfigured(config);
  const files = narrowSpecs(specsNamed(read.files, given.texts("test")), {
    machines: given.texts("machine"),
    level: TEST_LEVELS.find((level) => level === given.text("level")),
    snapshot: given.text("snapshot"),
  });
  checkIds(files, given.texts("check"));
  const signingKey = await readSigningKey(given, context.io);
  if (given.flag("dryRun")) return await planTests(context, files);
  if (given.has("drill"))
    return await runDrills(context, given.text("drill"), (opened, drill) =>
      files.map((file) => requestFor(given, file, { ...opened, signingKey, drill })),
    );
  const opened = await context.openCatalog();
  const reports: TestReport[] = [];
  for (const file of files) {
    const request = requestFor(given, file, { ...opened, signingKey, drill: null });
    reports.push(await runRestoreTest(request, testOptions(context)));
  }
  const machines = reports.flatMap((report) => report.machines);
  const folder = given.text("report");
  const history = testHistory(opened.catalog);
  const written = folder === undefined ? [] : await writeTestReports(folder, machines, history, context.signal);
  return answerOf(reports, machines, written);
}

interface Opened extends Pick<TestRequest, "repository" | "catalog" | "drill"> {
  signingKey: Awaited<ReturnType<typeof readSigningKey>>;
}

function requestFor(
  given: Given,
  { spec, path, digest }: SpecFile,
  { repository, catalog, signingKey, drill }: Opened,
): TestRequest {
  const checks = given.texts("check");
  return {
    repository,
    catalog,
    drill,
    spec,
    specPath: path,
    specDigest: digest,
    location: repository.shownLocation,
    trigger: drill === null ? (TRIGGERS.find((trigger) => trigger === given.text("trigger")) ?? "manual") : "drill",
    url: null,
    executedBy: userInfo().username,
    runsFolder: defaultRunBase(),
    signingKeys: signingKey === undefined ? [] : [signingKey],
    store: given.flag("record"),
    keepFolder: given.text("report") ?? null,
    only: checks.length === 0 ? null : checks,
  };
}

function checkIds(files: readonly SpecFile[], wanted: readonly string[]): void {
  const known = files.flatMap(({ spec }) => spec.machines.flatMap(({ checks }) => checks.map(({ id }) => id)));
  const unknown = wanted.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  const hint =
    known.length === 0
      ? "the specs list no checks of their own; those of the level are always made"
      : `there are: ${[...new Set(known)].join(", ")}`;
  throw usageError(`no spec has the check ${unknown}`, hint);
}

function answerOf(
  reports: readonly TestReport[],
  machines: readonly MachineReport[],
  written: readonly string[],
): Answer {
  const untested = reports.flatMap((report) => report.untested);
  const outcomes = machines.map(({ record }) => record.result.outcome);
  const exitCode = outcomes.includes("failed")
    ? EXIT.failed
    : untested.length > 0 || outcomes.includes("inconclusive")
      ? EXIT.couldNotRun
      : outcomes.includes("warned")
        ? EXIT.doneWithWarnings
        : EXIT.done;
  return {
    document: {
      passed: exitCode === EXIT.done,
      machines: machines.map(({ record, envelopes, storedAs }) => ({
        ...record,
        signed: envelopes.length > 0,
        storedAs,
      })),
      untested: untested.map(({ machine, error }) => ({ machine, error: errorText(error) })),
      leftovers: reports.map(({ leftovers }) => leftovers),
      reports: written,
    },
    lines: testLines(machines, untested),
    summary: testSummary(machines, untested, written),
    exitCode,
  };
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
