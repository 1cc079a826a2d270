// The evidence branch of a remote, fetched into a ref of ours, read within bounds and checked. The user's work tree, index and branches
// are not touched.

import { randomBytes } from "node:crypto";
import { RepriseError } from "../errors.js";
import type { VerificationKey } from "../evidence/signingKey.js";
import { bytesToHex } from "../format/ids.js";
import { branchHistory, deleteRef } from "../git/branchHistory.js";
import { listTree, readBlobs, type TreeEntry } from "../git/gitObjects.js";
import { fetchBranch } from "../git/gitRemote.js";
import type { GitRepository } from "../git/gitRepository.js";
import { shortLine } from "../report/inertText.js";
import { checkBranchHistory } from "./branchHistoryCheck.js";
import { type CheckedTree, checkBranchTree, type TreeProblem } from "./branchTree.js";
import { objectionsOfSeen, rememberBranch, seenEntry } from "./seenBranch.js";

export const DEFAULT_EVIDENCE_BRANCH = "reprise-evidence";

export interface EvidencePlace {
  /** Any clone: what is fetched goes into its object store. */
  repository: GitRepository;
  /** Name of a remote, or an address without credentials. */
  remote: string;
  branch: string;
}

export interface CheckedBranch {
  commit: string;
  tree: CheckedTree;
  /** What earlier commits had added, or this clone had seen, and was taken back or changed; empty: nothing that is known here. */
  rewritten: readonly TreeProblem[];
}

interface CheckOptions {
  signal?: AbortSignal;
  /** Who has signed each entry, not the newest one alone. */
  everySigner?: boolean;
}

const MAX_FILES = 100_000;
const MAX_FILE_BYTES = 1024 * 1024 + 1;
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_PATH_SHOWN = 200;

/** A ref for one use; the caller deletes it. */
export function temporaryRef(): string {
  return `refs/reprise/evidence-${bytesToHex(new Uint8Array(randomBytes(8)))}`;
}

/**
 * Null: the remote has no such branch. GIT_FETCH_FAILED, EVIDENCE_BRANCH_INVALID for one that is beyond all bounds, GIT_NAME_INVALID also for a
 * remote with credentials in its address.
 */
export async function readBranch(
  place: EvidencePlace,
  keys: readonly VerificationKey[],
  options: CheckOptions = {},
): Promise<CheckedBranch | null> {
  const ref = temporaryRef();
  try {
    return await readBranchInto(place, ref, keys, options);
  } finally {
    await deleteRef(place.repository, ref);
  }
}

/** The same, into a ref that stays. */
export async function readBranchInto(
  { repository, remote, branch }: EvidencePlace,
  into: string,
  keys: readonly VerificationKey[],
  { signal, everySigner = false }: CheckOptions,
): Promise<CheckedBranch | null> {
  refuseCredentials(remote);
  const place = { repository, remote, branch };
  const seen = await seenEntry(place, { signal });
  const commit = await fetchBranch(repository, { remote, branch, into }, { signal });
  if (commit === null) return null;
  const entries = await listTree(repository, commit, { signal });
  checkBounds(branch, entries);
  const ids = entries.map(({ id }) => id);
  const blobs = await readBlobs(repository, ids, { signal, maxBytes: MAX_BYTES });
  const files = new Map(entries.map(({ path }, at) => [path, blobs[at] as Uint8Array]));
  const tree = checkBranchTree(files, keys, { everySigner });
  const history = await branchHistory(repository, commit, { signal });
  const rewritten = [...objectionsOfSeen(seen, entries), ...checkBranchHistory(history)];
  if (tree.problems.length === 0 && rewritten.length === 0) await rememberBranch(place, commit, { signal });
  return { commit, tree, rewritten };
}

/** EVIDENCE_BRANCH_INVALID, with the first problem in words and all of them as data. */
export function branchInvalid(branch: string, problems: readonly TreeProblem[], hint?: string): RepriseError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const what = first === undefined ? "is not what was published" : problemText(first);
  return new RepriseError(
    "corrupt",
    "EVIDENCE_BRANCH_INVALID",
    `the evidence branch ${branch} is not sound: ${what}${more}`,
    {
      data: { branch, problems: problems.map(problemText) },
      hint: hint ?? "look at it with evidence log and --key for every key that has published; somebody has changed it",
    },
  );
}

/** Harmless for terminals and logs: the path may be anybody's. */
export function problemText({ path, message }: TreeProblem): string {
  return `${shortLine(path, MAX_PATH_SHOWN)} ${shortLine(message, 2 * MAX_PATH_SHOWN)}`;
}

/** Addresses come into logs, command lines and the lists of processes. A user's name alone is what ssh needs. */
function refuseCredentials(remote: string): void {
  const [, scheme = "", user] = /^([a-z][a-z0-9+.-]*):\/\/([^/@]*)@/i.exec(remote) ?? [];
  if (user === undefined || (!user.includes(":") && !/^http/i.test(scheme))) return;
  throw new RepriseError("usage", "GIT_NAME_INVALID", "the address of the git remote contains credentials", {
    hint: "name it without them; git takes them from its credential helper, or http.extraheader",
  });
}

function checkBounds(branch: string, entries: readonly TreeEntry[]): void {
  const refuse = (path: string, message: string) => branchInvalid(branch, [{ path, message }]);
  if (entries.length > MAX_FILES) throw refuse("the branch", `has ${entries.length} files, more than ${MAX_FILES}`);
  let total = 0;
  for (const { path, kind, sizeBytes } of entries) {
    if (kind !== "file" || sizeBytes === null) throw refuse(path, `is a ${kind}, not a file`);
    if (sizeBytes > MAX_FILE_BYTES) throw refuse(path, `has ${sizeBytes} bytes, more than ${MAX_FILE_BYTES}`);
    total += sizeBytes;
  }
  if (total > MAX_BYTES) throw refuse("the branch", `has ${total} bytes, more than ${MAX_BYTES}`);
}
