// NBD client for one export over one connection: reads, writes and allocation queries of any length, cut into requests
// that the server accepts. Used for qemu-nbd children and for exports of running hypervisors. No TLS, no reconnecting.

import { type NbdAddress, NbdConnection, type RequestHandle, type RequestSpec } from "./connection.js";
import { nbdFailed, nbdProtocolError } from "./nbdErrors.js";
import { command, commandFlag, exportFlag, type StatusRun } from "./wire.js";

export interface NbdOptions {
  /** Default: the server's default export, "". */
  exportName?: string;
  /** Metadata contexts to ask for, such as `base:allocation` (the default) or `qemu:dirty-bitmap:NAME`. */
  contexts?: readonly string[];
  /**
   * Ask for the server's block sizes (default). Reads are then aligned here. Without asking, a server must accept any
   * alignment, which is what writers of unaligned ranges need.
   */
  blockSizes?: boolean;
  /** Longest single request with a payload, bytes; the server's maximum wins when smaller. Default 4 MiB. */
  maxRequestBytes?: number;
  /** Default 10 s. */
  handshakeTimeoutMs?: number;
  /** For one request of at most maxRequestBytes. Default 60 s. */
  requestTimeoutMs?: number;
  /** Aborts connecting and the handshake; later calls take their own signal. */
  signal?: AbortSignal;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

/** A run of blocks with the same flags in one metadata context. */
export interface MapRun {
  offset: number;
  length: number;
  flags: number;
}

/** Requests without a payload are not bound by the server's maximum, only by 32 bits. */
const maxSpanBytes = 1024 * 1024 * 1024;

/**
 * Errors: NBD_PROTOCOL (the server is broken or hostile; the connection is closed) and NBD_FAILED (`data.errno`: the
 * server's answer, or ETIMEDOUT, ECONNRESET … for the connection). An abort rejects with the signal's reason.
 */
export class NbdClient {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly canFlush: boolean;
  readonly canTrim: boolean;
  readonly canWriteZeroes: boolean;
  /** The server promises that several connections see one another's writes after a flush. */
  readonly canMultiConn: boolean;
  /** Names of the contexts the server agreed to. */
  readonly contexts: readonly string[];
  readonly minBlockBytes: number;
  readonly #connection: NbdConnection;
  readonly #pieceBytes: number;

  private constructor(connection: NbdConnection, maxRequestBytes: number) {
    const { agreed } = connection;
    this.#connection = connection;
    this.sizeBytes = agreed.sizeBytes;
    this.readOnly = (agreed.flags & exportFlag.readOnly) !== 0;
    this.canFlush = (agreed.flags & exportFlag.flush) !== 0;
    this.canTrim = (agreed.flags & exportFlag.trim) !== 0;
    this.canWriteZeroes = (agreed.flags & exportFlag.writeZeroes) !== 0;
    this.canMultiConn = (agreed.flags & exportFlag.multiConn) !== 0;
    this.contexts = [...agreed.contexts.values()];
    this.minBlockBytes = agreed.minBlockBytes;
    const wantedBytes = Math.min(maxRequestBytes, agreed.maxBlockBytes);
    this.#pieceBytes = Math.max(wantedBytes - (wantedBytes % agreed.minBlockBytes), agreed.minBlockBytes);
  }

  static async connect(address: NbdAddress, options: NbdOptions = {}): Promise<NbdClient> {
    const wishes = {
      exportName: options.exportName ?? "",
      contexts: options.contexts ?? ["base:allocation"],
      blockSizes: options.blockSizes ?? true,
    };
    const { handshakeTimeoutMs = 10_000, requestTimeoutMs = 60_000, maxRequestBytes = 4 * 1024 * 1024 } = options;
    const limits = { handshakeTimeoutMs, requestTimeoutMs };
    const connection = await NbdConnection.open(address, wishes, limits, options.signal);
    return new NbdClient(connection, maxRequestBytes);
  }

  /** Requests sent or waiting: for choosing among several connections. */
  get load(): number {
    return this.#connection.load;
  }

  /** False once the connection has failed or was closed. */
  get usable(): boolean {
    return this.#connection.failure === undefined;
  }

  /** Fills all of `buffer` from `offset`. After an error or an abort the buffer is no longer written to. */
  async read(buffer: Uint8Array, offset: number, options: RequestOptions = {}): Promise<void> {
    this.#checkRange(offset, buffer.length);
    const alignedStart = offset - (offset % this.minBlockBytes);
    const end = offset + buffer.length;
    const alignedEnd = Math.min(Math.ceil(end / this.minBlockBytes) * this.minBlockBytes, this.sizeBytes);
    if (alignedStart === offset && alignedEnd === end) return this.#readAligned(buffer, offset, options);
    await this.#readUnaligned(buffer, offset, alignedStart, alignedEnd, options);
  }

