// Digests of texts that are names: what a statement speaks of when there is no file.

import { encodeText } from "../format/bytes.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";

/** SHA-256 of a text's UTF-8 bytes, hex. */
export function textDigest(text: string): string {
  return bytesToHex(sha256(encodeText(text)));
}
