// A git repository as other rooms hold it, and how a revision becomes a commit. Nothing here or beside it touches the work tree, the
// index or the branches of whoever works in it. Commands that reach a server obey the repository's own configuration of transport
// (remote.*, credential.*, core.sshCommand, http.*): without it no checkout could fetch.

import { RepriseError } from "../errors.js";
import { gitError } from "./gitErrors.js";
import { askGit, runGit, runGitChecked } from "./gitProcess.js";

export interface GitRepository {
  /** Full path of the work tree's top; of the repository itself when it has no work tree. */
  folder: string;
  /** Digits of an object's id: 40, or 64 with SHA-256. */
  idLength: 40 | 64;
  isShallow: boolean;
}

const MAX_REVISION_CHARS = 1_000;

/** `folder` may lie inside of it. GIT_MISSING, GIT_REPOSITORY_MISSING, GIT_FOLDER_UNTRUSTED, GIT_FAILED. */
export async function openGitRepository(
  folder: string,
  options: { signal?: AbortSignal } = {},
): Promise<GitRepository> {
  const asked = ["--show-object-format", "--is-inside-work-tree", "--is-shallow-repository"];
  const answer = new TextDecoder().decode(await runGitChecked(folder, ["rev-parse", ...asked], options));
  const [format, isInside, isShallow] = answer.split("\n");
  const place = isInside === "true" ? "--show-toplevel" : "--absolute-git-dir";
  const top = await askGit(folder, ["rev-parse", place], options);
  return { folder: top, idLength: format === "sha256" ? 64 : 40, isShallow: isShallow === "true" };
}

/** Id of the commit that a branch, tag, id or expression names; null: there is none. GIT_NAME_INVALID for what looks like an option. */
export async function resolveCommit(
  repository: GitRepository,
  revision: string,
  options: { signal?: AbortSignal } = {},
): Promise<string | null> {
  checkRevision(revision);
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const answer = await runGit(repository.folder, args, options);
  const text = new TextDecoder().decode(answer.stdout).trim();
  if (answer.exitCode === 0 && isObjectId(text)) return text;
  // 1: quietly no such thing; 128: an expression that makes no sense, or a repository in trouble
  if (answer.exitCode === 1 || isUnknownRevision(answer.stderr)) return null;
  throw gitError({ command: "rev-parse", folder: repository.folder, ...answer });
}

export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** What services send for "there was none": all zeros. */
export function isNoCommit(id: string): boolean {
  return /^0+$/.test(id);
}

/** GIT_NAME_INVALID. */
function checkRevision(revision: string): void {
  const isSafe = revision.length > 0 && revision.length <= MAX_REVISION_CHARS && !/^-|[\p{Cc}]/u.test(revision);
  if (isSafe) return;
  throw new RepriseError("usage", "GIT_NAME_INVALID", `"${revision.slice(0, 100)}" is not a revision of git`, {
    hint: "name a commit, a branch or a tag",
  });
}

function isUnknownRevision(stderr: string): boolean {
  return /unknown revision|bad revision|Needed a single revision|expected commit type|ambiguous argument/i.test(stderr);
}
