// Runs one git process to its end: through simple-git, and nowhere else (ADR 0056). No shell, no hooks, no pager, no questions; output is
// counted while it comes in, and bytes stay bytes. What the commands mean is the matter of the files beside this one.

import { type SimpleGitOptions, simpleGit } from "simple-git";
import { RepriseError } from "../errors.js";
import { ALLOWED_VARIABLES, type CallVariable, gitEnvironment } from "./gitEnvironment.js";
import { gitError, gitFailed } from "./gitErrors.js";

export interface GitCall {
  signal?: AbortSignal;
  /** For standard input; not empty. */
  input?: Uint8Array;
  variables?: Partial<Record<CallVariable, string>>;
  /** Of standard output; more ends the process with GIT_OUTPUT_TOO_LARGE. Default 16 MiB. */
  maxOutputBytes?: number;
  /** Default 2 minutes. */
  timeoutMs?: number;
}

export interface GitAnswer {
  exitCode: number;
  stdout: Uint8Array;
  /** The first 64 KiB. */
  stderr: string;
}

const DEFAULT_OUTPUT_BYTES = 16 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_STDERR_BYTES = 64 * 1024;

/** Set on every command line, before anything that a repository's own configuration says. */
const CONFIG = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.splitIndex=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.recurseSubmodules=false",
  "fetch.writeCommitGraph=false",
  "submodule.recurse=false",
  "push.gpgSign=false",
  "push.recurseSubmodules=no",
  "advice.detachedHead=false",
];

/** What the guard of simple-git would refuse although it is ours or the user's own. */
const UNSAFE: SimpleGitOptions["unsafe"] = {
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeAskPass: true,
  allowUnsafeSshCommand: true,
  allowUnsafeConfigPaths: true,
};

/** Whatever the exit code. GIT_MISSING, GIT_FAILED (too slow, ended by a signal), GIT_OUTPUT_TOO_LARGE, or the abort reason. */
export async function runGit(folder: string, args: readonly string[], call: GitCall = {}): Promise<GitAnswer> {
  call.signal?.throwIfAborted();
  const { maxOutputBytes = DEFAULT_OUTPUT_BYTES, timeoutMs = DEFAULT_TIMEOUT_MS } = call;
  const command = args[0] ?? "";
  const stop = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    ended.reject(reason);
    stop.abort();
  };
  const timer = setTimeout(() => end(gitFailed(command, `did not end within ${timeoutMs} ms`)), timeoutMs);
  const onAbort = () => end(call.signal?.reason);
  call.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const answer = spawnGit(folder, args, call, stop.signal, (bytes) => {
      if (bytes > maxOutputBytes) end(tooLarge(command, maxOutputBytes));
    });
    return await Promise.race([answer, ended.promise]);
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener("abort", onAbort);
  }
}

/** Standard output; any exit code except 0 is an error (gitErrors.ts). */
export async function runGitChecked(folder: string, args: readonly string[], call: GitCall = {}): Promise<Uint8Array> {
  const answer = await runGit(folder, args, call);
  if (answer.exitCode === 0) return answer.stdout;
  throw gitError({ command: args[0] ?? "", folder, ...answer });
}

/** Its first line, as text. */
export async function askGit(folder: string, args: readonly string[], call: GitCall = {}): Promise<string> {
  const [line = ""] = new TextDecoder().decode(await runGitChecked(folder, args, call)).split("\n");
  return line;
}

/** `onBytes` gets how much has come so far. */
async function spawnGit(
  folder: string,
  args: readonly string[],
  { input, variables }: GitCall,
  abort: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<GitAnswer> {
  const answer: { exitCode: number; stdout: Uint8Array; stderr: string } = {
    exitCode: -1,
    stdout: new Uint8Array(),
    stderr: "",
  };
  const options: Partial<SimpleGitOptions> = {
    baseDir: folder,
    config: CONFIG,
    allowEnvironment: ALLOWED_VARIABLES,
    unsafe: UNSAFE,
    abort,
    completion: { onClose: true, onExit: false },
    input: () => (input === undefined ? undefined : Buffer.from(input.buffer, input.byteOffset, input.byteLength)),
    errors: (_error, { exitCode, stdOut, stdErr }) => {
      answer.exitCode = exitCode;
      answer.stdout = Buffer.concat(stdOut);
      answer.stderr = Buffer.concat(stdErr).subarray(0, MAX_STDERR_BYTES).toString("utf8");
      return undefined;
    },
  };
  try {
    const git = simpleGit(options).env(gitEnvironment(process.env, variables));
    let bytes = 0;
    git.outputHandler((_command, stdout) => {
      stdout.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length;
        onBytes(bytes);
      });
    });
    await git.raw(["--no-pager", "--literal-pathspecs", ...args]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/directory that does not exist/.test(message)) throw folderMissing(folder);
    throw gitFailed(args[0] ?? "", message);
  }
  if (answer.exitCode < 0) throw gitError({ command: args[0] ?? "", folder, ...answer });
  return answer;
}

function folderMissing(folder: string): RepriseError {
  return new RepriseError("not-found", "GIT_REPOSITORY_MISSING", `there is no folder ${folder}`, { data: { folder } });
}

function tooLarge(command: string, limit: number): RepriseError {
  return new RepriseError("unsupported", "GIT_OUTPUT_TOO_LARGE", `git ${command} answered more than ${limit} bytes`, {
    data: { command, limit },
  });
}
