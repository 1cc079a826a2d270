// Which files a change touches, by comparing trees: nothing is guessed from messages, and similarity plays no part. A rename or copy counts
// with both names, because the old one is deleted or changed and the new one added.

import { changesUnknown, commonHistory, type HistoryOptions } from "./commonHistory.js";
import { gitFailed, saidBy } from "./gitErrors.js";
import { splitAtZero } from "./gitObjects.js";
import { runGitChecked } from "./gitProcess.js";
import { fetchFrom } from "./gitRemote.js";
import { type GitRepository, isNoCommit, isObjectId, resolveCommit } from "./gitRepository.js";
import { pathFromBytes } from "./pathBytes.js";

export interface ChangeRange {
  /**
   * `merge-base`: what head brings since it left base, as pull requests show it. `direct`: from one tree to the other, as a push
   * replaces it.
   */
  compare: "merge-base" | "direct";
  /** Null or zeros: a new branch. */
  base: string | null;
  head: string;
}

export interface ChangeOptions extends HistoryOptions {
  /** What a new branch is compared with; null: with nothing, so that all of its files count. */
  defaultBranch?: string | null;
}

export interface ChangedFile {
  /** From the top, with `/`; bytes that are no UTF-8 as core/git/pathBytes.ts has them. */
  path: string;
  change: "added" | "deleted" | "modified";
  /** A link or submodule may stand for a folder. */
  kind: "file" | "link" | "submodule";
}

export interface ChangedFiles {
  /** Commit that `base` names; null: there was none, and all files of head count. */
  base: string | null;
  head: string;
  /** With which commits head was compared: `base`, merge bases. */
  comparedWith: readonly string[];
  /** By path, each once. */
  files: readonly ChangedFile[];
}

/** Some hundred thousand files. */
const MAX_DIFF_BYTES = 128 * 1024 * 1024;
const FIRST_DEPTH = 64;

/** CHANGES_UNKNOWN, GIT_OUTPUT_TOO_LARGE, GIT_NAME_INVALID. In a shallow clone, missing history is fetched from `remote` into the clone. */
export async function changedFiles(
  repository: GitRepository,
  range: ChangeRange,
  options: ChangeOptions,
): Promise<ChangedFiles> {
  const head = await presentCommit(repository, range.head, options);
  const { base, comparedWith } = await comparison(repository, range, head, options);
  const files = new Map<string, ChangedFile>();
  const trees = comparedWith.length === 0 ? [await emptyTree(repository, options.signal)] : comparedWith;
  for (const from of trees)
    for (const file of await diff(repository, from, head, options.signal)) files.set(file.path, file);
  const sorted = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { base, head, comparedWith, files: sorted };
}

/** The commit, fetched when it is not here. CHANGES_UNKNOWN. */
export async function presentCommit(
  repository: GitRepository,
  revision: string,
  { remote, signal }: HistoryOptions,
): Promise<string> {
  const here = await hereAlready(repository, revision, remote, signal);
  if (here !== null) return here;
  if (remote === null) throw changesUnknown(`there is no commit ${shown(revision)} here`, { revision });
  const failure = await fetchMissing(repository, revision, remote, signal);
  const fetched = await resolveCommit(repository, isObjectId(revision) ? revision : fetchedRef(revision), { signal });
  if (fetched !== null && failure === null) return fetched;
  const why = failure === null ? "" : `: ${saidBy(failure)}`;
  throw changesUnknown(`there is no commit ${shown(revision)} here, and it could not be fetched${why}`, { revision });
}

/** A branch counts before a tag of its name, and the remote's as well: git takes the tag, which others may have pushed. */
async function hereAlready(
  repository: GitRepository,
  revision: string,
  remote: string | null,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const isName = /^[\w./-]+$/.test(revision) && !isObjectId(revision) && !/^(?:refs\/|.*HEAD$)/.test(revision);
  const branches = isName ? [`refs/heads/${revision}`, `refs/remotes/${revision}`] : [];
  if (isName && remote !== null && /^[\w.-]+$/.test(remote)) branches.push(`refs/remotes/${remote}/${revision}`);
  for (const name of [...branches, revision]) {
    const commit = await resolveCommit(repository, name, { signal });
    if (commit !== null) return commit;
  }
  return null;
}

