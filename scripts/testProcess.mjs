// One mocha process over some test files: what it printed, and what its journal says of every test.

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { projectRoot } from "./setup.mjs";

/** After the last test: for what ends with the process. */
const endGraceMs = 60_000;
/** Without any test beginning or ending. mocha's own time-outs end what waits; this ends what does not even do that. */
const silenceMs = 20 * 60_000;

const outputGraceMs = 3000;

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
process.once("SIGTERM", () => process.exit(143));

/**
 * Runs to the end of the process, whatever that is.
 * @returns {Promise<{output: string, tests: {file: string, title: string, event: string}[], trouble: string|null,
 *   untouched: string[], durationsMs: Map<string, number>}>} `trouble`: why a failure has to be counted that no test had;
 *   `untouched`: files that it never came to
 */
export async function runTestProcess(files, options) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "reprise-test-"));
  const journalFile = path.join(folder, "journal");
  fs.writeFileSync(journalFile, "");
  try {
    const ended = await untilEnd(startMocha(files, options, journalFile), journalFile, options.coverage);
    const journal = readJournal(journalFile);
    return { output: ended.output, ...judge(files, journal, ended) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function startMocha(files, { grep, coverage, reporter, passThrough }, journalFile) {
  const mocha = ["node_modules/mocha/bin/mocha.js", "--forbid-only", "--reporter=scripts/countingReporter.mjs"];
  if (grep !== undefined) mocha.push("--grep", grep);
  if (process.stdout.isTTY) mocha.push("--color");
  const c8 = coverage ? ["node_modules/c8/bin/c8.js", process.execPath] : [];
  const env = { ...process.env, REPRISE_TEST_JOURNAL: journalFile, REPRISE_TEST_REPORTER: reporter };
  const args = [...c8, "--enable-source-maps", ...mocha, ...files];
  const stdio = passThrough ? "inherit" : ["ignore", "pipe", "pipe"];
  return spawn(process.execPath, args, { cwd: projectRoot, stdio, env });
}

async function untilEnd(child, journalFile, coverage) {
  running.add(child);
  const pieces = [];
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  for (const stream of streams) stream.on("data", (piece) => pieces.push(piece));
  const allRead = Promise.all(streams.map((stream) => new Promise((resolve) => stream.on("close", resolve))));
  let killed = null;
  const watch = setInterval(() => {
    const quietMs = Date.now() - fs.statSync(journalFile).mtimeMs;
    const isDone = readJournal(journalFile).at(-1)?.event === "end";
    if (isDone && !coverage && quietMs > endGraceMs) killed = "open";
    else if (quietMs > silenceMs) killed = "silent";
    if (killed !== null) child.kill("SIGKILL");
  }, 2000);
  const [code, signal] = await new Promise((resolve) => child.on("exit", (...how) => resolve(how)));
  clearInterval(watch);
  running.delete(child);
  // a daemon that a test left behind may hold the pipes open
  await Promise.race([allRead, delay(outputGraceMs, undefined, { ref: false })]);
  for (const stream of streams) stream.destroy();
  return { code, signal, killed, output: Buffer.concat(pieces).toString() };
}

function readJournal(journalFile) {
  const lines = fs.readFileSync(journalFile, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

function judge(files, journal, { code, signal, killed }) {
  const tests = journal.filter(({ event }) => ["pass", "fail", "pending"].includes(event));
  const isDone = journal.at(-1)?.event === "end";
  const touched = new Set(journal.map(({ file }) => file));
  const untouched = isDone ? [] : files.filter((file) => !touched.has(file));
  const trouble = troubleOf({ tests, isDone, killed, code, signal, last: journal.findLast(({ file }) => file) });
  return { tests, trouble, untouched, durationsMs: durationsOf(journal) };
}

function troubleOf({ tests, isDone, killed, code, signal, last }) {
  const how = signal ?? `code ${code}`;
  if (killed === "silent") return `nothing happened for ${silenceMs / 60_000} minutes in ${placeOf(last)}`;
  if (!isDone) return `mocha ended (${how}) before it had run all tests, in ${placeOf(last)}`;
  if (killed === "open") return "the tests are done but the process did not end: something was left open";
  if (code !== 0 && !tests.some(({ event }) => event === "fail")) return `mocha ended (${how}) although no test failed`;
  return null;
}

function placeOf(last) {
  return last === undefined ? "no test yet" : `${last.file ?? "a hook of all files"}: ${last.title ?? ""}`;
}

/** From the first suite of a file to the end of its last. */
function durationsOf(journal) {
  const spans = new Map();
  for (const { event, file, atMs } of journal) {
    if (event === "open") spans.set(file, { startMs: spans.get(file)?.startMs ?? atMs, endMs: atMs });
    if (event === "close" && spans.has(file)) spans.get(file).endMs = atMs;
  }
  return new Map([...spans].map(([file, { startMs, endMs }]) => [file, endMs - startMs]));
}
