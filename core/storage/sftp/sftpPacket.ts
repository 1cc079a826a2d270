// The bytes of the SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions (PROTOCOL in its
// source): requests out, replies in. A server is not trusted: every length is compared with what is there and with a limit.

/** Packet types. */
export const PACKET = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  realpath: 16,
  rename: 18,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** Reply codes. */
export const STATUS = {
  ok: 0,
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;

/** Flags of an open request. */
export const OPEN = { read: 0x01, write: 0x02, create: 0x08, exclusive: 0x20 } as const;

/** Longest packet that is accepted, without its length field: what OpenSSH sends at most (SFTP_MAX_MSG_LENGTH). */
export const MAX_PACKET_BYTES = 256 * 1024;
/** Longest handle that the protocol allows. */
const MAX_HANDLE_BYTES = 256;
/** Longest path that is accepted. */
const MAX_PATH_BYTES = 4096;
const MAX_MESSAGE_BYTES = 4096;

const ATTRIBUTE = { size: 0x1, owner: 0x2, permissions: 0x4, times: 0x8, extended: 0x80000000 } as const;
const FILE_TYPE_MASK = 0o170000;
const FILE_TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "link"],
]);

export type FileType = "file" | "folder" | "link" | "other";

/** What a server says of a file; it may leave out any of it. */
export interface FileAttributes {
  sizeBytes?: number;
  type?: FileType;
  /** The server's clock, whole seconds. */
  modifiedAtS?: number;
  accessedAtS?: number;
}

export interface NamedAttributes {
  name: string;
  attributes: FileAttributes;
}

/** A reply that does not follow the protocol. The line cannot be used after it. */
export class SftpProtocolError extends Error {
  override readonly name = "SftpProtocolError";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Four bytes, big-endian. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Eight bytes, big-endian. */
export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** A byte string or text with its length in front. */
export function counted(value: Uint8Array | string): Uint8Array {
  const content = typeof value === "string" ? encoder.encode(value) : value;
  return join([u32(content.length), content]);
}

/** Attributes that only set the permission bits. */
export function permissionAttributes(mode: number): Uint8Array {
  return join([u32(ATTRIBUTE.permissions), u32(mode)]);
}

/** Attributes that only set the times, in whole seconds. */
export function timeAttributes(accessedAtS: number, modifiedAtS: number): Uint8Array {
  return join([u32(ATTRIBUTE.times), u32(accessedAtS), u32(modifiedAtS)]);
}

/** The length field, type and fields of a packet; `tailBytes` follow it and are sent apart. */
export function packet(type: number, fields: readonly Uint8Array[], tailBytes = 0): Uint8Array {
  const body = join(fields);
  return join([u32(1 + body.length + tailBytes), Uint8Array.of(type), body]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Reads the fields of one packet. Throws SftpProtocolError for one that is longer than the rest, or than its limit. */
export class PacketReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** Fails beyond Number.MAX_SAFE_INTEGER. */
  u64(): number {
    const value = this.u64Exact();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SftpProtocolError("a number is too large");
    return Number(value);
  }

  u64Exact(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** A counted byte string, as a view on the packet. */
  counted(maxBytes: number): Uint8Array {
    const length = this.u32();
    if (length > maxBytes) throw new SftpProtocolError(`a field of ${length} bytes, at most ${maxBytes} are allowed`);
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  handle(): Uint8Array {
    return this.counted(MAX_HANDLE_BYTES).slice();
  }

  path(): string {
    return decoder.decode(this.counted(MAX_PATH_BYTES));
  }

  /** A server's sentence, fit for a terminal. */
  message(): string {
    return printable(decoder.decode(this.counted(MAX_MESSAGE_BYTES)));
  }

  attributes(): FileAttributes {
    const flags = this.u32();
    const found: FileAttributes = {};
    if (flags & ATTRIBUTE.size) found.sizeBytes = this.u64();
    if (flags & ATTRIBUTE.owner) this.#take(8);
    if (flags & ATTRIBUTE.permissions) found.type = FILE_TYPES.get(this.u32() & FILE_TYPE_MASK) ?? "other";
    if (flags & ATTRIBUTE.times) {
      found.accessedAtS = this.u32();
      found.modifiedAtS = this.u32();
    }
    if (flags & ATTRIBUTE.extended) {
      const count = this.u32();
      if (count > this.rest / 8) throw new SftpProtocolError("more attributes than the packet can hold");
      for (let index = 0; index < count; index++) for (const _ of [0, 1]) this.counted(MAX_PACKET_BYTES);
    }
    return found;
  }

  names(): NamedAttributes[] {
    const count = this.u32();
    // two counted strings and the flags of the attributes take 12 bytes at least
    if (count > this.rest / 12) throw new SftpProtocolError("more names than the packet can hold");
    return Array.from({ length: count }, () => {
      const name = this.path();
      this.counted(MAX_PACKET_BYTES); // a line as of `ls -l`, for people
      return { name, attributes: this.attributes() };
    });
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.rest) throw new SftpProtocolError(`a packet ends ${length - this.rest} bytes too early`);
    this.#at += length;
    return start;
  }
}

/** Cuts a stream of bytes into packets. Holds one packet at most, and no memory before the first that comes in parts. */
export class PacketSplitter {
  readonly #onPacket: (packet: Uint8Array) => void;
  #buffer: Uint8Array | undefined;
  #filled = 0;
  #wanted = 0;

  /** `onPacket` gets a view that is valid during the call only. */
  constructor(onPacket: (packet: Uint8Array) => void) {
    this.#onPacket = onPacket;
  }

  /** Throws SftpProtocolError for a length of 0 or above MAX_PACKET_BYTES, and whatever onPacket throws. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at += this.#filled === 0 ? this.#start(chunk, at) : this.#goOn(chunk, at);
  }

  /** A packet that lies in one chunk is not copied. */
  #start(chunk: Uint8Array, at: number): number {
    if (chunk.length - at < 4) return this.#goOn(chunk, at);
    const length = lengthField(chunk, at);
    if (chunk.length - at - 4 < length) return this.#goOn(chunk, at);
    this.#onPacket(chunk.subarray(at + 4, at + 4 + length));
    return 4 + length;
  }

  #goOn(chunk: Uint8Array, at: number): number {
    this.#buffer ??= new Uint8Array(4 + MAX_PACKET_BYTES);
    const end = this.#filled < 4 ? 4 : this.#wanted;
    const taken = Math.min(end - this.#filled, chunk.length - at);
    this.#buffer.set(chunk.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled < end) return taken;
    if (end === 4) {
      this.#wanted = 4 + lengthField(this.#buffer, 0);
    } else {
      this.#filled = 0;
      this.#onPacket(this.#buffer.subarray(4, this.#wanted));
    }
    return taken;
  }
}

function lengthField(bytes: Uint8Array, at: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
  if (length === 0 || length > MAX_PACKET_BYTES) {
    throw new SftpProtocolError(`a packet of ${length} bytes, at most ${MAX_PACKET_BYTES} are allowed`);
  }
  return length;
}

/** Without control characters, and short: text of others ends up in terminals. */
export function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, 300);
}
