// The test runner behind `npm test [-- FILTER… --grep TEXT --coverage --reporter dot|spec]`: static checks, then mocha over
// build/test/**/*.test.js. A filter is a path below test/ (`storage`, `storage/local`); with one, static checks are left out.
// The last line is `N passed, N failed`. With CI=true a skipped test counts as failed.

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { projectRoot, say, succeeds } from "./setup.mjs";

const compiledTests = path.join(projectRoot, "build", "test");
const handleGraceMs = 15_000;

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

/** Runs mocha in a process of its own, so that a test that crashes or ends the process is a failure and not the end. */
async function runMocha(files, options) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "reprise-test-"));
  const countsFile = path.join(folder, "counts.json");
  const mocha = ["node_modules/mocha/bin/mocha.js", "--forbid-only", "--reporter=scripts/countingReporter.mjs"];
  if (options.grep !== undefined) mocha.push("--grep", options.grep);
  const coverage = options.coverage ? ["node_modules/c8/bin/c8.js", process.execPath] : [];
  const env = { ...process.env, REPRISE_TEST_COUNTS: countsFile, REPRISE_TEST_REPORTER: options.reporter };
  const args = [...coverage, "--enable-source-maps", ...mocha, ...files];
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: "inherit", env });
  let leftOpen = false;
  const watch = setInterval(() => {
    if (options.coverage || !fs.existsSync(countsFile) || Date.now() - fs.statSync(countsFile).mtimeMs < handleGraceMs)
      return;
    leftOpen = true;
    child.kill("SIGKILL");
  }, 1000);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearInterval(watch);
  const counts = fs.existsSync(countsFile) ? JSON.parse(fs.readFileSync(countsFile, "utf8")) : undefined;
  fs.rmSync(folder, { recursive: true, force: true });
  return { counts, leftOpen, code };
}

function judge({ counts, leftOpen, code }) {
  if (counts === undefined) {
    say(`FAILED: mocha ended (code ${code}) before it had run all tests`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const result = { passed: counts.passes, failed: counts.failures, skipped: counts.pending };
  if (leftOpen) {
    say("FAILED: the tests are done but the process did not end: something was left open");
    result.failed += 1;
  } else if (code !== 0 && counts.failures === 0) {
    say(`FAILED: mocha ended with code ${code} although no test failed`);
    result.failed += 1;
  }
  if (counts.passes + counts.failures === 0) {
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

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { grep: { type: "string" }, coverage: { type: "boolean" }, reporter: { type: "string" } },
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
  say(`running ${files.length} test files`);
  const result = judge(await runMocha(files, { ...values, reporter }));
  result.failed += staticFailures;
  if (staticFailures > 0) say(`static checks that failed: ${staticFailures}`);
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : "";
  process.stdout.write(`${result.passed} passed, ${result.failed} failed${skipped}\n`);
  return result.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
