// What this clone has seen of the evidence branch before, in a ref of its own: a branch that has been forced back to an older state
// lacks an entry that was there. A fresh clone remembers nothing.

import { textDigest } from "../evidence/textDigest.js";
import { moveRef } from "../git/branchHistory.js";
import { listTree, type TreeEntry } from "../git/gitObjects.js";
import { type GitRepository, resolveCommit } from "../git/gitRepository.js";
import { parseBranchPath } from "./branchPaths.js";
import type { TreeProblem } from "./branchTree.js";

interface Options {
  signal?: AbortSignal;
}

interface Place {
  repository: GitRepository;
  remote: string;
  branch: string;
}

/** The newest entry of the log that was there and sound when it was read the last time. */
export interface SeenEntry {
  ref: string;
  commit: string;
  path: string;
  /** Of its blob. */
  id: string;
}

/** Read it before the branch is fetched: what others have seen since then may be newer than what comes. Null: nothing. */
export async function seenEntry({ repository, remote, branch }: Place, options: Options): Promise<SeenEntry | null> {
  const ref = seenRef(remote, branch);
  const commit = await resolveCommit(repository, ref, options);
  if (commit === null) return null;
  const newest = newestEntry(await listTree(repository, commit, options));
  return newest === undefined ? null : { ref, commit, path: newest.path, id: newest.id };
}

/**
 * Of a branch that is sound. `before`: what was remembered when it was read. When another process has remembered something else since,
 * that stays: this commit may be the older one, and the memory must not go back.
 */
export async function rememberBranch(
  { repository, remote, branch }: Place,
  { before, commit }: { before: string | null; commit: string },
  options: Options = {},
): Promise<void> {
  if (before === commit) return;
  await moveRef(repository, seenRef(remote, branch), { before, commit }, options);
}

export function objectionsOfSeen(seen: SeenEntry | null, entries: readonly TreeEntry[]): TreeProblem[] {
  if (seen === null || entries.some(({ path, id }) => path === seen.path && id === seen.id)) return [];
  const message = `was there when this clone read the branch before, and is not any more (git update-ref -d ${seen.ref} forgets that)`;
  return [{ path: seen.path, message }];
}

function newestEntry(entries: readonly TreeEntry[]): TreeEntry | undefined {
  return entries.filter(({ path }) => parseBranchPath(path)?.kind === "log").at(-1);
}

function seenRef(remote: string, branch: string): string {
  return `refs/reprise/evidence-seen/${textDigest(`${remote}\n${branch}`).slice(0, 16)}`;
}
