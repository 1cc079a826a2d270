// Byte layouts of the NBD protocol, big-endian, as used by a fixed newstyle client with structured replies.
// Source: "The NBD protocol", github.com/NetworkBlockDevice/nbd doc/proto.md. Layout only: what is allowed when, and
// every limit, is decided in handshake.ts and replies.ts.

export const greetingMagic = 0x4e42444d41474943n; // "NBDMAGIC"
export const optionMagic = 0x49484156454f5054n; // "IHAVEOPT"
const optionReplyMagic = 0x0003e889045565a9n;
const requestMagic = 0x25609513;
export const simpleReplyMagic = 0x67446698;
export const structuredReplyMagic = 0x668e33ef;

export const handshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;
export const option = { abort: 2, go: 7, structuredReply: 8, setMetaContext: 10 } as const;
export const optionReply = { ack: 1, info: 3, metaContext: 4, errorBit: 0x80000000 } as const;
export const optionError = {
  unsupported: 0x80000001,
  policy: 0x80000002,
  tlsRequired: 0x80000005,
  unknown: 0x80000006,
};
export const infoType = { export: 0, blockSize: 3 } as const;
export const exportFlag = { readOnly: 2, flush: 4, trim: 32, writeZeroes: 64, multiConn: 256 } as const;
export const command = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6, blockStatus: 7 } as const;
export const commandFlag = { noHole: 2 } as const;
export const chunkFlag = { done: 1 } as const;
export const chunkType = { none: 0, offsetData: 1, offsetHole: 2, blockStatus: 5, errorBit: 0x8000 } as const;

/** Flags of the `base:allocation` context. */
export const allocationFlag = { hole: 1, zero: 2 } as const;

/** Longest string the protocol allows: export names, context names, messages. */
export const maxStringBytes = 4096;

export const greetingBytes = 18;
export const optionReplyHeaderBytes = 20;
/** Without the 4 bytes of magic. */
export const simpleReplyBytes = 12;
/** Without the 4 bytes of magic. */
export const chunkHeaderBytes = 16;

const errnoNames = new Map([
  [1, "EPERM"],
  [5, "EIO"],
  [12, "ENOMEM"],
  [22, "EINVAL"],
  [28, "ENOSPC"],
  [75, "EOVERFLOW"],
  [95, "ENOTSUP"],
  [108, "ESHUTDOWN"],
]);

/** Name of an NBD error number; numbers outside the protocol's list count as EINVAL, as it demands. */
export function errnoName(value: number): string {
  return errnoNames.get(value) ?? "EINVAL";
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function decodeU32(bytes: Uint8Array, offset = 0): number {
  return viewOf(bytes).getUint32(offset);
}

export interface Request {
  command: number;
  flags: number;
  cookie: number;
  offset: number;
  length: number;
}

export function encodeRequest(request: Request): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = viewOf(bytes);
  view.setUint32(0, requestMagic);
  view.setUint16(4, request.flags);
  view.setUint16(6, request.command);
  view.setBigUint64(8, BigInt(request.cookie));
  view.setBigUint64(16, BigInt(request.offset));
  view.setUint32(24, request.length);
  return bytes;
}

export function encodeClientFlags(flags: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, flags);
  return bytes;
}

export function encodeOption(code: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = viewOf(bytes);
  view.setBigUint64(0, optionMagic);
  view.setUint32(8, code);
  view.setUint32(12, data.length);
  bytes.set(data, 16);
  return bytes;
}

/** A u32 length and the UTF-8 bytes. */
function encodeString(text: string): Uint8Array {
  const utf8 = new TextEncoder().encode(text);
  const bytes = new Uint8Array(4 + utf8.length);
  viewOf(bytes).setUint32(0, utf8.length);
  bytes.set(utf8, 4);
  return bytes;
}