async function fetchMissing(
  repository: GitRepository,
  revision: string,
  remote: string,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const depth = repository.isShallow ? [`--depth=${FIRST_DEPTH}`] : [];
  const what = isObjectId(revision) ? revision : `+${revision}:${fetchedRef(revision)}`;
  return await fetchFrom(repository, remote, [...depth, "--no-write-fetch-head", "--refmap="], [what], signal);
}

/** Where a branch of the remote is put that nobody had fetched. */
function fetchedRef(revision: string): string {
  return `refs/reprise/fetched/${revision.replaceAll(/[^\w/-]/g, "_")}`;
}

async function comparison(
  repository: GitRepository,
  { compare, base }: ChangeRange,
  head: string,
  options: ChangeOptions,
): Promise<Pick<ChangedFiles, "base" | "comparedWith">> {
  if (base !== null && !isNoCommit(base)) {
    const commit = await presentCommit(repository, base, options);
    if (compare === "direct") return { base: commit, comparedWith: [commit] };
    return { base: commit, comparedWith: await commonHistory(repository, commit, head, options) };
  }
  if (compare === "merge-base") throw changesUnknown("no base is named");
  const { defaultBranch = null } = options;
  if (defaultBranch === null) return { base: null, comparedWith: [] };
  const commit = await presentCommit(repository, defaultBranch, options);
  return { base: commit, comparedWith: await commonHistory(repository, commit, head, options) };
}

/** Its id: known to git without being stored. */
async function emptyTree({ folder }: GitRepository, signal: AbortSignal | undefined): Promise<string> {
  const id = await runGitChecked(folder, ["hash-object", "-t", "tree", "/dev/null"], { signal });
  return new TextDecoder().decode(id).trim();
}

/** As plumbing: no renames, no configuration of diffs, no submodule left out because .gitmodules says so. */
const DIFF = [
  "diff-tree",
  "-r",
  "-z",
  "--raw",
  "--no-abbrev",
  "--no-renames",
  "--no-relative",
  "--no-ext-diff",
  "--no-textconv",
  "--ignore-submodules=none",
  "--end-of-options",
];

async function diff(
  { folder }: GitRepository,
  from: string,
  to: string,
  signal: AbortSignal | undefined,
): Promise<ChangedFile[]> {
  const output = await runGitChecked(folder, [...DIFF, from, to], { signal, maxOutputBytes: MAX_DIFF_BYTES });
  const parts = splitAtZero(output);
  const files: ChangedFile[] = [];
  for (let at = 0; at < parts.length; at += 2) files.push(decodeChange(parts[at]!, parts[at + 1]));
  return files;
}

/** `:mode SP mode SP id SP id SP status`, and the name. */
function decodeChange(head: Uint8Array, name: Uint8Array | undefined): ChangedFile {
  const [, before = "", after = "", status = ""] =
    /^:(\d{6}) (\d{6}) [0-9a-f]+ [0-9a-f]+ ([AMDT])$/.exec(new TextDecoder().decode(head)) ?? [];
  if (status === "" || name === undefined) throw gitFailed("diff-tree", "an answer of no known form");
  const modes = [before, after];
  const kind = modes.includes("160000") ? "submodule" : modes.includes("120000") ? "link" : "file";
  const change = status === "A" ? "added" : status === "D" ? "deleted" : "modified";
  return { path: pathFromBytes(name), change, kind };
}

function shown(revision: string): string {
  return isObjectId(revision) ? revision.slice(0, 12) : `"${revision.slice(0, 100)}"`;
}