  /** Writes all of `bytes`, which must stay unchanged until the promise settles. Not durable before flush(). */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    this.#checkWritable(offset, bytes.length);
    const specs = this.#cut(offset, bytes.length, this.#pieceBytes).map(({ at, length }) => {
      const payload = bytes.subarray(at - offset, at - offset + length);
      return { command: command.write, offset: at, length, payload };
    });
    await this.#runAll(specs, undefined);
  }

  /** Makes the range read as zeros; `keepAllocated` forbids holes. Needs canWriteZeroes. */
  async writeZeroes(offset: number, length: number, options: { keepAllocated?: boolean } = {}): Promise<void> {
    this.#checkWritable(offset, length);
    if (!this.canWriteZeroes) throw nbdFailed("ENOTSUP", "the server cannot write zeroes");
    const flags = options.keepAllocated ? commandFlag.noHole : 0;
    const spans = this.#cut(offset, length, maxSpanBytes);
    const specs = spans.map((span) => ({ command: command.writeZeroes, flags, offset: span.at, length: span.length }));
    await this.#runAll(specs, undefined);
  }

  /** Tells the server that the range's contents are no longer needed. Needs canTrim; what it reads as is undefined. */
  async trim(offset: number, length: number): Promise<void> {
    this.#checkWritable(offset, length);
    if (!this.canTrim) throw nbdFailed("ENOTSUP", "the server cannot trim");
    const spans = this.#cut(offset, length, maxSpanBytes);
    await this.#runAll(
      spans.map((span) => ({ command: command.trim, offset: span.at, length: span.length })),
      undefined,
    );
  }

  /** Everything written before is durable when this resolves. A server without FLUSH is taken at its word: no-op. */
  async flush(): Promise<void> {
    if (this.canFlush) await this.#runAll([{ command: command.flush, offset: 0, length: 0 }], undefined);
  }

  /**
   * Flags of one agreed context over `[offset, offset + length)`, in order and without gaps; neighbours differ in flags.
   * Memory grows with the number of runs: ask for bounded ranges of an untrusted image.
   */
  async map(context: string, offset: number, length: number, options: RequestOptions = {}): Promise<MapRun[]> {
    this.#checkRange(offset, length);
    if (!this.contexts.includes(context)) throw nbdFailed("ENOTSUP", `the server has no context "${context}"`);
    const runs: MapRun[] = [];
    const end = offset + length;
    let at = offset - (offset % this.minBlockBytes);
    while (at < end) {
      const wanted = Math.min(end - at, maxSpanBytes);
      const aligned = Math.min(Math.ceil(wanted / this.minBlockBytes) * this.minBlockBytes, this.sizeBytes - at);
      for (const run of await this.#blockStatus(context, at, aligned, options)) {
        appendRun(runs, Math.max(at, offset), Math.min(at + run.length, end), run.flags);
        at += run.length;
      }
    }
    return runs;
  }

  /** Ends the connection; requests under way fail. May be called twice. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #readAligned(buffer: Uint8Array, offset: number, options: RequestOptions): Promise<void> {
    const specs = this.#cut(offset, buffer.length, this.#pieceBytes).map(({ at, length }) => {
      return { command: command.read, offset: at, length, into: buffer.subarray(at - offset, at - offset + length) };
    });
    await this.#runAll(specs, options.signal);
  }

  /** Whole blocks into a buffer of our own, so that the caller's gets only what it asked for. */
  async #readUnaligned(
    buffer: Uint8Array,
    offset: number,
    start: number,
    end: number,
    options: RequestOptions,
  ): Promise<void> {
    const stepBytes = this.#pieceBytes;
    for (let at = start; at < end; at += stepBytes) {
      const blocks = new Uint8Array(Math.min(stepBytes, end - at));
      await this.#readAligned(blocks, at, options);
      const from = Math.max(at, offset);
      const to = Math.min(at + blocks.length, offset + buffer.length);
      buffer.set(blocks.subarray(from - at, to - at), from - offset);
    }
  }

  async #blockStatus(context: string, offset: number, length: number, options: RequestOptions): Promise<StatusRun[]> {
    const [answer] = await this.#runAll([{ command: command.blockStatus, offset, length }], options.signal);
    const runs = answer?.statuses.get(context);
    if (runs === undefined) throw nbdProtocolError("no block status for an agreed context", { context, offset });
    return runs;
  }

  /** Runs requests side by side. When one fails, or on abort, the others are cut off from the caller's memory first. */
  async #runAll(specs: readonly RequestSpec[], signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    const handles = specs.map((spec) => this.#connection.start(spec));
    const done = handles.map((handle) => handle.done);
    // Payloads are the caller's memory until the last of them is off the socket.
    if (specs.some((spec) => spec.payload !== undefined)) await Promise.allSettled(done);
    const all = Promise.all(done);
    try {
      return await (signal === undefined ? all : untilAborted(all, signal));
    } catch (error) {
      abandonAll(handles);
      throw error;
    }
  }

  #cut(offset: number, length: number, stepBytes: number): { at: number; length: number }[] {
    const pieces: { at: number; length: number }[] = [];
    for (let at = offset; at < offset + length; at += stepBytes) {
      pieces.push({ at, length: Math.min(stepBytes, offset + length - at) });
    }
    return pieces;
  }

  #checkRange(offset: number, length: number): void {
    const inside = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.sizeBytes;
    if (!inside) throw nbdFailed("EINVAL", `range outside the export`, { offset, length, sizeBytes: this.sizeBytes });
  }

  #checkWritable(offset: number, length: number): void {
    if (this.readOnly) throw nbdFailed("EPERM", "the export is read-only", { offset });
    this.#checkRange(offset, length);
    const unaligned = offset % this.minBlockBytes !== 0 || (offset + length) % this.minBlockBytes !== 0;
    if (!unaligned) return;
    const data = { offset, length, minBlockBytes: this.minBlockBytes };
    throw nbdFailed("EINVAL", `the server takes only multiples of ${this.minBlockBytes} bytes`, data);
  }
}

function abandonAll(handles: readonly RequestHandle[]): void {
  for (const handle of handles) handle.abandon();
}

function appendRun(runs: MapRun[], start: number, end: number, flags: number): void {
  if (end <= start) return;
  const last = runs.at(-1);
  if (last !== undefined && last.flags === flags) last.length += end - start;
  else runs.push({ offset: start, length: end - start, flags });
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
