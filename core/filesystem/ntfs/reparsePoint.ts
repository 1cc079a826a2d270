// What a reparse point makes of a file (MS-FSCC 2.1.2): links of several kinds, the special files of WSL, and things that
// only Windows can open.

import type { FileKind } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { encodeWtf8 } from "../wtf8.js";
import { decodeUtf16 } from "./fileRecord.js";

export interface ReparsePoint {
  tag: number;
  data: Uint8Array;
}

export const REPARSE_TAG = {
  mountPoint: 0xa0000003,
  symlink: 0xa000000c,
  wslSymlink: 0xa000001d,
  wslSocket: 0x80000023,
  wslFifo: 0x80000024,
  wof: 0x80000017,
  deduplicated: 0x80000013,
};
/** Cloud files: 0x9000001A to 0x9000F01A. */
const CLOUD_TAG = 0x9000001a;
const CLOUD_MASK = 0xffff0fff;
const NAME_SURROGATE = 0x20000000;
const HEADER_BYTES = 8;
/** The format's limit. */
export const MAX_REPARSE_BYTES = 16 * 1024 + HEADER_BYTES;

export function decodeReparsePoint(value: Uint8Array, where: string): ReparsePoint {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (value.length < HEADER_BYTES || HEADER_BYTES + view.getUint16(4, true) > value.length) {
    throw damaged("ntfs", where, "its reparse point does not fit");
  }
  return {
    tag: view.getUint32(0, true),
    data: value.subarray(HEADER_BYTES, HEADER_BYTES + view.getUint16(4, true)),
  };
}

/** Null: the file is what it would be without. */
export function kindOfReparsePoint(tag: number, isDirectory: boolean): { kind: FileKind; special?: string } | null {
  if (tag === REPARSE_TAG.symlink || tag === REPARSE_TAG.mountPoint || tag === REPARSE_TAG.wslSymlink)
    return { kind: "symlink" };
  if (tag === REPARSE_TAG.wslSocket) return { kind: "socket" };
  if (tag === REPARSE_TAG.wslFifo) return { kind: "fifo" };
  if (tag === REPARSE_TAG.wof) return { kind: "special", special: "WOF-compressed" };
  if (tag === REPARSE_TAG.deduplicated) return { kind: "special", special: "deduplicated" };
  // a folder with a tag for its owner only (a synchronised one, say) lists as any other
  if (isDirectory && (tag & NAME_SURROGATE) === 0) return null;
  const name = `0x${tag.toString(16).padStart(8, "0")}`;
  const isCloud = (tag & CLOUD_MASK) >>> 0 === CLOUD_TAG;
  return { kind: "special", special: isCloud ? `cloud file, tag ${name}` : `reparse point ${name}` };
}

/**
 * The target in UTF-8, with `/` for `\`: the name meant for people where there is one, else the other without its `\??\`.
 * Throws FILESYSTEM_DAMAGED.
 */
export function linkTarget({ tag, data }: ReparsePoint, where: string): Uint8Array {
  if (tag === REPARSE_TAG.wslSymlink) return data.slice(4);
  const namesAt = tag === REPARSE_TAG.symlink ? 12 : 8;
  if (data.length < namesAt) throw damaged("ntfs", where, "its link does not fit");
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const shown = readName(view, data, 4, namesAt, where);
  const target = shown === "" ? readName(view, data, 0, namesAt, where).replace(/^\\\?\?\\/, "") : shown;
  return encodeTarget(target);
}

export function encodeTarget(target: string): Uint8Array {
  const text = target.replaceAll("\\", "/");
  return encodeWtf8(Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)));
}

function readName(view: DataView, data: Uint8Array, at: number, namesAt: number, where: string): string {
  const start = namesAt + view.getUint16(at, true);
  const end = start + view.getUint16(at + 2, true);
  if (end > data.length) throw damaged("ntfs", where, "its link does not fit");
  return decodeUtf16(data.subarray(start, end));
}
