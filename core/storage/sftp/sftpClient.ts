// An SFTP client: requests and their replies over one line. Knows files and handles, not objects; sftpTransfer.ts moves
// contents, sftpFiles.ts makes changes durable. Nothing here waits for ever: a silent server ends the line.

import type { TrafficCount } from "../trafficCount.js";
import type { ByteLine } from "./byteLine.js";
import {
  counted,
  type FileAttributes,
  type NamedAttributes,
  OPEN,
  PACKET,
  PacketReader,
  PacketSplitter,
  packet,
  permissionAttributes,
  SftpProtocolError,
  STATUS,
  timeAttributes,
  u32,
  u64,
} from "./sftpPacket.js";
import { DEFAULT_IO_BYTES, decodeExtensions, decodeSpace, ioBytes, type SpaceInfo } from "./sftpReplies.js";

/** A server that answers nothing for this long, while something is asked, is given up. A slow disk's fsync must fit. */
export const IDLE_TIMEOUT_MS = 120_000;
/** One request may wait this many idle times while others are answered. */
const STARVED_FACTOR = 5;

export type SftpHandle = Uint8Array & { readonly brand?: "sftp handle" };

/** A refusal by the server, for one request. `status` is one of STATUS. */
export class SftpStatusError extends Error {
  override readonly name = "SftpStatusError";
  readonly status: number;
  readonly request: string;

  constructor(request: string, status: number, message: string) {
    super(`${request}: ${message || "the server gives no reason"} (status ${status})`);
    this.request = request;
    this.status = status;
  }
}

/** The line is gone; what was asked may or may not have been done. */
export class SftpLineError extends Error {
  override readonly name = "SftpLineError";
  /** `lost`: it broke. `silent`: the server stopped answering. `protocol`: what came was not SFTP. `closed`: by us. */
  readonly kind: "lost" | "silent" | "protocol" | "closed";