function join(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Data of the GO option: export name, then the kinds of information the client asks for. */
export function encodeGo(exportName: string, infoTypes: readonly number[]): Uint8Array {
  const tail = new Uint8Array(2 + 2 * infoTypes.length);
  viewOf(tail).setUint16(0, infoTypes.length);
  infoTypes.forEach((type, index) => {
    viewOf(tail).setUint16(2 + 2 * index, type);
  });
  return join([encodeString(exportName), tail]);
}

/** Data of the SET_META_CONTEXT option. */
export function encodeMetaContexts(exportName: string, names: readonly string[]): Uint8Array {
  const count = new Uint8Array(4);
  viewOf(count).setUint32(0, names.length);
  return join([encodeString(exportName), count, ...names.map(encodeString)]);
}

export function decodeGreeting(bytes: Uint8Array): { magic: bigint; optionMagic: bigint; flags: number } {
  const view = viewOf(bytes);
  return { magic: view.getBigUint64(0), optionMagic: view.getBigUint64(8), flags: view.getUint16(16) };
}

export interface OptionReplyHeader {
  valid: boolean;
  option: number;
  type: number;
  length: number;
}

export function decodeOptionReplyHeader(bytes: Uint8Array): OptionReplyHeader {
  const view = viewOf(bytes);
  const valid = view.getBigUint64(0) === optionReplyMagic;
  return { valid, option: view.getUint32(8), type: view.getUint32(12), length: view.getUint32(16) };
}

export type ExportInformation =
  | { type: "export"; sizeBytes: bigint; flags: number }
  | { type: "blockSize"; minBytes: number; maxBytes: number }
  | { type: "other" };

/** Undefined when the length does not fit the type. */
export function decodeInformation(bytes: Uint8Array): ExportInformation | undefined {
  if (bytes.length < 2) return undefined;
  const view = viewOf(bytes);
  const type = view.getUint16(0);
  if (type === infoType.export) {
    if (bytes.length !== 12) return undefined;
    return { type: "export", sizeBytes: view.getBigUint64(2), flags: view.getUint16(10) };
  }
  if (type === infoType.blockSize) {
    if (bytes.length !== 14) return undefined;
    return { type: "blockSize", minBytes: view.getUint32(2), maxBytes: view.getUint32(10) };
  }
  return { type: "other" };
}

export function decodeMetaContext(bytes: Uint8Array): { id: number; name: string } | undefined {
  if (bytes.length < 5) return undefined;
  return { id: viewOf(bytes).getUint32(0), name: new TextDecoder().decode(bytes.subarray(4)) };
}

export function decodeSimpleReply(bytes: Uint8Array): { error: number; cookie: bigint } {
  const view = viewOf(bytes);
  return { error: view.getUint32(0), cookie: view.getBigUint64(4) };
}

export interface ChunkHeader {
  flags: number;
  type: number;
  cookie: bigint;
  length: number;
}

export function decodeChunkHeader(bytes: Uint8Array): ChunkHeader {
  const view = viewOf(bytes);
  return {
    flags: view.getUint16(0),
    type: view.getUint16(2),
    cookie: view.getBigUint64(4),
    length: view.getUint32(12),
  };
}

export function decodeDataOffset(bytes: Uint8Array): bigint {
  return viewOf(bytes).getBigUint64(0);
}

export function decodeHole(bytes: Uint8Array): { offset: bigint; length: number } {
  const view = viewOf(bytes);
  return { offset: view.getBigUint64(0), length: view.getUint32(8) };
}

/** Undefined when the message does not fit. Whatever follows it (an offset) is left alone. */
export function decodeErrorChunk(bytes: Uint8Array): { error: number; message: string } | undefined {
  if (bytes.length < 6) return undefined;
  const view = viewOf(bytes);
  const messageBytes = view.getUint16(4);
  if (6 + messageBytes > bytes.length) return undefined;
  return { error: view.getUint32(0), message: new TextDecoder().decode(bytes.subarray(6, 6 + messageBytes)) };
}

export interface StatusRun {
  length: number;
  flags: number;
}

/** Undefined unless there is a context id and at least one whole descriptor. */
export function decodeBlockStatus(bytes: Uint8Array): { contextId: number; runs: StatusRun[] } | undefined {
  if (bytes.length < 12 || (bytes.length - 4) % 8 !== 0) return undefined;
  const view = viewOf(bytes);
  const runs: StatusRun[] = [];
  for (let at = 4; at < bytes.length; at += 8) runs.push({ length: view.getUint32(at), flags: view.getUint32(at + 4) });
  return { contextId: view.getUint32(0), runs };
}
