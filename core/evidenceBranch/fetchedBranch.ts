// The evidence branch of a remote, fetched into a ref of ours, read within bounds and checked. The user's work tree, index and branches
// are not touched.

import { randomBytes } from "node:crypto";
import { RepriseError } from "../errors.js";
import type { VerificationKey } from "../evidence/signingKey.js";
import { bytesToHex } from "../format/ids.js";
import { branchHistory, deleteRef, listRefs } from "../git/branchHistory.js";
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
  /** Bytes of each file, by its path. */
  sizes: ReadonlyMap<string, number>;
  /** What earlier commits had added, or this clone had seen, and was taken back or changed; empty: nothing that is known here. */
  rewritten: readonly TreeProblem[];
}

interface CheckOptions {
  signal?: AbortSignal;
  /** Who has signed each entry, not the newest one alone. */
  everySigner?: boolean;
  /** What may be read. Default: READ_LIMITS. */
  limits?: BranchLimits;
}

export interface BranchLimits {
  files: number;
  /** In all. */
  bytes: number;
}

/** What readers take; nobody publishes beyond it. */
export const READ_LIMITS: BranchLimits = { files: 100_000, bytes: 256 * 1024 * 1024 };
const MAX_FILE_BYTES = 1024 * 1024 + 1;
/** A use of a temporary ref takes minutes; older ones are of processes that were killed. */
const LEFT_AFTER_MS = 24 * 3_600_000;
const TIME_DIGITS = 12;
const MAX_PATH_SHOWN = 200;

/** A ref for one use; the caller deletes it. Its name says when it was made. */
export function temporaryRef(): string {
  const time = Date.now().toString(16).padStart(TIME_DIGITS, "0");
  return `refs/reprise/evidence-${time}-${bytesToHex(new Uint8Array(randomBytes(8)))}`;
}

/** Temporary refs that nobody deletes any more: they would keep objects alive for ever. */
async function sweepLeftRefs(repository: GitRepository, signal: AbortSignal | undefined): Promise<void> {
  for (const name of await listRefs(repository, "refs/reprise/", { signal })) {
    const [, time] = /^refs\/reprise\/evidence-([0-9a-f]{12})-[0-9a-f]{16}$/.exec(name) ?? [];
    if (time !== undefined && Date.now() - Number.parseInt(time, 16) > LEFT_AFTER_MS) await deleteRef(repository, name);
  }
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
  { signal, everySigner = false, limits = READ_LIMITS }: CheckOptions,
): Promise<CheckedBranch | null> {
  refuseCredentials(remote);
  const place = { repository, remote, branch };
  await sweepLeftRefs(repository, signal);
  const seen = await seenEntry(place, { signal });
  const commit = await fetchBranch(repository, { remote, branch, into }, { signal });
  if (commit === null) return null;
  const entries = await listTree(repository, commit, { signal });
  checkBounds(branch, entries, limits);
  const ids = entries.map(({ id }) => id);
  const blobs = await readBlobs(repository, ids, { signal, maxBytes: limits.bytes });
  const files = new Map(entries.map(({ path }, at) => [path, blobs[at] as Uint8Array]));
  const tree = checkBranchTree(files, keys, { everySigner });
  const history = await branchHistory(repository, commit, { signal });
  const rewritten = [...objectionsOfSeen(seen, entries), ...checkBranchHistory(history)];
  if (tree.problems.length === 0 && rewritten.length === 0)
    await rememberBranch(place, { before: seen?.commit ?? null, commit }, { signal });
  const sizes = new Map(entries.map(({ path, sizeBytes }) => [path, sizeBytes ?? 0]));
  return { commit, tree, sizes, rewritten };
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

function checkBounds(branch: string, entries: readonly TreeEntry[], limits: BranchLimits): void {
  const refuse = (path: string, message: string) => branchInvalid(branch, [{ path, message }]);
  if (entries.length > limits.files)
    throw refuse("the branch", `has ${entries.length} files, more than ${limits.files}`);
  let total = 0;
  for (const { path, kind, sizeBytes } of entries) {
    if (kind !== "file" || sizeBytes === null) throw refuse(path, `is a ${kind}, not a file`);
    if (sizeBytes > MAX_FILE_BYTES) throw refuse(path, `has ${sizeBytes} bytes, more than ${MAX_FILE_BYTES}`);
    total += sizeBytes;
  }
  if (total > limits.bytes) throw refuse("the branch", `has ${total} bytes, more than ${limits.bytes}`);
}