  constructor(kind: SftpLineError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

interface Pending {
  name: string;
  expected: number;
  sentAtMs: number;
  decode(reader: PacketReader): unknown;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface SftpClientOptions {
  idleTimeoutMs?: number;
  /** Where requests and contents are counted. */
  traffic?: TrafficCount;
}

/** Shakes hands. Throws SftpLineError; the line is destroyed then. */
export async function startSftpClient(line: ByteLine, options: SftpClientOptions = {}): Promise<SftpClient> {
  const client = new SftpClient(line, options);
  await client.start();
  return client;
}

export class SftpClient {
  readonly #line: ByteLine;
  readonly #idleTimeoutMs: number;
  readonly #traffic: TrafficCount | undefined;
  readonly #pending = new Map<number, Pending>();
  #versionReply: Pending | undefined;
  #nextId = 0;
  #heardAtMs = 0;
  #watch: NodeJS.Timeout | undefined;
  #ended: SftpLineError | undefined;
  #extensions: ReadonlySet<string> = new Set();
  #readBytes = DEFAULT_IO_BYTES;
  #writeBytes = DEFAULT_IO_BYTES;

  constructor(line: ByteLine, { idleTimeoutMs = IDLE_TIMEOUT_MS, traffic }: SftpClientOptions) {
    this.#line = line;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#traffic = traffic;
  }

  async start(): Promise<void> {
    const splitter = new PacketSplitter((bytes) => this.#receive(bytes));
    this.#line.listen({
      onBytes: (chunk) => {
        this.#heardAtMs = performance.now();
        try {
          splitter.push(chunk);
        } catch (cause) {
          this.#end(
            new SftpLineError("protocol", `the server does not speak SFTP: ${(cause as Error).message}`, cause),
          );
        }
      },
      onEnd: (why) => this.#end(new SftpLineError("lost", why.message, why)),
    });
    this.#extensions = await this.#shakeHands();
    if (this.has("limits@openssh.com")) await this.#askLimits();
  }

  /** Set when the line is gone. */
  get ended(): SftpLineError | undefined {
    return this.#ended;
  }

  /** Most bytes of contents in one read or write request. */
  get readBytes(): number {
    return this.#readBytes;
  }

  get writeBytes(): number {
    return this.#writeBytes;
  }

  /** True when the server offers the extension. */
  has(extension: string): boolean {
    return this.#extensions.has(extension);
  }

  openToRead(path: string): Promise<SftpHandle> {
    return this.#open(path, OPEN.read, u32(0));
  }

  /** Makes a new file; fails when there is one. */
  openNew(path: string, mode: number): Promise<SftpHandle> {
    return this.#open(path, OPEN.write | OPEN.create | OPEN.exclusive, permissionAttributes(mode));
  }

  close(handle: SftpHandle): Promise<void> {
    return this.#change("close", PACKET.close, [counted(handle)]);
  }

  /** Reads into `target`, which must not be longer than readBytes. Answers the bytes read; 0 at the end of the file. */
  async read(handle: SftpHandle, offset: number, target: Uint8Array): Promise<number> {
    const fields = [counted(handle), u64(offset), u32(target.length)];
    const decode = (reader: PacketReader) => {
      const data = reader.counted(target.length);
      if (data.length === 0) throw new SftpProtocolError("an empty answer to a read");
      target.set(data);
      this.#traffic?.received(data.length);
      return data.length;
    };
    try {
      return await this.#ask("read", PACKET.read, fields, PACKET.data, decode);
    } catch (error) {
      if (hasStatus(error, STATUS.endOfFile)) return 0;
      throw error;
    }
  }

  /** `bytes` (at most writeBytes) must not change until the promise settles. */
  write(handle: SftpHandle, offset: number, bytes: Uint8Array): Promise<void> {
    return this.#change("write", PACKET.write, [counted(handle), u64(offset), u32(bytes.length)], bytes);
  }

  /** Flushes a file. Only where the server has fsync@openssh.com. */
  flush(handle: SftpHandle): Promise<void> {
    return this.#change("fsync", PACKET.extended, [counted("fsync@openssh.com"), counted(handle)]);
  }

  /** Of the name itself, not of what a symbolic link points to. */
  stat(path: string): Promise<FileAttributes> {
    return this.#ask("lstat", PACKET.lstat, [counted(path)], PACKET.attributes, (reader) => reader.attributes());
  }

  statHandle(handle: SftpHandle): Promise<FileAttributes> {
    return this.#ask("fstat", PACKET.fstat, [counted(handle)], PACKET.attributes, (reader) => reader.attributes());
  }

  setTimes(path: string, accessedAtS: number, modifiedAtS: number): Promise<void> {
    return this.#change("setstat", PACKET.setstat, [counted(path), timeAttributes(accessedAtS, modifiedAtS)]);
  }

  openFolder(path: string): Promise<SftpHandle> {
    return this.#ask("opendir", PACKET.opendir, [counted(path)], PACKET.handle, (reader) => reader.handle());
  }

  /** Some more names of a folder; nothing at its end. */
  async readFolder(handle: SftpHandle): Promise<NamedAttributes[] | undefined> {
    try {
      return await this.#ask("readdir", PACKET.readdir, [counted(handle)], PACKET.name, (reader) => reader.names());
    } catch (error) {
      if (hasStatus(error, STATUS.endOfFile)) return undefined;
      throw error;
    }
  }

  makeFolder(path: string, mode: number): Promise<void> {
    return this.#change("mkdir", PACKET.mkdir, [counted(path), permissionAttributes(mode)]);
  }

  remove(path: string): Promise<void> {
    return this.#change("remove", PACKET.remove, [counted(path)]);
  }

  /** The absolute path without links. */
  async realPath(path: string): Promise<string> {
    const names = await this.#ask("realpath", PACKET.realpath, [counted(path)], PACKET.name, (reader) =>
      reader.names(),
    );
    if (names.length !== 1) throw new SftpLineError("protocol", "the server gave no single name for a path");
    return names[0]!.name;
  }

  /** Fails when the new name exists, on servers that do as the draft says. */
  rename(from: string, to: string): Promise<void> {
    return this.#change("rename", PACKET.rename, [counted(from), counted(to)]);
  }

