// What the commits of a branch have added, changed and removed, and refs of ours that nobody else uses.

import { gitError, gitFailed } from "./gitErrors.js";
import { runGit, runGitChecked } from "./gitProcess.js";
import { type GitRepository, resolveCommit } from "./gitRepository.js";

interface Options {
  signal?: AbortSignal;
}

export interface BranchCommit {
  id: string;
  /** 0: the first commit, or the first one that a shallow repository has. */
  parents: number;
  /** None of a merge. Unusual paths are quoted as git quotes them. */
  changes: readonly { kind: "added" | "changed" | "removed"; path: string }[];
}

const MAX_HISTORY_BYTES = 64 * 1024 * 1024;

/** Oldest first, in the order of their descent. GIT_OUTPUT_TOO_LARGE above 64 MiB of names. */
export async function branchHistory(
  { folder }: GitRepository,
  tip: string,
  { signal }: Options = {},
): Promise<BranchCommit[]> {
  const form = ["--format=commit %H %P", "--name-status", "--no-renames", "--no-color", "--no-show-signature"];
  const args = ["log", "--topo-order", "--root", "--no-mailmap", ...form, "--end-of-options", tip];
  const output = await runGitChecked(folder, args, { signal, maxOutputBytes: MAX_HISTORY_BYTES });
  const commits: { id: string; parents: number; changes: BranchCommit["changes"][number][] }[] = [];
  for (const line of new TextDecoder().decode(output).split("\n")) {
    if (line === "") continue;
    const [, id, parents = ""] = /^commit ([0-9a-f]+) ?([0-9a-f ]*)$/.exec(line) ?? [];
    if (id !== undefined) commits.push({ id, parents: parents.split(" ").filter((each) => each).length, changes: [] });
    else commits.at(-1)?.changes.push(decodeChange(line));
  }
  return commits.reverse();
}

/** Nothing happens when it is not there. */
export async function deleteRef({ folder }: GitRepository, ref: string, { signal }: Options = {}): Promise<void> {
  const args = ["update-ref", "-d", ref];
  const answer = await runGit(folder, args, { signal });
  if (answer.exitCode !== 0) throw gitError({ command: "update-ref", folder, ...answer });
}

/** Names of refs below `prefix`, which ends with a slash. */
export async function listRefs({ folder }: GitRepository, prefix: string, { signal }: Options = {}): Promise<string[]> {
  const output = await runGitChecked(folder, ["for-each-ref", "--format=%(refname)", prefix], { signal });
  return new TextDecoder()
    .decode(output)
    .split("\n")
    .filter((name) => name !== "");
}

/** Makes it, or moves it there from `before` (null: there was none); false when somebody else has moved it since. */
export async function moveRef(
  repository: GitRepository,
  ref: string,
  { before, commit }: { before: string | null; commit: string },
  options: Options = {},
): Promise<boolean> {
  const old = before ?? "0".repeat(repository.idLength);
  const { exitCode, stderr } = await runGit(repository.folder, ["update-ref", ref, commit, old], options);
  if (exitCode === 0) return true;
  if ((await resolveCommit(repository, ref, options)) !== before) return false;
  throw gitError({ command: "update-ref", folder: repository.folder, exitCode, stderr });
}

function decodeChange(line: string): BranchCommit["changes"][number] {
  const [, status, path] = /^([A-Z])\d*\t(.*)$/.exec(line) ?? [];
  if (status === undefined || path === undefined) throw gitFailed("log", "an answer of no known form");
  return { kind: status === "A" ? "added" : status === "D" ? "removed" : "changed", path };
}
