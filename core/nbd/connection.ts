// One socket to an NBD server: connects, shakes hands, keeps requests in flight and their time limits, and fails them
// all when the connection does. Which requests to make is decided in client.ts.

import { connect, type Socket } from "node:net";
import { type ByteParser, ParserFeed } from "./byteParser.js";
import { type HandshakeWishes, type Negotiated, negotiate } from "./handshake.js";
import { nbdFailed } from "./nbdErrors.js";
import { PendingRequest, receiveReplies } from "./replies.js";
import { command, encodeRequest } from "./wire.js";

export type NbdAddress = { socketPath: string } | { host: string; port: number };

export interface ConnectionLimits {
  handshakeTimeoutMs: number;
  /** From the moment a request is sent to the last byte of its answer. */
  requestTimeoutMs: number;
}

export interface RequestSpec {
  command: number;
  flags?: number;
  offset: number;
  length: number;
  /** Destination of a read. */
  into?: Uint8Array;
  /** Payload of a write; must stay unchanged until the request is done. */
  payload?: Uint8Array;
}

/** A request that was accepted, perhaps not sent yet. */
export interface RequestHandle {
  /** Resolves with the answer, rejects with NBD_FAILED or NBD_PROTOCOL. */
  done: Promise<PendingRequest>;
  /** The caller no longer waits: its buffer is not touched any more. */
  abandon(): void;
}

interface Queued {
  spec: RequestSpec;
  request: PendingRequest;
  abandoned: boolean;
}

/** More than this makes a server queue, not faster. qemu-nbd works on 16 at once. */
const maxInFlight = 16;
const receiveBufferBytes = 256 * 1024;
const goodbyeMs = 1000;

export class NbdConnection {
  readonly agreed: Negotiated;
  readonly #socket: Socket;
  readonly #requestTimeoutMs: number;
  readonly #inFlight = new Map<number, { request: PendingRequest; deadlineMs: number }>();
  readonly #queue: Queued[] = [];
  #cookie = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket, agreed: Negotiated, requestTimeoutMs: number) {
    this.#socket = socket;
    this.agreed = agreed;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** Connects and shakes hands. NBD_FAILED (ENOENT, ECONNREFUSED, ETIMEDOUT …), NBD_PROTOCOL, or the abort reason. */
  static open(
    address: NbdAddress,
    wishes: HandshakeWishes,
    limits: ConnectionLimits,
    signal?: AbortSignal,
  ): Promise<NbdConnection> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let connection: NbdConnection | undefined;
      const fail = (error: Error) => {
        if (connection !== undefined) return connection.#fail(error);
        settleHandshake();
        socket.destroy();
        reject(error);
      };
      const ready = (agreed: Negotiated): NbdConnection => {
        settleHandshake();
        connection = new NbdConnection(socket, agreed, limits.requestTimeoutMs);
        resolve(connection);
        return connection;
      };
      const onAbort = () => fail(signal?.reason as Error);
      const tooLate = () => fail(nbdFailed("ETIMEDOUT", "the server did not complete the handshake"));
      const timer = setTimeout(tooLate, limits.handshakeTimeoutMs);
      const settleHandshake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      signal?.addEventListener("abort", onAbort);

      const feed = new ParserFeed(conversation((bytes) => socket.write(bytes), wishes, ready));
      const socket = openSocket(address, (chunk) => {
        try {
          feed.feed(chunk);
        } catch (error) {
          fail(error as Error);
        }
      });
      socket.on("error", (error) => fail(connectionLost(error)));
      socket.on("close", () => fail(nbdFailed("ECONNRESET", "the server closed the connection")));
    });
  }

  /** Requests sent or waiting to be sent. */
  get load(): number {
    return this.#inFlight.size + this.#queue.length;
  }

  /** Why the connection is unusable; undefined while it works. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  start(spec: RequestSpec): RequestHandle {
    let queued: Queued | undefined;
    const done = new Promise<PendingRequest>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const request: PendingRequest = new PendingRequest(spec.command, spec.offset, spec.length, spec.into, (error) =>
        error === undefined ? resolve(request) : reject(error),
      );
      queued = { spec, request, abandoned: false };
      this.#queue.push(queued);
      this.#sendQueued();
    });
    const abandon = () => {
      if (queued === undefined) return;
      queued.abandoned = true;
      queued.request.abandon();
    };
    return { done, abandon };
  }

  /** Says goodbye and waits until the socket is gone. Requests still under way fail. May be called twice. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#socket.write(encodeRequest({ command: command.disconnect, flags: 0, cookie: 0, offset: 0, length: 0 }));
      this.#failRequests(nbdFailed("ESHUTDOWN", "the connection is closed"));
      this.#socket.end();
    }
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), goodbyeMs);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  find(cookie: bigint): PendingRequest | undefined {
    return this.#inFlight.get(Number(cookie))?.request;
  }

  finish(cookie: bigint): void {
    this.#inFlight.delete(Number(cookie));
    this.#sendQueued();
    if (this.#inFlight.size === 0) this.#stopTimer();
  }

  #sendQueued(): void {
    while (this.#inFlight.size < maxInFlight) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      if (!next.abandoned) this.#send(next);
    }
  }

  #send({ spec, request }: Queued): void {
    this.#cookie++;
    this.#inFlight.set(this.#cookie, { request, deadlineMs: performance.now() + this.#requestTimeoutMs });
    const { offset, length } = spec;
    const header = { command: spec.command, flags: spec.flags ?? 0, cookie: this.#cookie, offset, length };
    this.#socket.cork();
    this.#socket.write(encodeRequest(header));
    if (spec.payload !== undefined) this.#socket.write(spec.payload);
    this.#socket.uncork();
    this.#timer ??= setTimeout(() => this.#checkDeadline(), this.#requestTimeoutMs);
  }

  /** Deadlines ascend with the cookies, so the first request in flight is the one to watch. */
  #checkDeadline(): void {
    this.#timer = undefined;
    const [oldest] = this.#inFlight.values();
    if (oldest === undefined) return;
    const leftMs = oldest.deadlineMs - performance.now();
    if (leftMs > 0) {
      this.#timer = setTimeout(() => this.#checkDeadline(), leftMs);
      return;
    }
    const { offset, length } = oldest.request;
    this.#fail(nbdFailed("ETIMEDOUT", `no answer in ${this.#requestTimeoutMs} ms`, { offset, length }));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fail(error: Error): void {
    this.#failRequests(error);
    this.#socket.destroy();
  }

  #failRequests(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stopTimer();
    const waiting = [...this.#inFlight.values(), ...this.#queue];
    this.#inFlight.clear();
    this.#queue.length = 0;
    for (const { request } of waiting) {
      request.abandon();
      request.settle(error);
    }
  }
}

function* conversation(
  send: (bytes: Uint8Array) => void,
  wishes: HandshakeWishes,
  ready: (agreed: Negotiated) => NbdConnection,
): ByteParser {
  const agreed = yield* negotiate(send, wishes);
  yield* receiveReplies(ready(agreed), agreed);
}

function openSocket(address: NbdAddress, onBytes: (chunk: Uint8Array) => void): Socket {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(receiveBufferBytes),
    callback: (count: number, buffer: Uint8Array) => {
      onBytes(buffer.subarray(0, count));
      return true;
    },
  };
  if ("socketPath" in address) return connect({ path: address.socketPath, onread });
  return connect({ host: address.host, port: address.port, noDelay: true, onread });
}

function connectionLost(error: Error): Error {
  const errno = (error as NodeJS.ErrnoException).code ?? "ECONNRESET";
  return nbdFailed(errno, "the connection failed", {}, error);
}
