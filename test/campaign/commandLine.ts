// The real command line, `dist/cli/reprise.mjs`, as a process of its own that can be killed.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { inProject } from "../support/projectRoot.js";

export const campaignPassphrase = "campaign";

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
}

const program = inProject("dist", "cli", "reprise.mjs");

export class CommandLine {
  readonly repository: string;
  readonly #environment: NodeJS.ProcessEnv;

  /** The cache lies in `folder`. `environment`: besides the passphrase, or instead of it. */
  constructor(folder: string, repository = join(folder, "repository"), environment: NodeJS.ProcessEnv = {}) {
    this.repository = repository;
    this.#environment = {
      PATH: process.env.PATH,
      REPRISE_PASSPHRASE: campaignPassphrase,
      REPRISE_REPOSITORY: repository,
      REPRISE_CACHE_DIR: join(folder, "cache"),
      ...environment,
    };
    if (!existsSync(program)) throw new Error(`${program} does not exist: npm run build`);
  }

  start(...args: string[]): Running {
    return startProgram(process.execPath, [program, ...args], { env: this.#environment });
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** The JSON document of a command that must succeed (code 0, or 3 with warnings). */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const ended = await this.run(...args, "--json");
    if (ended.code !== 0 && ended.code !== 3) throw new CommandFailed(args, ended);
    return JSON.parse(ended.stdout) as T;
  }
}

export class CommandFailed extends Error {
  readonly ended: Ended;

  constructor(args: readonly string[], ended: Ended) {
    const { code, signal, stdout, stderr } = ended;
    super(`reprise ${args.join(" ")} ended with ${code ?? signal}: ${stderr.trim()} ${stdout.trim()}`.slice(0, 2000));
    this.ended = ended;
  }
}

export function startProgram(
  file: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Running {
  const started = performance.now();
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...output, ms: performance.now() - started }));
  });
  return { child, ended };
}
