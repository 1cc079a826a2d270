// in-toto statements, version 1 (in-toto/attestation, spec/v1/statement.md): who or what a predicate speaks of, by digest.

import { decodeText, formatError } from "../format/bytes.js";
import { encodeCanonicalJson, type JsonValue } from "../format/canonicalJson.js";
import { Fields } from "../format/fields.js";
import { parseJson } from "./strictJson.js";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1";
export const RESTORE_TEST_TYPE = "https://reprise.dev/restore-test/v1";

const MAX_SUBJECTS = 1_000;
const MAX_DIGESTS = 20;
const MAX_CHARS = 2_000;

export interface Subject {
  name: string;
  /** Lower-case hex. */
  sha256: string;
}

export interface Statement {
  /** Those that have a SHA-256. */
  subjects: readonly Subject[];
  predicateType: string;
  predicate: JsonValue;
}

/** Canonical JSON; the signature is over these bytes. */
export function encodeStatement({ subjects, predicateType, predicate }: Statement): Uint8Array {
  return encodeCanonicalJson({
    _type: STATEMENT_TYPE,
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType,
    predicate,
  });
}

/** FORMAT_INVALID. Members that the specification does not have are ignored, as it demands. */
export function decodeStatement(payload: Uint8Array, what: string): Statement {
  const fields = new Fields(parseJson(decodeText(payload, what), what), what);
  if (fields.string("_type", MAX_CHARS) !== STATEMENT_TYPE) throw formatError(what, `is no ${STATEMENT_TYPE}`);
  const list = fields.array("subject", MAX_SUBJECTS);
  if (list.length === 0) throw formatError(what, "speaks of nothing");
  return {
    subjects: list.flatMap((value) => decodeSubject(new Fields(value, `${what}.subject`))),
    predicateType: fields.string("predicateType", MAX_CHARS),
    predicate: fields.has("predicate") ? fields.raw("predicate") : null,
  };
}

function decodeSubject(fields: Fields): Subject[] {
  const digests = fields.raw("digest");
  if (typeof digests === "object" && digests !== null && Object.keys(digests).length > MAX_DIGESTS)
    throw formatError(fields.what, `has more than ${MAX_DIGESTS} digests`);
  const digest = fields.object("digest");
  const name = fields.has("name") ? fields.string("name", MAX_CHARS) : "_";
  return digest.has("sha256") ? [{ name, sha256: digest.hex("sha256", 32) }] : [];
}
