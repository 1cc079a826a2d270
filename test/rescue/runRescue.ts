// Runs rescue/rescue.mjs as people do: a process of its own, nothing of ours in its environment.

import { execFile } from "node:child_process";
import { inProject } from "../support/projectRoot.js";

export const rescueProgram = inProject("rescue/rescue.mjs");

export interface RescueRun {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RescueOptions {
  repo?: string;
  env?: Record<string, string>;
  cwd?: string;
  /** Another copy of the program. */
  program?: string;
  nodeFlags?: string[];
}

export function runRescue(args: string[], options: RescueOptions = {}): Promise<RescueRun> {
  const { repo, env = {}, cwd, program = rescueProgram, nodeFlags = [] } = options;
  const repoArgs = repo === undefined ? [] : ["--repo", repo];
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("REPRISE_")));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [...nodeFlags, program, ...repoArgs, ...args],
      { env: { ...clean, ...env }, cwd, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== "number") reject(error);
        else resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr });
      },
    );
  });
}
