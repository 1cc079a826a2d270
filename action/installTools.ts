// Programs of the system that commands need, and their packages on Debian and Ubuntu. The one file that names @actions/exec.

import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { exec } from "@actions/exec";
import { RepriseError } from "../core/index.js";
import type { Command } from "./inputs.js";
import type { Runner } from "./runner.js";

interface Tool {
  program: string;
  /** Of Debian and Ubuntu. */
  package: string;
  commands: readonly Command[];
}

const TOOLS: readonly Tool[] = [
  { program: "qemu-system-x86_64", package: "qemu-system-x86", commands: ["restore-test", "run"] },
  { program: "qemu-img", package: "qemu-utils", commands: ["restore-test", "run"] },
  { program: "qemu-nbd", package: "qemu-utils", commands: ["backup", "run"] },
];

/** Installs what is missing when `install` says so; else names it in the log, and what cannot be done without it says so itself. */
export async function provideTools(runner: Runner, command: Command, install: boolean): Promise<void> {
  const wanted = TOOLS.filter(({ commands }) => commands.includes(command));
  const there = await Promise.all(wanted.map(({ program }) => isOnPath(program, runner.env.PATH ?? "")));
  const missing = [...new Set(wanted.filter((_, at) => !there[at]).map((tool) => tool.package))];
  if (missing.length === 0) return;
  if (!install) {
    runner.debug(`not installed: ${missing.join(", ")}; install-tools: true installs them on Debian and Ubuntu`);
    return;
  }
  await runner.group(`Installing ${missing.join(", ")}`, async () => {
    await aptGet(runner, ["update", "-qq"]);
    await aptGet(runner, ["install", "-y", "-qq", "--no-install-recommends", ...missing]);
  });
}

async function aptGet(runner: Runner, args: readonly string[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const words = isRoot ? ["apt-get", ...args] : ["sudo", "-n", "apt-get", ...args];
  const { PATH = "", HOME = "" } = runner.env;
  // no secret of the step is a package manager's business
  const env = { PATH, HOME, DEBIAN_FRONTEND: "noninteractive" };
  const stdline = (line: string) => runner.log(line);
  const listeners = { stdline, errline: stdline };
  const code = await exec(words[0] as string, words.slice(1), {
    env,
    silent: true,
    ignoreReturnCode: true,
    listeners,
  }).catch((cause: unknown) => {
    throw installFailed(words, cause instanceof Error ? cause.message : String(cause));
  });
  if (code !== 0) throw installFailed(words, `it ended with code ${code}`);
}

function installFailed(words: readonly string[], why: string): RepriseError {
  return new RepriseError("unsupported", "TOOLS_NOT_INSTALLED", `${words.join(" ")} did not succeed: ${why}`, {
    hint: "install the packages in a step of your own, or use a runner with Debian or Ubuntu and sudo",
  });
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter)) {
    if (folder === "") continue;
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
