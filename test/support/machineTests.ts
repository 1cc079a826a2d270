// `reprise test` as a process of its own, with a repository that holds bootable machines, and a folder in which all of its
// runs happen: whatever is left there afterwards was forgotten.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { inProject } from "./projectRoot.js";
import { makeTemporaryFolder } from "./temporaryFolder.js";

const MAIN = inProject("build", "cli", "main.js");
const POLL_MS = 50;

export interface TestDocument {
  passed: boolean;
  machines: (RestoreTestRecord & { signed: boolean; storedAs: string | null })[];
  untested: { machine: string; error: string }[];
  leftovers: { folders: string[]; processes: number[] }[];
  reports: string[];
  error?: { code: string; message: string };
}

export interface EndedProcess {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface StartedProcess {
  child: ChildProcess;
  ended: Promise<EndedProcess>;
  /** Resolves when it has printed this; rejects when it ends without. */
  printed(text: RegExp): Promise<void>;
}

export class MachineTests {
  readonly folder: string;
  /** TMPDIR of every process. */
  readonly runs: string;
  readonly repository: string;
  readonly #started = new Set<ChildProcess>();
  readonly #removeFolder: () => Promise<void>;

  private constructor(folder: string, removeFolder: () => Promise<void>) {
    this.folder = folder;
    this.runs = join(folder, "runs");
    this.repository = join(folder, "repository");
    this.#removeFolder = removeFolder;
  }

  /** With a repository that is not encrypted. */
  static async open(): Promise<MachineTests> {
    const { path, remove } = await makeTemporaryFolder("tests");
    const tests = new MachineTests(path, remove);
    await mkdir(tests.runs);
    await tests.succeed("init", "--no-encryption", "--pack-size", "2M");
    return tests;
  }

  async close(): Promise<void> {
    for (const child of this.#started) child.kill("SIGKILL");
    await this.#removeFolder();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Its disk is called `root` in the snapshot. */
  async backUp(machine: string, disk: string, ...options: string[]): Promise<void> {
    await this.succeed("backup", disk, "--name", `root=${disk}`, "--group", machine, ...options);
  }

  /** A spec of this name whose `spec` is given as a value; answers its path. */
  async spec(name: string, spec: Record<string, unknown>): Promise<string> {
    const path = this.path(`${name}.yaml`);
    const document = { apiVersion: "reprise/v1", kind: "RestoreTest", metadata: { name, owner: "team-test" }, spec };
    await writeFile(path, JSON.stringify(document, null, 2));
    return path;
  }

  start(args: readonly string[], environment: Record<string, string | undefined> = {}): StartedProcess {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: {
        PATH: process.env.PATH,
        TMPDIR: this.runs,
        REPRISE_REPOSITORY: this.repository,
        REPRISE_CACHE_DIR: this.path("cache"),
        ...environment,
      } as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#started.add(child);
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    const ended = once(child, "close").then(([code, signal]) => {
      this.#started.delete(child);
      return { code, signal, ...output } as EndedProcess;
    });
    const printed = async (text: RegExp) => {
      while (!text.test(output.stdout + output.stderr)) {
        if (!this.#started.has(child)) throw new Error(`it ended first: ${output.stderr}${output.stdout}`);
        await sleep(POLL_MS);
      }
    };
    return { child, ended, printed };
  }

  /** Runs a command that must end well; answers its standard output. */
  async succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.start(args).ended;
    if (code !== 0) throw new Error(`reprise ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** `reprise test`, with the document of --json. */
  async test(
    args: readonly string[],
    environment: Record<string, string | undefined> = {},
  ): Promise<{ code: number | null; document: TestDocument; stderr: string }> {
    const { code, stdout, stderr } = await this.start(["test", ...args, "--json"], environment).ended;
    try {
      return { code, document: JSON.parse(stdout) as TestDocument, stderr };
    } catch (cause) {
      throw new Error(`reprise test ended with ${code} and no document: ${stderr}${stdout}`, { cause });
    }
  }

  /** What lies where runs happen. */
  async leftFiles(): Promise<string[]> {
    return await readdir(this.runs);
  }

  /** Processes, other than the command's own, that name a folder of a run in their arguments. */
  async leftProcesses(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const words = await readFile(join("/proc", name, "cmdline"), "utf8").catch(() => "");
      if (words.includes(join(this.runs, "reprise-run-"))) found.push(Number(name));
    }
    return found;
  }

  /** Waits until a machine of some run is on. */
  async machineStarted(): Promise<number> {
    for (;;) {
      const [pid] = await this.leftProcesses();
      if (pid !== undefined) return pid;
      await sleep(POLL_MS);
    }
  }

  /** Makes the bytes in the middle of the largest stored object zero, for good: a chunk or two are lost. */
  async destroyChunk(): Promise<() => Promise<void>> {
    const names = await readdir(this.repository, { recursive: true, withFileTypes: true });
    let largest = { path: "", size: 0 };
    for (const entry of names) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const { size } = await stat(path);
      if (size > largest.size) largest = { path, size };
    }
    const copy = this.path("whole-object");
    await copyFile(largest.path, copy);
    const bytes = await readFile(largest.path);
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 200);
    await truncate(largest.path, 0);
    await writeFile(largest.path, bytes);
    return () => copyFile(copy, largest.path);
  }
}

/** Of a tiny guest under emulation, beside other tests: more time than it needs. */
export const TINY_HARDWARE = { memory: "256MiB", accelerator: "tcg" };
export const LONG_BOOT = { boot: "5m" };

export function checkOf(record: RestoreTestRecord, id: string): RestoreTestRecord["checks"][number] {
  const found = record.checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id} among ${record.checks.map((check) => check.id).join(", ")}`);
  return found;
}
