// A bare repository as remote, clones of it, and somebody who changes the evidence branch by hand: real git, in a folder of its own.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { EvidencePlace } from "../../core/evidenceBranch/fetchedBranch.js";
import { openGitRepository } from "../../core/git/gitRepository.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

export const BRANCH = "reprise-evidence";

export interface GitRemote {
  folder: string;
  /** The bare repository. */
  bare: string;
  clone(name: string): string;
  place(clone: string, remote?: string): Promise<EvidencePlace>;
  /** Standard output without its last newline. */
  git(folder: string, ...args: string[]): string;
  /** Checks the branch out elsewhere, changes files there, commits, and pushes it with these arguments. */
  tamper(change: (folder: string) => Promise<void> | void, ...push: string[]): Promise<void>;
  tip(): string;
  remove(): Promise<void>;
}

export async function makeGitRemote(name: string): Promise<GitRemote> {
  const root = await makeTemporaryFolder(name);
  const bare = join(root.path, "remote.git");
  let tampered = 0;
  const git = (folder: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-C", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trimEnd();
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", bare]);
  const clone = (cloneName: string) => {
    const folder = join(root.path, cloneName);
    execFileSync("git", ["clone", "-q", bare, folder], { stdio: "ignore" });
    return folder;
  };
  const first = clone("first");
  await writeFile(join(first, "app.txt"), "app\n");
  git(first, "add", "app.txt");
  git(first, "commit", "-q", "-m", "app");
  git(first, "push", "-q", "origin", "HEAD:main");
  return {
    folder: root.path,
    bare,
    clone,
    git,
    place: async (folder, remote = "origin") => ({
      repository: await openGitRepository(folder),
      remote,
      branch: BRANCH,
    }),
    tamper: async (change, ...push) => {
      const folder = join(root.path, `tamper-${++tampered}`);
      execFileSync("git", ["clone", "-q", "-b", BRANCH, bare, folder], { stdio: "ignore" });
      await change(folder);
      git(folder, "add", "-A");
      git(folder, "commit", "-q", "--allow-empty", "-m", "harmless");
      git(folder, "push", "-q", "origin", `HEAD:${BRANCH}`, ...push);
      await rm(folder, { recursive: true });
    },
    tip: () => git(bare, "rev-parse", `refs/heads/${BRANCH}`),
    remove: () => root.remove(),
  };
}

export async function writeAt(folder: string, path: string, data: string | Uint8Array): Promise<void> {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), data);
}
