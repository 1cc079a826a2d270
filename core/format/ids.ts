// Names of sessions, records, collections and packs. See docs/format/README.md, "Ids".

import { formatError } from "./bytes.js";

/** 32 lower-case hex digits: 16 random bytes. */
export type Sid = string & { readonly brand: "Sid" };
/** `<sid>-<8 hex digits>`: a pack's or index object's name without its folder. */
export type PackName = string & { readonly brand: "PackName" };
/** 64 lower-case hex digits: the digest of a blob's plain bytes. */
export type BlobIdHex = string & { readonly brand: "BlobIdHex" };

const SID = /^[0-9a-f]{32}$/;
const PACK_NAME = /^[0-9a-f]{32}-[0-9a-f]{8}$/;
const SAFE_ID = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

export function isSid(text: string): text is Sid {
  return SID.test(text);
}

export function isPackName(text: string): text is PackName {
  return PACK_NAME.test(text);
}

/** Machine, disk and namespace names: see docs/format/manifest.md. */
export function isSafeId(text: string): boolean {
  return SAFE_ID.test(text);
}

/** An id from 16 random bytes. No time in it: people name snapshots by the first digits, which should differ. */
export function makeId(random: Uint8Array): Sid {
  if (random.length !== 16) throw formatError("id", "needs 16 random bytes");
  return bytesToHex(random) as Sid;
}

export function packName(sid: Sid, number: number): PackName {
  return `${sid}-${number.toString(16).padStart(8, "0")}` as PackName;
}

export function packSid(name: PackName): Sid {
  return name.slice(0, 32) as Sid;
}

export function packNumber(name: PackName): number {
  return Number.parseInt(name.slice(33), 16);
}

/** Object names. The only place that spells them. */
export const objectName = {
  config: "config",
  configCopy: "config.copy",
  rescueProgram: "rescue.mjs",
  rescueText: "RESCUE.md",
  keySlot: (slotId: string) => `keys/${slotId}`,
  session: (sid: Sid) => `sessions/${sid}`,
  pack: (name: PackName) => `packs/${name.slice(-2)}/${name}`,
  index: (name: PackName) => `index/${name}`,
  snapshot: (sid: Sid) => `snapshots/${sid}`,
  forgotten: (sid: Sid) => `forgotten/${sid}`,
  record: (rid: Sid) => `records/${rid}`,
  quarantine: (rid: Sid) => `quarantine/${rid}`,
  plan: (gid: Sid) => `gc/${gid}.plan`,
  final: (gid: Sid) => `gc/${gid}.final`,
} as const;

/** Folders of the repository, each with its final slash. */
export const folder = {
  keys: "keys/",
  sessions: "sessions/",
  packs: "packs/",
  index: "index/",
  snapshots: "snapshots/",
  forgotten: "forgotten/",
  records: "records/",
  quarantine: "quarantine/",
  gc: "gc/",
} as const;

/** The last part of an object name. */
export function baseName(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

export function bytesToHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** FORMAT_INVALID unless the text is lower-case hex of `length` bytes. */
export function hexToBytes(text: string, length: number, what: string): Uint8Array {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) throw formatError(what, `not ${length} bytes of hex`);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
