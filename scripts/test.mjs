// The test runner behind `npm test [-- FILTER… --grep TEXT --coverage --reporter dot|spec --jobs N --record]`: static checks,
// then mocha over build/test/**/*.test.js, in several processes at once. A filter is a path below test/ (`storage`,
// `storage/local`); with one, static checks are left out. The last line is `N passed, N failed`. With CI=true a skipped test
// counts as failed. Files that drive an editor have a second try, unless there is a filter; what failed at first is printed all the
// same. --record keeps how long each file took, by which the next runs are divided.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { projectRoot, say, succeeds } from "./setup.mjs";
import { makeGroups, recordDurations } from "./testGroups.mjs";
import { runTestProcess } from "./testProcess.mjs";

const compiledTests = path.join(projectRoot, "build", "test");
const mostJobs = 4;
const bytesPerJob = 2 ** 31;

function staticCheckFailures() {
  const checks = [
    ["biome check", "node_modules/@biomejs/biome/bin/biome", ["check", "--max-diagnostics=50", "."]],
    ["type check of the pure folders", "node_modules/typescript/bin/tsc", ["-p", "tsconfig.pure.json"]],
  ];
  const failed = checks.filter(([name, script, args]) => {
    say(name);
    return !succeeds(process.execPath, [script, ...args]);
  });
  for (const [name] of failed) say(`FAILED: ${name}`);
  return failed.length;
}

