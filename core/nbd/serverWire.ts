// Byte layouts of the server's side of the NBD protocol, beside wire.ts: doc/proto.md of the NetworkBlockDevice project.

import * as wire from "./wire.js";

const optionReplyMagic = 0x0003e889045565a9n;
const requestMagic = 0x25609513;

export const serverOption = {
  ...wire.option,
  exportName: 1,
  list: 3,
  startTls: 5,
  info: 6,
  listMetaContext: 9,
} as const;
export const serverReply = { ...wire.optionReply, server: 2 } as const;
export const serverError = { ...wire.optionError, invalid: 0x80000003, tooBig: 0x80000009 } as const;
export const transmissionFlag = { hasFlags: 1, readOnly: 2, sendDf: 128, multiConn: 256, sendCache: 1024 } as const;
export const requestFlag = { doNotFragment: 4, requestOne: 8 } as const;
export const serverCommand = { ...wire.command, cache: 5 } as const;
export const errno = { perm: 1, io: 5, invalid: 22, overflow: 75, notSupported: 95, shutdown: 108 } as const;
export const chunkError = { plain: 0x8001, offset: 0x8002 } as const;

export const requestBytes = 28;
export const clientFlagsBytes = 4;
export const optionHeaderBytes = 16;

export function encodeGreeting(): Uint8Array {
  const bytes = new Uint8Array(wire.greetingBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, wire.greetingMagic);
  view.setBigUint64(8, wire.optionMagic);
  view.setUint16(16, wire.handshakeFlag.fixedNewstyle | wire.handshakeFlag.noZeroes);
  return bytes;
}

/** Undefined when it is no option header. */
export function decodeOptionHeader(bytes: Uint8Array): { option: number; length: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getBigUint64(0) !== wire.optionMagic) return undefined;
  return { option: view.getUint32(8), length: view.getUint32(12) };
}

export function encodeOptionReply(option: number, type: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(wire.optionReplyHeaderBytes + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, optionReplyMagic);
  view.setUint32(8, option);
  view.setUint32(12, type);
  view.setUint32(16, data.length);
  bytes.set(data, wire.optionReplyHeaderBytes);
  return bytes;
}

/** Answer to the old EXPORT_NAME option; the client may have asked to leave the 124 zeros out. */
export function encodeExportNameReply(sizeBytes: number, flags: number, withZeroes: boolean): Uint8Array {
  const bytes = new Uint8Array(withZeroes ? 134 : 10);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(sizeBytes));
  view.setUint16(8, flags);
  return bytes;
}

export function encodeExportInfo(sizeBytes: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, wire.infoType.export);
  view.setBigUint64(2, BigInt(sizeBytes));
  view.setUint16(10, flags);
  return bytes;
}

export function encodeBlockSizeInfo(minimum: number, preferred: number, maximum: number): Uint8Array {
  const bytes = new Uint8Array(14);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, wire.infoType.blockSize);
  view.setUint32(2, minimum);
  view.setUint32(6, preferred);
  view.setUint32(10, maximum);
  return bytes;
}

/** For LIST: a length, the name, and free text for people. */
export function encodeServerEntry(name: string, description: string): Uint8Array {
  const nameBytes = new TextEncoder().encode(name);
  const text = new TextEncoder().encode(description);
  const bytes = new Uint8Array(4 + nameBytes.length + text.length);
  new DataView(bytes.buffer).setUint32(0, nameBytes.length);
  bytes.set(nameBytes, 4);
  bytes.set(text, 4 + nameBytes.length);
  return bytes;
}

export function encodeMetaContextReply(id: number, name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(4 + text.length);
  new DataView(bytes.buffer).setUint32(0, id);
  bytes.set(text, 4);
  return bytes;
}

