// Links and devices as Interix kept them, and ntfs-3g still does: a small file with the system attribute and a magic word.

import { decodeUtf16 } from "./fileRecord.js";
import { encodeTarget } from "./reparsePoint.js";

export type InterixFile =
  | { kind: "symlink"; target: Uint8Array }
  | { kind: "character-device" | "block-device"; major: number; minor: number };

export const MAX_INTERIX_BYTES = 8 + 4096 * 2;
const MAGIC_BYTES = 8;
const DEVICE_BYTES = 24;

/** Null: an ordinary file. */
export function decodeInterix(value: Uint8Array): InterixFile | null {
  const magic = new TextDecoder("latin1").decode(value.subarray(0, MAGIC_BYTES));
  if (magic === "IntxLNK\x01")
    return { kind: "symlink", target: encodeTarget(decodeUtf16(value.subarray(MAGIC_BYTES))) };
  const isCharacter = magic === "IntxCHR\0";
  if ((!isCharacter && magic !== "IntxBLK\0") || value.length !== DEVICE_BYTES) return null;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const major = Number(view.getBigUint64(8, true));
  const minor = Number(view.getBigUint64(16, true));
  return { kind: isCharacter ? "character-device" : "block-device", major, minor };
}
