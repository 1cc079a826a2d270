// From what git says on standard error to errors with codes. Messages are matched in English: the process runs with LC_ALL=C.

import { RepriseError } from "../errors.js";

export interface GitFailure {
  /** The command's name: "fetch". */
  command: string;
  folder: string;
  exitCode: number;
  stderr: string;
}

const MAX_SHOWN = 500;

/** GIT_MISSING, GIT_FOLDER_UNTRUSTED, GIT_REPOSITORY_MISSING or GIT_FAILED. */
export function gitError({ command, folder, exitCode, stderr }: GitFailure): RepriseError {
  if (/\bspawn \S+ ENOENT\b/.test(stderr)) {
    return new RepriseError("unsupported", "GIT_MISSING", "the program git is not installed", {
      hint: "install git, 2.30 or later: apt-get install git",
    });
  }
  if (/detected dubious ownership/.test(stderr)) {
    const message = `git refuses to work in ${folder}: the folder belongs to another user`;
    const hint = `if you trust it: git config --global --add safe.directory "${folder}"`;
    return new RepriseError("unsupported", "GIT_FOLDER_UNTRUSTED", message, { data: { folder }, hint });
  }
  if (/not a git repository/i.test(stderr)) {
    return new RepriseError("not-found", "GIT_REPOSITORY_MISSING", `${folder} is not in a git repository`, {
      data: { folder },
      hint: "check the repository out before (actions/checkout), or name its folder",
    });
  }
  return gitFailed(command, saidBy(stderr) || `exit code ${exitCode}`, { exitCode });
}

export function gitFailed(command: string, what: string, data: Record<string, unknown> = {}): RepriseError {
  return new RepriseError("unsupported", "GIT_FAILED", `git ${command}: ${what}`, { data: { command, ...data } });
}

/** The line that says why, without credentials that stand in addresses. */
export function saidBy(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const telling = lines.find((line) => /^(?:fatal|error|ERROR|remote: error):/.test(line)) ?? lines.at(-1) ?? "";
  return withoutCredentials(telling)
    .replaceAll(/\p{Cc}+/gu, " ")
    .slice(0, MAX_SHOWN)
    .trim();
}

export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@'"]+@/gi, "$1***@");
}
