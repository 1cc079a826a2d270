// Runs programs of the operating system (qemu-img, fallocate …): found by name, without a shell, with bounded output,
// a time limit and an abort signal. Long-running servers are core/source/qemuNbd.ts.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { RepriseError } from "../errors.js";

/** Debian packages of the programs we start, for the hint of TOOL_MISSING. */
const debianPackages = {
  "qemu-img": "qemu-utils",
  "qemu-nbd": "qemu-utils",
  "qemu-system-x86_64": "qemu-system-x86",
  swtpm: "swtpm",
  ssh: "openssh-client",
  blockdev: "util-linux",
  fallocate: "util-linux",
  flock: "util-linux",
  getfattr: "attr",
  setpriv: "util-linux",
  xargs: "findutils",
  setfattr: "attr",
  mknod: "coreutils",
} as const;

export type ToolName = keyof typeof debianPackages;

/** The package that brings a program. */
export function debianPackageOf(name: ToolName): string {
  return debianPackages[name];
}

/** Full path of a program, or undefined. Also looks where a plain user's PATH does not reach. */
export async function findTool(name: ToolName): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  for (const folder of folders) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, name);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}

/** Full path of a program; TOOL_MISSING with the name of its package when it is not installed. */
export async function requireTool(name: ToolName): Promise<string> {
  const path = await findTool(name);
  if (path !== undefined) return path;
  const debianPackage = debianPackages[name];
  throw new RepriseError("unsupported", "TOOL_MISSING", `the program ${name} is not installed`, {
    data: { tool: name, debianPackage },
    hint: `install it: apt-get install ${debianPackage}`,
  });
}

export interface ToolOptions {
  signal?: AbortSignal;
  /** Default 60 s; then the program is killed. */
  timeoutMs?: number;
  /** Takes the standard output piece by piece; it is then not collected and not bounded. A throw ends the program. */
  onOutput?: (chunk: Uint8Array) => void;
  /** What the program reads from standard input; default: nothing. */
  input?: Uint8Array;
  /** The folder it runs in; default: this process's. */
  folder?: string;
  /** An open file of ours that the program has as its number 3. */
  sharedFile?: number;
}

export interface ToolResult {
  exitCode: number;
  stdout: string;
  /** The first 8 KiB. */
  stderr: string;
}

const maxOutputBytes = 4 * 1024 * 1024;
const maxErrorOutputBytes = 8 * 1024;

/**
 * Runs a program to its end, whatever its exit code. TOOL_MISSING, TOOL_FAILED (killed, too slow, too much output), the
 * abort reason, or what `onOutput` threw.
 */
export async function runTool(name: ToolName, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const path = await requireTool(name);
  options.signal?.throwIfAborted();
  const { input, folder, sharedFile } = options;
  const child = spawn(path, args, {
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...(sharedFile === undefined ? [] : [sharedFile])],
    env: toolEnvironment(),
    cwd: folder,
  });
  // A program that ends without reading all of it says why in its own way.
  child.stdin?.on("error", () => {}).end(input);
  return await new Promise((resolve, reject) => {
    let failure: unknown;
    const stop = (reason: unknown) => {
      failure ??= reason;
      child.kill("SIGKILL");
    };
    const output: Uint8Array[] = [];
    let outputBytes = 0;
    child.stdout?.on("data", (chunk: Uint8Array) => {
      if (failure !== undefined) return;
      if (options.onOutput !== undefined) return attempt(() => options.onOutput?.(chunk), stop);
      outputBytes += chunk.length;
      if (outputBytes > maxOutputBytes) return stop(toolFailed(name, "wrote too much output"));
      output.push(chunk);
    });
    const stderr = collectErrorOutput(child);
    const onAbort = () => stop(options.signal?.reason);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const { timeoutMs = 60_000 } = options;
    const timer = setTimeout(() => stop(toolFailed(name, `did not end within ${timeoutMs} ms`)), timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    };
    child.on("error", (error) => {
      settle();
      reject(toolFailed(name, "could not be started", { cause: error }));
    });
    child.on("close", (exitCode, signalName) => {
      settle();
      if (failure !== undefined) return reject(failure);
      if (exitCode === null) return reject(toolFailed(name, `was ended by ${signalName}`, { stderr: stderr() }));
      resolve({ exitCode, stdout: Buffer.concat(output).toString("utf8"), stderr: stderr() });
    });
  });
}

/** Like runTool, but any exit code except 0 is TOOL_FAILED with what the program said. */
export async function runToolChecked(
  name: ToolName,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const result = await runTool(name, args, options);
  if (result.exitCode === 0) return result.stdout;
  throw toolFailed(name, `failed: ${firstLine(result.stderr)}`, { exitCode: result.exitCode, stderr: result.stderr });
}

export function toolFailed(
  name: ToolName,
  what: string,
  details: { cause?: unknown } & Record<string, unknown> = {},
): RepriseError {
  const { cause, ...data } = details;
  return new RepriseError("unsupported", "TOOL_FAILED", `${name} ${what}`, { data: { tool: name, ...data }, cause });
}

/** Messages in English, so that they can be recognised. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C" };
}

/** Starts collecting what a child says on standard error; the function returned gives what came so far. */
export function collectErrorOutput(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.on("data", (chunk: Uint8Array) => {
    if (text.length < maxErrorOutputBytes) text += new TextDecoder().decode(chunk);
  });
  return () => text.slice(0, maxErrorOutputBytes).trim();
}

export function firstLine(text: string): string {
  return text
    .split("\n", 1)[0]!
    .replace(/\p{Cc}+/gu, " ")
    .slice(0, 300);
}

function attempt(action: () => void, onError: (error: unknown) => void): void {
  try {
    action();
  } catch (error) {
    onError(error);
  }
}
