// What one publication changes in the branch: the files that come and go, and the sealed entry of the log. Pure, but for the keys;
// planned again when somebody else has published first.

import { isOurError, RepriseError } from "../errors.js";
import { decodeEnvelope, IN_TOTO_PAYLOAD_TYPE, MAX_ENVELOPE_CHARS } from "../evidence/dsse.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { decodeStatement } from "../evidence/statement.js";
import { encodeText } from "../format/bytes.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { logPath, README_PATH, statementPath } from "./branchPaths.js";
import { BRANCH_README } from "./branchReadme.js";
import type { CheckedTree } from "./branchTree.js";
import { encodeLogEntry, type LogEntry, MAX_STATEMENTS_PER_ENTRY } from "./logEntry.js";
import { supersededInventories } from "./supersededInventories.js";

/** A statement as it comes into the branch. */
export interface NewStatement {
  /** SHA-256 of its file, hex. */
  digest: string;
  bytes: Uint8Array;
  predicateType: string;
  /** What it speaks of: `snapshot/vm/web1/2026-11-21T02:00:00Z`. Names are claims of whoever has signed it. */
  subjects: readonly string[];
}

export interface Publication {
  entry: LogEntry;
  added: readonly NewStatement[];
  /** How many more there are to publish. */
  left: number;
  /** Path to bytes; null: the file goes. */
  files: ReadonlyMap<string, Uint8Array | null>;
}

export interface PublicationWishes {
  /** Who says to publish, for people. */
  by: string;
  nowMs: number;
  /** What was published longer ago than this is dropped along the way; null: nothing is. */
  keepMs: number | null;
  /** Digests of statements to be taken back. */
  drop: readonly string[];
  /**
   * Of jobs, that offer what may be there already: what was there once and was dropped does not come back, and what is too much for one
   * publication waits for the next one.
   */
  isCatchUp?: boolean;
  keys: readonly SigningKey[];
}

const MAX_BY_CHARS = 300;

/** Without those given twice. EVIDENCE_UNREADABLE for what is no in-toto statement in an envelope. */
export function newStatements(envelopes: readonly string[]): NewStatement[] {
  const found = new Map<string, NewStatement>();
  for (const [at, text] of envelopes.entries()) {
    const statement = newStatement(text.trim(), `envelope ${at + 1}`);
    found.set(statement.digest, statement);
  }
  return [...found.values()];
}

/** Null: all of it is there already. `tree`: as it is, without problems; null: there is no branch yet. EVIDENCE_TOO_MUCH. */
export function planPublication(
  tree: CheckedTree | null,
  wanted: readonly NewStatement[],
  wishes: PublicationWishes,
): Publication | null {
  const live = tree?.statements ?? [];
  const present = new Set(live.map(({ digest }) => digest));
  const before = wishes.isCatchUp === true ? everAdded(tree) : present;
  const missing = wanted.filter(({ digest }) => !before.has(digest));
  if (missing.length === 0) return null;
  if (missing.length > MAX_STATEMENTS_PER_ENTRY && wishes.isCatchUp !== true) throw tooMuch(missing.length);
  const added = missing.slice(0, MAX_STATEMENTS_PER_ENTRY);
  const superseded = supersededInventories(live, added, wishes.nowMs);
  const dropped = live.filter(
    ({ digest, publishedAtMs }) =>
      wishes.drop.includes(digest) || superseded.has(digest) || isSpent(publishedAtMs, wishes),
  );
  const readme = encodeText(BRANCH_README);
  const entry: LogEntry = {
    sequence: (tree?.head?.entry.sequence ?? 0) + 1,
    previous: tree?.head?.digest ?? null,
    publishedAt: new Date(wishes.nowMs).toISOString(),
    by: wishes.by.slice(0, MAX_BY_CHARS),
    readme: bytesToHex(sha256(readme)),
    added: added.map(({ digest }) => digest),
    dropped: dropped.map(({ digest }) => digest).slice(0, MAX_STATEMENTS_PER_ENTRY),
  };
  const files = new Map<string, Uint8Array | null>([
    [README_PATH, readme],
    [logPath(entry.sequence), encodeLogEntry(entry, wishes.keys)],
    ...added.map(({ digest, bytes }): [string, Uint8Array] => [statementPath(digest), bytes]),
    ...entry.dropped.map((digest): [string, null] => [statementPath(digest), null]),
  ]);
  return { entry, added, left: missing.length - added.length, files };
}

function everAdded(tree: CheckedTree | null): ReadonlySet<string> {
  return new Set((tree?.entries ?? []).flatMap(({ entry }) => entry.added));
}

function newStatement(text: string, what: string): NewStatement {
  try {
    if (text.length >= MAX_ENVELOPE_CHARS) throw notPublishable(what, "is too long");
    const envelope = decodeEnvelope(text, what);
    if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) throw notPublishable(what, "holds no in-toto statement");
    if (envelope.signatures.length === 0) throw notPublishable(what, "is not signed");
    const { subjects, predicateType } = decodeStatement(envelope.payload, what);
    const bytes = encodeText(`${text}\n`);
    const digest = bytesToHex(sha256(bytes));
    return { digest, bytes, predicateType, subjects: subjects.map(({ name }) => name) };
  } catch (cause) {
    if (!isOurError(cause) || cause.code === "EVIDENCE_UNREADABLE") throw cause;
    throw notPublishable(what, `cannot be read (${cause.message})`, cause);
  }
}

function notPublishable(what: string, why: string, cause?: unknown): RepriseError {
  return new RepriseError("not-found", "EVIDENCE_UNREADABLE", `no evidence to publish: ${what} ${why}`, {
    hint: "publish signed statements, as evidence export writes them",
    cause,
  });
}

function tooMuch(count: number): RepriseError {
  const message = `${count} statements are too many for one publication; ${MAX_STATEMENTS_PER_ENTRY} are possible`;
  return new RepriseError("usage", "EVIDENCE_TOO_MUCH", message, {
    data: { count, limit: MAX_STATEMENTS_PER_ENTRY },
    hint: "publish them in parts",
  });
}

function isSpent(publishedAtMs: number, { nowMs, keepMs }: PublicationWishes): boolean {
  return keepMs !== null && nowMs - publishedAtMs > keepMs;
}
