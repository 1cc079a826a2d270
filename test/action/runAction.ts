// The built bundle under the environment that a runner gives it: inputs with the defaults of action.yml, files for outputs and
// summary, the event. What it writes is read as strictly as the runner reads it.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { inProject } from "../support/projectRoot.js";

export const BUNDLE = inProject("dist", "action", "index.mjs");

export interface ActionDefinition {
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string };
}
export const definition = parse(readFileSync(inProject("action.yml"), "utf8")) as ActionDefinition;

export interface ActionSurroundings {
  /** The checkout; also the working folder. */
  workspace: string;
  inputs: Record<string, string>;
  /** Of the step: secrets, and GITHUB_* that are not the usual ones. */
  env?: Record<string, string>;
  event?: { name: string; payload: unknown };
  /** false: a server without job summaries. */
  summaries?: boolean;
}

export interface Annotation {
  severity: string;
  message: string;
  file?: string;
  line?: number;
  col?: number;
  title?: string;
}

export interface EndedAction {
  code: number | null;
  signal: string | null;
  outputs: Record<string, string>;
  summary: string;
  annotations: Annotation[];
  /** As people see it: masked, without commands. */
  log: string;
  /** Everything that was printed, without the lines that tell the runner what to mask. */
  printed: string;
  masks: string[];
}

export interface StartedAction {
  child: ChildProcess;
  ended: Promise<EndedAction>;
  /** Resolves when the log has this. */
  printed(text: RegExp): Promise<void>;
}

const COMMANDS = ["add-mask", "error", "warning", "notice", "group", "endgroup", "debug"];

export async function runAction(surroundings: ActionSurroundings): Promise<EndedAction> {
  return await (await startAction(surroundings)).ended;
}

export async function startAction(surroundings: ActionSurroundings): Promise<StartedAction> {
  assert.ok(existsSync(BUNDLE), "npm run build makes the bundle");
  const { workspace, summaries = true } = surroundings;
  const folder = join(workspace, "..", `runner-${randomBytes(6).toString("hex")}`);
  await mkdir(join(folder, "temp"), { recursive: true });
  const files = Object.fromEntries(
    ["output", "env", "path", "state", "summary"].map((name) => [name, join(folder, name)]),
  );
  for (const file of Object.values(files)) await writeFile(file, "");
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    TMPDIR: join(folder, "temp"),
    REPRISE_CACHE_DIR: join(folder, "cache"),
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: files.output as string,
    GITHUB_ENV: files.env as string,
    GITHUB_PATH: files.path as string,
    GITHUB_STATE: files.state as string,
    ...(summaries ? { GITHUB_STEP_SUMMARY: files.summary as string } : {}),
    RUNNER_TEMP: join(folder, "temp"),
    GITHUB_SERVER_URL: "https://github.example",
    GITHUB_REPOSITORY: "team/infra",
    GITHUB_RUN_ID: "42",
    GITHUB_ACTOR: "alice",
    ...(await eventVariables(folder, surroundings.event)),
    ...inputVariables(surroundings.inputs),
    ...surroundings.env,
  };
  return watch(workspace, env, files as { output: string; summary: string });
}

/** As the runner builds them: capitals, hyphens stay, defaults filled in. */
function inputVariables(inputs: Record<string, string>): Record<string, string> {
  const defaults = Object.entries(definition.inputs).map(([name, input]) => [name, input.default ?? ""]);
  const all = { ...Object.fromEntries(defaults), ...inputs };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value as string]),
  );
}

async function eventVariables(folder: string, event: ActionSurroundings["event"]): Promise<Record<string, string>> {
  if (event === undefined) return { GITHUB_EVENT_NAME: "schedule" };
  const path = join(folder, "event.json");
  await writeFile(path, JSON.stringify(event.payload));
  return { GITHUB_EVENT_NAME: event.name, GITHUB_EVENT_PATH: path };
}

function watch(cwd: string, env: Record<string, string>, files: { output: string; summary: string }): StartedAction {
  const child = spawn(process.execPath, [BUNDLE], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (text += bytes.toString()));
  const ended = once(child, "close").then(async ([code, signal]) => ({
    code,
    signal,
    ...readPrinted(text),
    outputs: readOutputs(await readFile(files.output, "utf8")),
    summary: await readFile(files.summary, "utf8"),
  }));
  const printed = async (wanted: RegExp) => {
    while (!wanted.test(text)) {
      assert.ok(child.exitCode === null && child.signalCode === null, `ended without ${wanted}:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { child, ended, printed };
}

/** `name<<delimiter`, the value, the delimiter; nothing else. */
export function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const head =
      /^([\w-]+)<<(ghadelimiter_[\w-]+)\n/.exec(rest) ?? assert.fail(`no output begins here: ${rest.slice(0, 100)}`);
    const end = rest.indexOf(`\n${head[2]}\n`, head[0].length - 1);
    assert.ok(end >= 0, `output ${head[1]} does not end`);
    outputs[head[1] as string] = rest.slice(head[0].length, Math.max(end, head[0].length));
    rest = rest.slice(end + (head[2] as string).length + 2);
  }
  return outputs;
}

function readPrinted(text: string): Pick<EndedAction, "annotations" | "log" | "printed" | "masks"> {
  const [annotations, masks, shown, printed]: [Annotation[], string[], string[], string[]] = [[], [], [], []];
  for (const line of text.split("\n")) {
    assert.ok(!/##\[/.test(line), `a command of old within a line: ${line}`);
    const command = /^\s*::([\w-]+)(?: ([^\n]*?))?::(.*)$/.exec(line);
    if (command === null) {
      assert.ok(!/^\s*::/.test(line), `half a command: ${line}`);
      shown.push(line);
      printed.push(line);
      continue;
    }
    const [, name, properties, message] = command as unknown as [string, string, string | undefined, string];
    assert.ok(COMMANDS.includes(name), `the command ${name} is not ours`);
    if (name === "add-mask") masks.push(unescapeData(message));
    else printed.push(line);
    if (["error", "warning", "notice"].includes(name)) annotations.push(annotationOf(name, properties ?? "", message));
  }
  const log = masks.reduce((clean, mask) => clean.replaceAll(mask, "***"), shown.join("\n"));
  return { annotations, masks, log, printed: printed.join("\n") };
}

function annotationOf(severity: string, properties: string, message: string): Annotation {
  const pairs = properties.split(",").filter((part) => part !== "");
  const found = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  const { file, line, col, title } = found as Record<string, string | undefined>;
  return {
    severity,
    message: unescapeData(message),
    ...(file === undefined ? {} : { file: unescapeProperty(file) }),
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(col === undefined ? {} : { col: Number(col) }),
    ...(title === undefined ? {} : { title: unescapeProperty(title) }),
  };
}

function unescapeData(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replaceAll("%3A", ":").replaceAll("%2C", ","));
}
