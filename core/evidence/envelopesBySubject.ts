// Envelopes by what they speak of. Sorted, not believed: whoever decides checks their signatures. Pure.

import { isOurError } from "../errors.js";
import { decodeEnvelope } from "./dsse.js";
import { decodeStatement } from "./statement.js";

/**
 * By the digests of their subjects, hex: one may speak of several, and one that cannot be read speaks of none. `types`: only statements of
 * these; default: of any.
 */
export function envelopesBySubject(envelopes: readonly string[], types?: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const text of envelopes) {
    for (const digest of subjectsOf(text, types)) {
      const known = found.get(digest);
      if (known === undefined) found.set(digest, [text]);
      else known.push(text);
    }
  }
  return found;
}

function subjectsOf(text: string, types: readonly string[] | undefined): string[] {
  try {
    const { subjects, predicateType } = decodeStatement(decodeEnvelope(text, "envelope").payload, "statement");
    const isWanted = types === undefined || types.includes(predicateType);
    return isWanted ? [...new Set(subjects.map(({ sha256 }) => sha256))] : [];
  } catch (error) {
    if (isOurError(error)) return [];
    throw error;
  }
}