function selectTests(filters) {
  const all = fs
    .readdirSync(compiledTests, { recursive: true })
    .filter((file) => file.endsWith(".test.js"))
    .sort();
  const wanted = filters.map((filter) => filter.replace(/^test\//, "").replace(/(\.test)?\.(ts|js)$|\/$/, ""));
  const matches = (file) => wanted.some((start) => file.startsWith(`${start}/`) || file === `${start}.test.js`);
  return (wanted.length === 0 ? all : all.filter(matches)).map((file) => path.join("build", "test", file));
}

function usualJobs() {
  const byMemory = Math.floor(os.totalmem() / bytesPerJob);
  return Math.max(1, Math.min(os.availableParallelism(), mostJobs, byMemory));
}

/** The first group that may run now is taken out of the queue; undefined: none may. */
function takeNext(queue, running) {
  const taken = new Set(running.flatMap(({ locks }) => locks));
  const index = queue.findIndex(({ locks }) => !locks.some((lock) => taken.has(lock)));
  return index === -1 ? undefined : queue.splice(index, 1)[0];
}

/** Takes them out of the result: the tests of files in which one failed, when the group has another try. */
function takeUnsteady({ tries }, result) {
  if (tries < 2 || result.trouble !== null) return [];
  const files = new Set(result.tests.filter(({ event }) => event === "fail").map(({ file }) => file));
  const isTaken = ({ file }) => file !== null && files.has(file);
  const taken = result.tests.filter(isTaken);
  result.tests = result.tests.filter((test) => !isTaken(test));
  return taken;
}

/** What a process has not come to because of a crash is run by another one; so is what has another try. */
async function runGroups(groups, jobs, options, onDone) {
  const queue = [...groups];
  const running = new Map();
  const runGroup = async (group) => {
    const result = await runTestProcess(group.files, options);
    running.delete(group);
    const unsteady = options.repeat ? takeUnsteady(group, result) : [];
    if (unsteady.length > 0)
      queue.unshift({ ...group, files: [...new Set(unsteady.map(({ file }) => file))], tries: group.tries - 1 });
    onDone(group, { ...result, unsteady }, queue.length + running.size);
    if (result.untouched.length === 0) return;
    if (result.untouched.length === group.files.length) say(`FAILED: not run: ${group.files.join(" ")}`);
    else queue.unshift({ ...group, files: result.untouched });
  };
  while (queue.length > 0 || running.size > 0) {
    // what one of them has unlocked may be started by any
    while (running.size < jobs) {
      const group = takeNext(queue, [...running.keys()]);
      if (group === undefined) break;
      running.set(group, runGroup(group));
    }
    await Promise.race(running.values());
  }
}

/** A block of its own for each process, when it has ended: lines of several do not mix. */
function printResult({ files }, { output, tests, unsteady, trouble }, left, reporter) {
  const [failed, passed] = ["fail", "pass"].map((wanted) => tests.filter(({ event }) => event === wanted).length);
  if (tests.length + unsteady.length === 0 && trouble === null) return; // none that --grep means
  const names = files.map((file) => file.slice("build/test/".length, -".test.js".length)).join(" ");
  const isShown = reporter === "spec" || failed + unsteady.length > 0 || trouble !== null;
  if (isShown) process.stdout.write(`${output.trimEnd()}\n`);
  if (trouble !== null) say(`FAILED: ${trouble}`);
  if (unsteady.length > 0) say(`to be run once more: ${[...new Set(unsteady.map(({ file }) => file))].join(" ")}`);
  say(`${passed} passed, ${failed} failed in ${names}; groups to go: ${left}`);
}

function judge(tests, troubles) {
  const count = (wanted) => tests.filter(({ event }) => event === wanted).length;
  const result = { passed: count("pass"), failed: count("fail") + troubles.length, skipped: count("pending") };
  if (tests.length === result.skipped) {
    say("FAILED: no test ran");
    result.failed += 1;
  }
  if (process.env.CI === "true" && result.skipped > 0) {
    say(`FAILED: ${result.skipped} skipped tests, and CI may skip none`);
    result.failed += result.skipped;
    result.skipped = 0;
  }
  return result;
}

/** What there is to see again at the end of many pages. */
function printFailures(tests, unsteady, troubles) {
  for (const { title, file, error } of unsteady.filter(({ event }) => event === "fail")) {
    say(`unsteady: failed at first, and its file was run once more: ${title} (${file})`);
    if (error !== undefined) process.stdout.write(`${error.replaceAll(/^/gm, "    ")}\n`);
  }
  const isFault = ({ event }) => event === "fail" || (event === "pending" && process.env.CI === "true");
  for (const { event, file, title, error } of tests.filter(isFault)) {
    say(`${event === "fail" ? "FAILED" : "skipped"}: ${title} (${file ?? "a hook of all files"})`);
    if (error !== undefined) process.stdout.write(`${error.replaceAll(/^/gm, "    ")}\n`);
  }
  for (const trouble of troubles) say(`FAILED: ${trouble}`);
}

async function runTests(files, options, jobs) {
  const tests = [];
  const troubles = [];
  const durationsMs = new Map();
  const unsteady = [];
  const groups = jobs === 1 ? [{ files, locks: [], tries: 1 }] : makeGroups(files);
  const passThrough = groups.length === 1;
  say(`running ${files.length} test files${passThrough ? "" : ` in ${groups.length} groups, ${jobs} at a time`}`);
  await runGroups(groups, jobs, { ...options, passThrough }, (group, result, left) => {
    if (!passThrough) printResult(group, result, left, options.reporter);
    else if (result.trouble !== null) say(`FAILED: ${result.trouble}`);
    tests.push(...result.tests);
    unsteady.push(...result.unsteady);
    if (result.trouble !== null) troubles.push(result.trouble);
    for (const [file, ms] of result.durationsMs) durationsMs.set(file, ms);
  });
  const result = judge(tests, troubles);
  if (!passThrough) printFailures(tests, unsteady, troubles);
  return { result, durationsMs };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      grep: { type: "string" },
      coverage: { type: "boolean" },
      reporter: { type: "string" },
      jobs: { type: "string" },
      record: { type: "boolean" },
    },
  });
  const files = fs.existsSync(compiledTests) ? selectTests(positionals) : [];
  if (files.length === 0) {
    say(`no test file matches ${positionals.join(" ") || "build/test/**/*.test.js"}`);
    process.stdout.write("0 passed, 1 failed\n");
    return 1;
  }
  const partial = positionals.length > 0 || values.grep !== undefined;
  const buildFailures = Number(process.env.REPRISE_BUILD_FAILURES ?? 0);
  const staticFailures = partial ? 0 : buildFailures + staticCheckFailures();
  if (partial && buildFailures > 0) say("the type errors above are not counted in a run with a filter");
  const reporter = values.reporter ?? (partial || process.env.CI === "true" ? "spec" : "dot");
  const jobs = values.coverage ? 1 : Math.max(1, Number(values.jobs ?? usualJobs()) || 1);
  const { result, durationsMs } = await runTests(files, { ...values, reporter, repeat: !partial }, jobs);
  if (values.record) recordDurations(durationsMs);
  result.failed += staticFailures;
  if (staticFailures > 0) say(`static checks that failed: ${staticFailures}`);
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : "";
  process.stdout.write(`${result.passed} passed, ${result.failed} failed${skipped}\n`);
  return result.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
