// Headers of tar archives: ustar with PAX records for what does not fit there (POSIX.1-2017, pax). Writing only. Names are
// bytes as they are on the disk; readers that want UTF-8 see what they see there.

import { attributeNameBytes } from "../../filesystem/attributeName.js";
import type { NamedBytes } from "../../filesystem/fileSystem.js";

const BLOCK_BYTES = 512;
const MAX_NAME = 100;
const MAX_LINK = 100;
/** Eleven octal digits. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;
/** Seven octal digits. */
const MAX_OCTAL_ID = 8 ** 7 - 1;
const NS_PER_SECOND = 1_000_000_000n;
const encoder = new TextEncoder();

export type TarType = "file" | "hard-link" | "symlink" | "character-device" | "block-device" | "directory" | "fifo";

const TYPE_FLAGS: Record<TarType, string> = {
  file: "0",
  "hard-link": "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

export interface TarEntry {
  type: TarType;
  /** Relative; a folder's without the slash at its end. */
  name: Uint8Array;
  /** Of links: the name of the first file, or the target. */
  link: Uint8Array;
  sizeBytes: number;
  mode: number;
  uid: number;
  gid: number;
  /** Null: 1970. */
  modifiedAtNs: bigint | null;
  device: { major: number; minor: number } | null;
  attributes: readonly NamedBytes[];
}

/** The blocks in front of an entry's contents. */
export function encodeTarHeader(entry: TarEntry): Uint8Array {
  const records = paxRecords(entry);
  const own = header(entry, TYPE_FLAGS[entry.type], entry.sizeBytes, nameOf(entry));
  if (records.length === 0) return own;
  const extended = header(entry, "x", records.length, encoder.encode("././@PaxHeader"));
  return Buffer.concat([extended, records, new Uint8Array(tarPadding(records.length)), own]);
}

/** Zeros up to the next block. */
export function tarPadding(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

export const TAR_END = new Uint8Array(2 * BLOCK_BYTES);

function nameOf({ type, name }: TarEntry): Uint8Array {
  return type === "directory" ? Buffer.concat([name, encoder.encode("/")]) : name;
}

function header(entry: TarEntry, flag: string, sizeBytes: number, name: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const text = (value: string | Uint8Array, at: number, length: number) =>
    block.set((typeof value === "string" ? encoder.encode(value) : value).subarray(0, length), at);
  const octal = (value: number, at: number, digits: number) =>
    text(value.toString(8).padStart(digits, "0"), at, digits);
  const seconds = Number((entry.modifiedAtNs ?? 0n) / NS_PER_SECOND);
  text(name, 0, MAX_NAME);
  octal(entry.mode & 0o7777, 100, 7);
  octal(entry.uid > MAX_OCTAL_ID ? 0 : entry.uid, 108, 7);
  octal(entry.gid > MAX_OCTAL_ID ? 0 : entry.gid, 116, 7);
  octal(sizeBytes > MAX_OCTAL_SIZE ? 0 : sizeBytes, 124, 11);
  octal(seconds < 0 || seconds > MAX_OCTAL_SIZE ? 0 : seconds, 136, 11);
  text("        ", 148, 8);
  text(flag, 156, 1);
  if (flag !== "x") text(entry.link, 157, MAX_LINK);
  text("ustar\u000000", 257, 8);
  octal(entry.device?.major ?? 0, 329, 7);
  octal(entry.device?.minor ?? 0, 337, 7);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}

/** What ustar has no room for. Sub-second times always: half of what is restored is compared by time. */
function paxRecords(entry: TarEntry): Uint8Array {
  const { link, sizeBytes, uid, gid, modifiedAtNs, attributes } = entry;
  const records: Uint8Array[] = [];
  const name = nameOf(entry);
  if (name.length > MAX_NAME || isOutsideAscii(name)) records.push(record("path", name));
  if (link.length > MAX_LINK || isOutsideAscii(link)) records.push(record("linkpath", link));
  if (sizeBytes > MAX_OCTAL_SIZE) records.push(record("size", encoder.encode(String(sizeBytes))));
  if (uid > MAX_OCTAL_ID) records.push(record("uid", encoder.encode(String(uid))));
  if (gid > MAX_OCTAL_ID) records.push(record("gid", encoder.encode(String(gid))));
  if (modifiedAtNs !== null && needsTimeRecord(modifiedAtNs))
    records.push(record("mtime", encoder.encode(timeText(modifiedAtNs))));
  for (const attribute of attributes) records.push(record(xattrKey(attribute), attribute.value));
  return Buffer.concat(records);
}

function needsTimeRecord(ns: bigint): boolean {
  return ns < 0n || ns % NS_PER_SECOND !== 0n || ns / NS_PER_SECOND > BigInt(MAX_OCTAL_SIZE);
}

/** Seconds with a decimal fraction, also before 1970. */
function timeText(ns: bigint): string {
  const absolute = ns < 0n ? -ns : ns;
  const fraction = (absolute % NS_PER_SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  const sign = ns < 0n ? "-" : "";
  return `${sign}${absolute / NS_PER_SECOND}${fraction === "" ? "" : `.${fraction}`}`;
}

/** `LENGTH key=value\n`, where the length counts itself. */
function record(key: string | Uint8Array, value: Uint8Array): Uint8Array {
  const name = typeof key === "string" ? encoder.encode(key) : key;
  const body = Buffer.concat([encoder.encode(" "), name, encoder.encode("="), value, encoder.encode("\n")]);
  let length = body.length + String(body.length).length;
  if (String(length).length !== String(body.length).length) length = body.length + String(length).length;
  return Buffer.concat([encoder.encode(String(length)), body]);
}

/** The sign between key and value cannot stand in a key: as GNU tar does, `=` is `%3D`, and `%` then `%25`. */
function xattrKey(attribute: NamedBytes): Uint8Array {
  const name = Buffer.from(attributeNameBytes(attribute)).toString("latin1");
  const key = name.replaceAll("%", "%25").replaceAll("=", "%3D");
  return Buffer.from(`SCHILY.xattr.${key}`, "latin1");
}

function isOutsideAscii(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte >= 0x80 || byte === 0);
}