/** Export name of GO and INFO; undefined when the lengths do not fit. */
export function decodeGo(data: Uint8Array): { name: string; infoTypes: number[] } | undefined {
  const name = decodeString(data, 0);
  if (name === undefined || name.end + 2 > data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = view.getUint16(name.end);
  if (name.end + 2 + 2 * count !== data.length) return undefined;
  const infoTypes = Array.from({ length: count }, (_, i) => view.getUint16(name.end + 2 + 2 * i));
  return { name: name.text, infoTypes };
}

/** Export name and queries of SET_META_CONTEXT and LIST_META_CONTEXT. */
export function decodeMetaQuery(data: Uint8Array, maxQueries: number): { name: string; queries: string[] } | undefined {
  const name = decodeString(data, 0);
  if (name === undefined || name.end + 4 > data.length) return undefined;
  const count = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(name.end);
  if (count > maxQueries) return undefined;
  const queries: string[] = [];
  let at = name.end + 4;
  for (let i = 0; i < count; i++) {
    const query = decodeString(data, at);
    if (query === undefined) return undefined;
    queries.push(query.text);
    at = query.end;
  }
  return at === data.length ? { name: name.text, queries } : undefined;
}

function decodeString(data: Uint8Array, at: number): { text: string; end: number } | undefined {
  if (at + 4 > data.length) return undefined;
  const length = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(at);
  const end = at + 4 + length;
  if (length > wire.maxStringBytes || end > data.length) return undefined;
  return { text: new TextDecoder().decode(data.subarray(at + 4, end)), end };
}

export interface ServerRequest {
  command: number;
  flags: number;
  cookie: bigint;
  offset: bigint;
  length: number;
}

/** Undefined when it is no request. */
export function decodeRequest(bytes: Uint8Array): ServerRequest | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== requestMagic) return undefined;
  return {
    flags: view.getUint16(4),
    command: view.getUint16(6),
    cookie: view.getBigUint64(8),
    offset: view.getBigUint64(16),
    length: view.getUint32(24),
  };
}

export function encodeSimpleReply(cookie: bigint, error: number): Uint8Array {
  const bytes = new Uint8Array(4 + wire.simpleReplyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, wire.simpleReplyMagic);
  view.setUint32(4, error);
  view.setBigUint64(8, cookie);
  return bytes;
}

function encodeChunk(cookie: bigint, type: number, payload: Uint8Array, following = 0): Uint8Array {
  const bytes = new Uint8Array(4 + wire.chunkHeaderBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, wire.structuredReplyMagic);
  view.setUint16(4, wire.chunkFlag.done);
  view.setUint16(6, type);
  view.setBigUint64(8, cookie);
  view.setUint32(16, payload.length + following);
  bytes.set(payload, 4 + wire.chunkHeaderBytes);
  return bytes;
}

/** Head of a chunk of data; `length` bytes follow it. */
export function encodeDataHead(cookie: bigint, offset: bigint, length: number): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setBigUint64(0, offset);
  return encodeChunk(cookie, wire.chunkType.offsetData, payload, length);
}

export function encodeHole(cookie: bigint, offset: bigint, length: number): Uint8Array {
  const payload = new Uint8Array(12);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, offset);
  view.setUint32(8, length);
  return encodeChunk(cookie, wire.chunkType.offsetHole, payload);
}

export function encodeDone(cookie: bigint): Uint8Array {
  return encodeChunk(cookie, wire.chunkType.none, new Uint8Array(0));
}

export function encodeErrorChunk(cookie: bigint, error: number, message: string): Uint8Array {
  const text = new TextEncoder().encode(message).subarray(0, wire.maxStringBytes);
  const payload = new Uint8Array(6 + text.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, error);
  view.setUint16(4, text.length);
  payload.set(text, 6);
  return encodeChunk(cookie, chunkError.plain, payload);
}

export function encodeStatusChunk(cookie: bigint, contextId: number, runs: readonly wire.StatusRun[]): Uint8Array {
  const payload = new Uint8Array(4 + 8 * runs.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, contextId);
  runs.forEach(({ length, flags }, i) => {
    view.setUint32(4 + 8 * i, length);
    view.setUint32(8 + 8 * i, flags);
  });
  return encodeChunk(cookie, wire.chunkType.blockStatus, payload);
}
