// New commits without a work tree: blobs, a tree through an index of its own, a commit. Nobody's index, branch or HEAD changes.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concatBytes, encodeText } from "../format/bytes.js";
import { askGit, runGitChecked } from "./gitProcess.js";
import type { GitRepository } from "./gitRepository.js";
import { pathToBytes } from "./pathBytes.js";

interface Options {
  signal?: AbortSignal;
}

export interface TreeChange {
  path: string;
  /** Id of a blob; null: the file goes. */
  blob: string | null;
}

export interface NewCommit {
  tree: string;
  parents: readonly string[];
  message: string;
  /** Author and committer. */
  name: string;
  email: string;
  atMs: number;
}

/** Its id. */
export async function writeBlob({ folder }: GitRepository, bytes: Uint8Array, options: Options = {}): Promise<string> {
  const args = ["hash-object", "-w", "--no-filters"];
  if (bytes.length === 0) return await askGit(folder, [...args, "/dev/null"], options);
  return await askGit(folder, [...args, "--stdin"], { ...options, input: bytes });
}

/** The tree of `base` (null: an empty one) with these changes; its id. */
export async function writeTree(
  repository: GitRepository,
  base: string | null,
  changes: readonly TreeChange[],
  options: Options = {},
): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "reprise-index-"));
  try {
    const call = { ...options, variables: { GIT_INDEX_FILE: join(scratch, "index") } };
    const { folder } = repository;
    await runGitChecked(folder, base === null ? ["read-tree", "--empty"] : ["read-tree", base], call);
    if (changes.length > 0) {
      const input = concatBytes(changes.flatMap((change) => indexLine(repository, change)));
      await runGitChecked(folder, ["update-index", "-z", "--index-info"], { ...call, input });
    }
    return await askGit(folder, ["write-tree"], call);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Its id. Nothing refers to it yet: push it, or it goes with git's next cleaning. */
export async function writeCommit(
  { folder }: GitRepository,
  { tree, parents, message, name, email, atMs }: NewCommit,
  options: Options = {},
): Promise<string> {
  const date = `${Math.floor(atMs / 1000)} +0000`;
  const variables = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
  const args = ["commit-tree", "--no-gpg-sign", ...parents.flatMap((parent) => ["-p", parent]), "-F", "-", tree];
  return await askGit(folder, args, { ...options, variables, input: encodeText(`${message.trimEnd()}\n`) });
}

/** `mode SP id TAB path NUL`; mode 0 removes. */
function indexLine({ idLength }: GitRepository, { path, blob }: TreeChange): Uint8Array[] {
  const head = blob === null ? `0 ${"0".repeat(idLength)}\t` : `100644 ${blob}\t`;
  return [encodeText(head), pathToBytes(path), Uint8Array.of(0)];
}
