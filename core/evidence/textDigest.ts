import { encodeText } from "../format/bytes.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";

/** SHA-256 of a text's UTF-8 bytes, hex. */
export function textDigest(text: string): string {
  return bytesToHex(sha256(encodeText(text)));
}
