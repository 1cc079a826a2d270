// Access control lists: ext stores them shorter than programs see them (getxattr, and so every tool that restores them).

import { le32Bytes, u16, u32 } from "./littleEndian.js";

const STORED_VERSION = 1;
const SEEN_VERSION = 2;
const TAG_USER = 0x02;
const TAG_GROUP = 0x08;
const NO_ID = 0xffff_ffff;

/** `system.posix_acl_*` as programs see it; null when the stored form makes no sense. */
export function expandPosixAcl(stored: Uint8Array): Uint8Array | null {
  if (stored.length < 4 || u32(stored, 0) !== STORED_VERSION) return null;
  const parts: number[] = [...le32Bytes(SEEN_VERSION)];
  for (let at = 4; at < stored.length; ) {
    const tag = u16(stored, at);
    const hasId = tag === TAG_USER || tag === TAG_GROUP;
    const length = hasId ? 8 : 4;
    if (at + length > stored.length) return null;
    parts.push(...stored.subarray(at, at + 4), ...le32Bytes(hasId ? u32(stored, at + 4) : NO_ID));
    at += length;
  }
  return Uint8Array.from(parts);
}
