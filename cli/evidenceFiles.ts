// Files that somebody hands over with evidence, and the public keys that are to be trusted.

import {
  isAbort,
  isOurError,
  MAX_EVIDENCE_FILE_BYTES,
  RepriseError,
  readInputFile,
  readPemFile,
  splitEnvelopes,
  VerificationKey,
} from "../core/index.js";

/** Where an envelope was found. */
export interface EnvelopePlace {
  file: string;
  /** From 1. */
  number: number;
}

/** EVIDENCE_UNREADABLE for a file that is not there, empty, no text or far too large. */
export async function readEvidenceFiles(
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ texts: string[]; places: EnvelopePlace[] }> {
  const texts: string[] = [];
  const places: EnvelopePlace[] = [];
  for (const file of files) {
    const found = await readEnvelopes(file, signal);
    texts.push(...found);
    places.push(...found.map((_, index) => ({ file, number: index + 1 })));
  }
  return { texts, places };
}

/** EVIDENCE_KEY_INVALID. */
export async function readTrustedKeys(files: readonly string[], signal: AbortSignal): Promise<VerificationKey[]> {
  const keys: VerificationKey[] = [];
  for (const file of files) keys.push(await readTrustedKey(file, signal));
  return keys;
}

async function readEnvelopes(file: string, signal: AbortSignal): Promise<string[]> {
  try {
    const bytes = await readInputFile(file, { maxBytes: MAX_EVIDENCE_FILE_BYTES, signal });
    return splitEnvelopes(bytes, file);
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const why = isOurError(cause)
      ? cause.message
      : `${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown error"})`;
    throw new RepriseError("not-found", "EVIDENCE_UNREADABLE", `no evidence: ${why}`, {
      data: { path: file },
      hint: "name a file of DSSE envelopes, as evidence export writes them",
      cause,
    });
  }
}

async function readTrustedKey(file: string, signal: AbortSignal): Promise<VerificationKey> {
  const pem = await readPemFile(file, signal, (what, details) => {
    return new RepriseError("key", "EVIDENCE_KEY_INVALID", `the trusted key ${file} ${what}`, details);
  });
  return VerificationKey.fromPem(pem);
}
