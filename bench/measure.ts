// Runs one command and says what it cost: wall time, processor time of the process and its children, and the largest
// resident set among them (GNU time). The flush of what it wrote is part of the measured time, for every tool alike.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Traffic } from "../core/storage/backend.js";

export interface Command {
  program: string;
  args: string[];
  env?: Record<string, string>;
  folder?: string;
  /** A path on the file system that was written to: `sync -f` of it ends the measured time. */
  flush?: string;
}

export interface Cost {
  wallSeconds: number;
  cpuSeconds: number;
  peakBytes: number;
  /** Processor time that a server of this machine took meanwhile. */
  serverCpuSeconds?: number;
  /** Requests of the command, where it tells them. */
  traffic?: Traffic;
}

const runThenFlush = '"$@" && { [ -z "$FLUSH_PATH" ] || sync -f "$FLUSH_PATH"; }';

interface Ended {
  code: number | null;
  /** Both streams, the end of them. */
  output: string;
  /** Standard output alone, the end of it. */
  answer: string;
}

const KEPT_CHARACTERS = 100_000;

function run(program: string, args: string[], command: Command): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...command.env, FLUSH_PATH: command.flush ?? "" };
    const child = spawn(program, args, { cwd: command.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let answer = "";
    const keepTail = (data: Buffer) => {
      output = (output + data.toString()).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on("data", keepTail);
    child.stdout.on("data", (data: Buffer) => {
      answer = (answer + data.toString()).slice(-KEPT_CHARACTERS);
    });
    child.stderr.on("data", keepTail);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, answer }));
  });
}

function failed(command: Command, { code, output }: Ended): Error {
  const shown = [command.program, ...command.args].join(" ");
  return new Error(`${shown}\nended with ${code}:\n${output.slice(-2000)}`);
}

/** Runs a command that is not measured; its output. Throws when it fails. */
export async function execute(command: Command): Promise<string> {
  const ended = await run(command.program, command.args, command);
  if (ended.code !== 0) throw failed(command, ended);
  return ended.output;
}

export async function measure(command: Command): Promise<Cost> {
  return (await measureAnswer(command)).cost;
}

/** With what the command wrote to its standard output. */
export async function measureAnswer(command: Command): Promise<{ cost: Cost; answer: string }> {
  const folder = await mkdtemp(join(tmpdir(), "reprise-bench-"));
  const report = join(folder, "time");
  const shell = ["bash", "-c", runThenFlush, "bash", command.program, ...command.args];
  const started = process.hrtime.bigint();
  const ended = await run("time", ["--quiet", "-o", report, "-f", "%U %S %M", ...shell], command);
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (ended.code !== 0) throw failed(command, ended);
  const [user, system, peakKib] = (await readFile(report, "utf8")).trim().split(" ").map(Number);
  await rm(folder, { recursive: true });
  const cost = { wallSeconds, cpuSeconds: user! + system!, peakBytes: peakKib! * 1024 };
  return { cost, answer: ended.answer };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Each part of the cost by itself. */
export function medianCost(costs: readonly Cost[]): Cost {
  return {
    wallSeconds: median(costs.map((cost) => cost.wallSeconds)),
    cpuSeconds: median(costs.map((cost) => cost.cpuSeconds)),
    peakBytes: Math.max(...costs.map((cost) => cost.peakBytes)),
  };
}
