// Branches of another repository: fetched into private refs, and pushed to without force. A push that comes too late is told apart from
// one that fails, because the first can be repeated after another fetch.

import { RepriseError } from "../errors.js";
import { saidBy, withoutCredentials } from "./gitErrors.js";
import { runGit } from "./gitProcess.js";
import { type GitRepository, resolveCommit } from "./gitRepository.js";

interface Options {
  signal?: AbortSignal;
}

const NETWORK_TIMEOUT_MS = 10 * 60_000;

export interface FetchedBranch {
  /** Name of a remote, or an address. */
  remote: string;
  /** Without refs/heads/. */
  branch: string;
  /** The ref of ours that shall hold it: `refs/reprise/…`; what it held before is replaced. */
  into: string;
}

/** The commit at its tip, with all of its history; null: the remote has no such branch. GIT_FETCH_FAILED. */
export async function fetchBranch(
  repository: GitRepository,
  { remote, branch, into }: FetchedBranch,
  { signal }: Options = {},
): Promise<string | null> {
  const refspec = `+refs/heads/${checkedBranch(branch)}:${into}`;
  const failure = await fetchFrom(repository, remote, ["--no-write-fetch-head", "--refmap="], [refspec], signal);
  if (failure === null) return await resolveCommit(repository, into, { signal });
  if (/couldn't find remote ref/i.test(failure)) return null;
  throw fetchFailed(remote, failure);
}

/** What git says when it could not; null: done. `what`: ids of commits, or refspecs; nothing: as the remote is configured. */
export async function fetchFrom(
  { folder }: GitRepository,
  remote: string,
  options: readonly string[],
  what: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const args = ["fetch", "--no-tags", "--no-recurse-submodules", "--quiet", ...options, "--end-of-options"];
  const call = { signal, timeoutMs: NETWORK_TIMEOUT_MS };
  const { exitCode, stderr } = await runGit(folder, [...args, checkedRemote(remote), ...what], call);
  return exitCode === 0 ? null : stderr || `exit code ${exitCode}`;
}

function fetchFailed(remote: string, stderr: string): RepriseError {
  const from = withoutCredentials(remote);
  const message = `git could not fetch from ${from}: ${saidBy(stderr)}`;
  return new RepriseError("backend", "GIT_FETCH_FAILED", message, { data: { remote: from }, retry: "later" });
}

/**
 * `rejected`: the branch has moved on meanwhile, nothing was changed, fetch and build the commit anew. GIT_PUSH_FAILED for
 * anything else: no permission, a protected branch, no connection.
 */
export async function pushCommit(
  { folder }: GitRepository,
  { remote, branch, commit }: { remote: string; branch: string; commit: string },
  { signal }: Options = {},
): Promise<"pushed" | "rejected"> {
  const refspec = `${commit}:refs/heads/${checkedBranch(branch)}`;
  const args = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--end-of-options"];
  const call = { signal, timeoutMs: NETWORK_TIMEOUT_MS };
  const { exitCode, stdout, stderr } = await runGit(folder, [...args, checkedRemote(remote), refspec], call);
  if (exitCode === 0) return "pushed";
  const [, refusal = ""] = /^!\t[^\t]*\t(.*)$/m.exec(new TextDecoder().decode(stdout)) ?? [];
  if (isLate(refusal)) return "rejected";
  const to = withoutCredentials(remote);
  const message = `git could not push to the branch ${branch} of ${to}: ${refusal || saidBy(stderr)}`;
  throw new RepriseError("backend", "GIT_PUSH_FAILED", message.slice(0, 600), {
    data: { remote: to, branch },
    hint: "who pushes needs the right to write this branch (contents: write in a workflow)",
    retry: "later",
  });
}

/** Somebody else was faster, before the push or while it took place. */
function isLate(refusal: string): boolean {
  if (/^\[rejected\] \((?:non-fast-forward|fetch first|stale info)\)/.test(refusal)) return true;
  const isRace = /cannot lock ref|failed to update ref|reference already exists|incorrect old value|failed to lock/i;
  return refusal.startsWith("[remote rejected]") && isRace.test(refusal);
}

function checkedRemote(remote: string): string {
  const isSafe = remote.length > 0 && remote.length <= 2_000 && !/^-|[\p{Cc}]/u.test(remote);
  if (!isSafe) throw new RepriseError("usage", "GIT_NAME_INVALID", "the git remote has no name that git would take");
  return remote;
}

/** As git check-ref-format has it, and no wildcard, so that a refspec cannot become another one. */
function checkedBranch(branch: string): string {
  const parts = branch.split("/");
  const isSafe =
    branch.length <= 250 &&
    !/[\s~^:?*[\\\p{Cc}]|\.\.|@\{/u.test(branch) &&
    branch !== "@" &&
    parts.every((part) => part !== "" && !/^[-.]|\.lock$|\.$/.test(part));
  if (isSafe) return branch;
  throw new RepriseError("usage", "GIT_NAME_INVALID", `"${branch.slice(0, 100)}" is no name for a git branch`);
}
