// Checks the files of the evidence branch as one whole: the head of the log is signed, each entry names the digest of the one
// before, and what all of them together have added and not dropped is what is there. Pure. docs/format/evidence-branch.md.

import { isOurError } from "../errors.js";
import type { VerificationKey } from "../evidence/signingKey.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { logPath, parseBranchPath, README_PATH, statementPath } from "./branchPaths.js";
import { decodeLogEntry, type SignedLogEntry } from "./logEntry.js";

/** Of the branch, all of it: path to bytes. Only ordinary files. */
export type BranchFiles = ReadonlyMap<string, Uint8Array>;

export interface LiveStatement {
  /** SHA-256 of its file, hex. */
  digest: string;
  bytes: Uint8Array;
  /** Sequence of the entry that has added it, and when that was. */
  sequence: number;
  publishedAtMs: number;
}

export interface CheckedEntry extends SignedLogEntry {
  path: string;
  /** SHA-256 of the entry's file, hex. */
  digest: string;
}

export interface CheckedTree {
  /** By sequence; those that can be read, also when something is wrong. */
  entries: readonly CheckedEntry[];
  head: CheckedEntry | null;
  /** In order of publication; empty when something is wrong. */
  statements: readonly LiveStatement[];
  /** Empty: nothing was changed since the head was signed. */
  problems: readonly TreeProblem[];
}

export interface TreeProblem {
  path: string;
  message: string;
}

const MAX_PROBLEMS = 20;

/** `keys`: one of them must have signed the head. `everySigner`: of each entry it is told which of them have signed it. */
export function checkBranchTree(
  files: BranchFiles,
  keys: readonly VerificationKey[],
  { everySigner = false }: { everySigner?: boolean } = {},
): CheckedTree {
  const problems: TreeProblem[] = [];
  const object = (path: string, message: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ path, message });
  };
  const sequences: number[] = [];
  for (const path of files.keys()) {
    const known = parseBranchPath(path);
    if (known === null) object(path, "does not belong here");
    if (known?.kind === "log") sequences.push(known.sequence);
  }
  const last = sequences.reduce((a, b) => Math.max(a, b), 0);
  const keysOf = (sequence: number) => (everySigner || sequence === last ? keys : []);
  const entries = readEntries(files, sequences, keysOf, object);
  const head = entries.at(-1) ?? null;
  if (sequences.length === 0) object(logPath(1), "is missing: there is no log");
  checkChain(entries, object);
  if (head !== null) checkHead(head, files, object);
  const statements = problems.length === 0 ? replay(entries, files, object) : [];
  return { entries, head, statements: problems.length === 0 ? statements : [], problems };
}

type Object = (path: string, message: string) => void;

function readEntries(
  files: BranchFiles,
  sequences: readonly number[],
  keysOf: (sequence: number) => readonly VerificationKey[],
  object: Object,
): CheckedEntry[] {
  const entries: CheckedEntry[] = [];
  let before = 0;
  for (const sequence of sequences.toSorted((a, b) => a - b)) {
    const path = logPath(sequence);
    if (sequence !== before + 1)
      object(logPath(before + 1), `is missing from the log${moreText(sequence - before - 2)}`);
    before = sequence;
    const bytes = files.get(path) as Uint8Array;
    const signed = readEntry(bytes, keysOf(sequence), path, object);
    if (signed === null) continue;
    if (signed.entry.sequence !== sequence) object(path, `is the entry ${signed.entry.sequence}, under another name`);
    else entries.push({ ...signed, path, digest: bytesToHex(sha256(bytes)) });
  }
  return entries;
}

function moreText(count: number): string {
  return count === 0 ? "" : `, and ${count} after it`;
}

function readEntry(
  bytes: Uint8Array,
  keys: readonly VerificationKey[],
  path: string,
  object: Object,
): SignedLogEntry | null {
  try {
    return decodeLogEntry(bytes, keys, path);
  } catch (error) {
    if (!isOurError(error)) throw error;
    object(path, `cannot be read: ${error.message}`);
    return null;
  }
}

function checkChain(entries: readonly CheckedEntry[], object: Object): void {
  for (const [at, { entry, path }] of entries.entries()) {
    const before = entries[at - 1];
    if (entry.sequence === 1 && entry.previous !== null) object(path, "is the first entry and follows another one");
    if (entry.sequence === 1 || before?.entry.sequence !== entry.sequence - 1) continue;
    if (entry.previous !== before.digest) object(before.path, "is not the entry that the next one follows");
  }
}

function checkHead({ entry, path, signedBy }: CheckedEntry, files: BranchFiles, object: Object): void {
  if (signedBy.length === 0) object(path, "is the newest entry, and no trusted key has signed it");
  const readme = files.get(README_PATH);
  if (readme === undefined) object(README_PATH, "is missing");
  else if (bytesToHex(sha256(readme)) !== entry.readme) object(README_PATH, "has been changed");
}

/** What all entries together leave there. */
function replay(entries: readonly CheckedEntry[], files: BranchFiles, object: Object): LiveStatement[] {
  const live = new Map<string, { sequence: number; publishedAtMs: number }>();
  for (const { entry, path } of entries) {
    const { sequence, publishedAt } = entry;
    for (const digest of entry.dropped)
      if (!live.delete(digest)) object(path, `drops a statement that was not there (${digest})`);
    for (const digest of entry.added) {
      if (live.has(digest)) object(path, `adds a statement that was there (${digest})`);
      live.set(digest, { sequence, publishedAtMs: Date.parse(publishedAt) });
    }
  }
  for (const path of files.keys()) {
    const known = parseBranchPath(path);
    if (known?.kind === "statement" && !live.has(known.digest)) object(path, "was published by no entry of the log");
  }
  return [...live].flatMap(([digest, added]) => {
    const path = statementPath(digest);
    const bytes = files.get(path);
    if (bytes === undefined) object(path, `is missing; entry ${added.sequence} has added it`);
    else if (bytesToHex(sha256(bytes)) !== digest) object(path, "has been changed");
    else return [{ digest, bytes, ...added }];
    return [];
  });
}