  /** Replaces what is there. Only where the server has posix-rename@openssh.com. */
  replace(from: string, to: string): Promise<void> {
    return this.#change("posix-rename", PACKET.extended, [
      counted("posix-rename@openssh.com"),
      counted(from),
      counted(to),
    ]);
  }

  /** Fails when the new name exists. Only where the server has hardlink@openssh.com. */
  link(from: string, to: string): Promise<void> {
    return this.#change("hardlink", PACKET.extended, [counted("hardlink@openssh.com"), counted(from), counted(to)]);
  }

  /** Only where the server has statvfs@openssh.com. */
  space(path: string): Promise<SpaceInfo> {
    const fields = [counted("statvfs@openssh.com"), counted(path)];
    return this.#ask("statvfs", PACKET.extended, fields, PACKET.extendedReply, decodeSpace);
  }

  /** Ends the line; what is pending fails. May be called twice. */
  end(why = new SftpLineError("closed", "the connection was closed")): void {
    this.#end(why);
  }

  #open(path: string, flags: number, attributes: Uint8Array): Promise<SftpHandle> {
    const fields = [counted(path), u32(flags), attributes];
    return this.#ask("open", PACKET.open, fields, PACKET.handle, (reader) => reader.handle());
  }

  #change(name: string, type: number, fields: readonly Uint8Array[], tail?: Uint8Array): Promise<void> {
    return this.#ask(name, type, fields, PACKET.status, () => undefined, tail);
  }

  #ask<T>(
    name: string,
    type: number,
    fields: readonly Uint8Array[],
    expected: number,
    decode: (reader: PacketReader) => T,
    tail?: Uint8Array,
  ): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    return new Promise((resolve, reject) => {
      const sentAtMs = performance.now();
      this.#pending.set(id, { name, expected, sentAtMs, decode, resolve: resolve as Pending["resolve"], reject });
      this.#traffic?.request(name, tail?.length);
      const head = packet(type, [u32(id), ...fields], tail?.length ?? 0);
      this.#line.send(tail === undefined || tail.length === 0 ? [head] : [head, tail]);
      this.#startWatch();
    });
  }

  #shakeHands(): Promise<ReadonlySet<string>> {
    return new Promise((resolve, reject) => {
      const sentAtMs = performance.now();
      const decode = decodeExtensions;
      const done = resolve as Pending["resolve"];
      this.#versionReply = { name: "init", expected: PACKET.version, sentAtMs, decode, resolve: done, reject };
      this.#line.send([packet(PACKET.init, [u32(3)])]);
      this.#startWatch();
    });
  }

  async #askLimits(): Promise<void> {
    const decode = (reader: PacketReader) => {
      reader.u64Exact(); // longest packet; what follows is bounded by it
      return { read: reader.u64Exact(), write: reader.u64Exact() };
    };
    const fields = [counted("limits@openssh.com")];
    const { read, write } = await this.#ask("limits", PACKET.extended, fields, PACKET.extendedReply, decode);
    this.#readBytes = ioBytes(read);
    this.#writeBytes = ioBytes(write);
  }

  #receive(bytes: Uint8Array): void {
    const reader = new PacketReader(bytes);
    const type = reader.u8();
    if (this.#versionReply !== undefined) {
      const { decode, resolve } = this.#versionReply;
      if (type !== PACKET.version) throw new SftpProtocolError(`packet type ${type} instead of a version`);
      const extensions = decode(reader);
      this.#versionReply = undefined;
      this.#stopWatchWhenIdle();
      resolve(extensions);
      return;
    }
    const id = reader.u32();
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new SftpProtocolError("a reply to nothing that was asked");
    this.#settle(pending, type, reader);
    this.#pending.delete(id);
    this.#stopWatchWhenIdle();
  }

  /** Throws before the request is settled when the reply makes no sense: ending the line settles it then. */
  #settle(pending: Pending, type: number, reader: PacketReader): void {
    if (type === PACKET.status) {
      const status = reader.u32();
      const message = reader.rest >= 4 ? reader.message() : "";
      if (status !== STATUS.ok) pending.reject(new SftpStatusError(pending.name, status, message));
      else if (pending.expected === PACKET.status) pending.resolve(undefined);
      else throw new SftpProtocolError(`${pending.name}: success without an answer`);
    } else if (type === pending.expected) {
      pending.resolve(pending.decode(reader));
    } else {
      throw new SftpProtocolError(`${pending.name}: packet type ${type} in reply`);
    }
  }

  #startWatch(): void {
    if (this.#watch !== undefined || this.#ended !== undefined) return; // a line may end while something is sent
    this.#heardAtMs = performance.now();
    this.#watch = setInterval(() => this.#look(), Math.max(10, this.#idleTimeoutMs / 8));
  }

  #stopWatchWhenIdle(): void {
    if (this.#pending.size > 0 || this.#versionReply !== undefined) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #look(): void {
    const nowMs = performance.now();
    const [oldest] = this.#pending.values(); // a Map keeps the order of insertion
    const silent = nowMs - this.#heardAtMs > this.#idleTimeoutMs;
    const starved = oldest !== undefined && nowMs - oldest.sentAtMs > STARVED_FACTOR * this.#idleTimeoutMs;
    if (!silent && !starved) return;
    const name = this.#versionReply?.name ?? oldest?.name ?? "a request";
    const seconds = Math.round(this.#idleTimeoutMs / 1000);
    this.#end(new SftpLineError("silent", `the server did not answer ${name} within ${seconds} s`));
  }

  #end(why: SftpLineError): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#line.destroy();
    const waiting = [...this.#pending.values(), ...(this.#versionReply ? [this.#versionReply] : [])];
    this.#pending.clear();
    this.#versionReply = undefined;
    for (const { reject } of waiting) reject(why);
  }
}

/** True for a refusal with one of these codes. */
export function hasStatus(error: unknown, ...statuses: number[]): error is SftpStatusError {
  return error instanceof SftpStatusError && statuses.includes(error.status);
}

/** True when `error` says that the line is gone, not that a request was refused. */
export function isLineError(error: unknown): error is SftpLineError {
  return error instanceof SftpLineError;
}
