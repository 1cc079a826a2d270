// One entry of the branch's log: what was published and dropped with it, and the digest of the entry before. It is an in-toto
// statement in a DSSE envelope, so what checks other evidence checks it, too. docs/format/evidence-branch.md.

import { encodeBase64 } from "../evidence/base64.js";
import { type DsseEnvelope, decodeEnvelope, IN_TOTO_PAYLOAD_TYPE, signEnvelope, signersOf } from "../evidence/dsse.js";
import type { SigningKey, VerificationKey } from "../evidence/signingKey.js";
import { decodeStatement, encodeStatement, type Statement } from "../evidence/statement.js";
import { decodeText, encodeText, formatError } from "../format/bytes.js";
import { Fields } from "../format/fields.js";
import { MAX_SEQUENCE, parseBranchPath, statementPath } from "./branchPaths.js";

const EVIDENCE_LOG_TYPE = "https://reprise.dev/evidence-log/v1";
/** Statements in one entry; as many may be dropped with it. */
export const MAX_STATEMENTS_PER_ENTRY = 1_000;
const MAX_BY_CHARS = 300;

export interface LogEntry {
  /** From 1. */
  sequence: number;
  /** SHA-256 of the file of the entry before, hex; null: there is none. */
  previous: string | null;
  /** ISO 8601 UTC with milliseconds. */
  publishedAt: string;
  /** Who says to have published it, for people. */
  by: string;
  /** SHA-256 of README.md as it is with this entry, hex. */
  readme: string;
  /** SHA-256 of the files of statements that came with it, hex, in order of publication; never empty. */
  added: readonly string[];
  /** Of those that went with it. */
  dropped: readonly string[];
}

export interface SignedLogEntry {
  entry: LogEntry;
  /** Ids of the keys among those given that have signed it, and say so. */
  signedBy: readonly string[];
  /** Ids that the envelope claims; nothing protects them. */
  claimedKeyIds: readonly string[];
}

/** The file's bytes. */
export function encodeLogEntry(entry: LogEntry, keys: readonly SigningKey[]): Uint8Array {
  const { added, ...predicate } = entry;
  const subjects = added.map((digest) => ({ name: statementPath(digest), sha256: digest }));
  const statement: Statement = {
    subjects,
    predicateType: EVIDENCE_LOG_TYPE,
    predicate: { version: 1, ...predicate, dropped: [...entry.dropped] },
  };
  return encodeText(`${signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeStatement(statement), keys)}\n`);
}

/** FORMAT_INVALID, UNSUPPORTED_VERSION. Whether the signatures suffice is for the caller to say. */
export function decodeLogEntry(bytes: Uint8Array, keys: readonly VerificationKey[], what: string): SignedLogEntry {
  const text = decodeText(bytes, what);
  const envelope = decodeEnvelope(text, what);
  if (`${envelopeText(envelope)}\n` !== text) throw formatError(what, "is not written as it must be");
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) throw formatError(what, "is no in-toto statement");
  const { subjects, predicateType, predicate } = decodeStatement(envelope.payload, what);
  if (predicateType !== EVIDENCE_LOG_TYPE) throw formatError(what, "is no entry of an evidence log");
  const fields = new Fields(predicate, what);
  fields.expectVersion();
  const entry: LogEntry = {
    sequence: fields.integer("sequence", 1, MAX_SEQUENCE),
    previous: fields.raw("previous") === null ? null : fields.hex("previous", 32),
    publishedAt: instant(fields, "publishedAt"),
    by: fields.string("by", MAX_BY_CHARS),
    readme: fields.hex("readme", 32),
    added: subjects.map(({ name, sha256 }) => addedDigest(name, sha256, what)),
    dropped: fields.strings("dropped", MAX_STATEMENTS_PER_ENTRY, 64).map((digest) => droppedDigest(digest, what)),
  };
  checkDigests(entry, what);
  const claimedKeyIds = envelope.signatures.map(({ keyId }) => keyId);
  const signedBy = signersOf(envelope, keys).map(({ keyId }) => keyId);
  return { entry, signedBy: signedBy.filter((keyId) => claimedKeyIds.includes(keyId)), claimedKeyIds };
}

/** The one text of an entry: so that no byte of the newest one can be changed, also where its signature does not reach. */
function envelopeText({ payloadType, payload, signatures }: DsseEnvelope): string {
  const written = signatures.map(({ keyId, signature }) => ({ keyid: keyId, sig: encodeBase64(signature) }));
  return JSON.stringify({ payloadType, payload: encodeBase64(payload), signatures: written });
}

function checkDigests({ added, dropped }: LogEntry, what: string): void {
  if (added.length === 0) throw formatError(what, "adds nothing");
  const all = [...added, ...dropped];
  if (new Set(all).size !== all.length) throw formatError(what, "names a statement twice");
}

function addedDigest(name: string, digest: string, what: string): string {
  if (name !== statementPath(digest)) throw formatError(what, "a subject is no file of a statement");
  return digest;
}

function droppedDigest(digest: string, what: string): string {
  if (parseBranchPath(statementPath(digest)) === null) throw formatError(what, "what it drops is no digest");
  return digest;
}

function instant(fields: Fields, name: string): string {
  const text = fields.string(name, 24);
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text)
    throw formatError(fields.what, `member "${name}" is no time`);
  return text;
}
