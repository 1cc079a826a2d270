// Real git repositories for tests, made with the program git and nothing of the user's own configuration.

import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeTemporaryFolder } from "./temporaryFolder.js";

const AUTHOR = { name: "Ada", email: "ada@example.org" };

const environment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: AUTHOR.name,
  GIT_AUTHOR_EMAIL: AUTHOR.email,
  GIT_COMMITTER_NAME: AUTHOR.name,
  GIT_COMMITTER_EMAIL: AUTHOR.email,
  LC_ALL: "C",
};

export class GitSandbox {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** An empty repository with the branch `main`. */
  static init(folder: string, ...options: string[]): GitSandbox {
    execFileSync("git", ["init", "--quiet", "--initial-branch=main", ...options, folder], { env: environment });
    return new GitSandbox(folder);
  }

  static clone(from: string, folder: string, ...options: string[]): GitSandbox {
    execFileSync("git", ["clone", "--quiet", ...options, from, folder], { env: environment, stdio: "pipe" });
    return new GitSandbox(folder);
  }

  /** Standard output without the last line's end. */
  git(...args: string[]): string {
    return this.gitWithInput("", ...args);
  }

  gitWithInput(input: string | Uint8Array, ...args: string[]): string {
    const options = { cwd: this.folder, env: environment, input, stdio: "pipe" as const, maxBuffer: 1 << 26 };
    return execFileSync("git", args, options).toString("utf8").trimEnd();
  }

  /** Writes files (null: removes one) and commits everything; the commit's id. */
  async commit(files: Record<string, string | null>, message = "change"): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      if (text === null) this.git("rm", "-q", "--", path);
      else {
        await mkdir(dirname(join(this.folder, path)), { recursive: true });
        await writeFile(join(this.folder, path), text);
      }
    }
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "-m", message);
    return this.head();
  }

  head(revision = "HEAD"): string {
    return this.git("rev-parse", `${revision}^{commit}`);
  }
}

/** A fresh folder for one test; it goes when the test ends. */
export async function inScratch(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await makeTemporaryFolder("git");
  try {
    await use(folder.path);
  } finally {
    await folder.remove();
  }
}
