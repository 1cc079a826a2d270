// An NBD server in this process whose every answer a test decides: honest by default, hostile on demand. It speaks the
// byte layouts on its own, so that a mistake in core/nbd/wire.ts is not repeated here.

import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { makeTemporaryFolder } from "./temporaryFolder.js";

export interface FakeRequest {
  flags: number;
  command: number;
  cookie: bigint;
  offset: number;
  length: number;
  payload: Uint8Array;
}

export type Send = (...parts: Uint8Array[]) => void;

export interface FakeNbdOptions {
  sizeBytes?: bigint;
  exportFlags?: number;
  structuredReplies?: boolean;
  /** Context ids by name; only these are agreed to. */
  contexts?: Record<string, number>;
  blockSizes?: { min: number; max: number };
  /** Sent instead of the greeting; null: silence. */
  greeting?: Uint8Array | null;
  /** Answers an option itself by returning true. */
  onOption?: (code: number, data: Uint8Array, send: Send) => boolean;
  /** Answers a request. Default: never. */
  onRequest?: (request: FakeRequest, send: Send, socket: Socket) => void;
  tcp?: boolean;
}

export interface FakeNbd {
  address: { socketPath: string } | { host: string; port: number };
  /** Requests seen, all connections together. */
  requests: FakeRequest[];
  openConnections(): number;
  close(): Promise<void>;
}

export function u16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: bigint | number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** `length` may lie; default: the truth. */
export function optionReply(code: number, type: number, data: Uint8Array, length = data.length): Uint8Array {
  return Buffer.concat([u64(0x0003e889045565a9n), u32(code), u32(type), u32(length), data]);
}

export function simpleReply(cookie: bigint, error = 0, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([u32(0x67446698), u32(error), u64(cookie), data]);
}

export interface FakeChunk {
  cookie: bigint;
  type: number;
  done?: boolean;
  payload?: Uint8Array;
  length?: number;
}

export function chunk({ cookie, type, done = false, payload = new Uint8Array(0), length }: FakeChunk): Uint8Array {
  const head = [u32(0x668e33ef), u16(done ? 1 : 0), u16(type), u64(cookie), u32(length ?? payload.length)];
  return Buffer.concat([...head, payload]);
}

export function dataChunk(cookie: bigint, offset: number, data: Uint8Array, done = false): Uint8Array {
  return chunk({ cookie, type: 1, done, payload: Buffer.concat([u64(offset), data]) });
}

export function holeChunk(cookie: bigint, offset: number, length: number, done = false): Uint8Array {
  return chunk({ cookie, type: 2, done, payload: Buffer.concat([u64(offset), u32(length)]) });
}

export function errorChunk(cookie: bigint, errno: number, message: string, done = true): Uint8Array {
  const text = Buffer.from(message);
  return chunk({ cookie, type: 0x8001, done, payload: Buffer.concat([u32(errno), u16(text.length), text]) });
}

export function statusChunk(cookie: bigint, contextId: number, runs: [number, number][], done = true): Uint8Array {
  const payload = Buffer.concat([u32(contextId), ...runs.flatMap(([length, flags]) => [u32(length), u32(flags)])]);
  return chunk({ cookie, type: 5, done, payload });
}

export const honestGreeting = Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), u16(3)]);

/** Closes what a test starts; call `close` in afterEach. */
export async function startFakeNbd(options: FakeNbdOptions): Promise<FakeNbd> {
  const folder = await makeTemporaryFolder("fake-nbd");
  const sockets = new Set<Socket>();
  const requests: FakeRequest[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket, options, requests);
  });
  const socketPath = join(folder.path, "s");
  await new Promise<void>((resolve) => {
    if (options.tcp) server.listen(0, "127.0.0.1", resolve);
    else server.listen(socketPath, resolve);
  });
  const bound = server.address();
  const address =
    typeof bound === "object" && bound !== null ? { host: "127.0.0.1", port: bound.port } : { socketPath };
  return {
    address,
    requests,
    openConnections: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}

/** Collects bytes and lets a handler eat whole messages from the front. */
function serve(socket: Socket, options: FakeNbdOptions, requests: FakeRequest[]): void {
  const send: Send = (...parts) => {
    if (!socket.destroyed) socket.write(Buffer.concat(parts));
  };
  let received = Buffer.alloc(0);
  let phase: "flags" | "options" | "requests" = "flags";
  if (options.greeting === null) return;
  send(options.greeting ?? honestGreeting);
  socket.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      if (phase === "flags") {
        if (received.length < 4) return;
        received = received.subarray(4);
        phase = "options";
      } else if (phase === "options") {
        if (received.length < 16 || received.length < 16 + received.readUInt32BE(12)) return;
        const end = 16 + received.readUInt32BE(12);
        const code = received.readUInt32BE(8);
        const data = received.subarray(16, end);
        received = received.subarray(end);
        if (options.onOption?.(code, data, send) !== true) answerOption(code, data, send, options);
        if (code === 7) phase = "requests";
      } else {
        const request = takeRequest(received);
        if (request === undefined) return;
        received = received.subarray(28 + request.payload.length);
        requests.push(request);
        if (request.command === 2) return void socket.end();
        options.onRequest?.(request, send, socket);
      }
    }
  });
}

function takeRequest(bytes: Buffer): FakeRequest | undefined {
  if (bytes.length < 28) return undefined;
  const command = bytes.readUInt16BE(6);
  const length = bytes.readUInt32BE(24);
  const payloadBytes = command === 1 ? length : 0;
  if (bytes.length < 28 + payloadBytes) return undefined;
  return {
    flags: bytes.readUInt16BE(4),
    command,
    cookie: bytes.readBigUInt64BE(8),
    offset: Number(bytes.readBigUInt64BE(16)),
    length,
    payload: Uint8Array.from(bytes.subarray(28, 28 + payloadBytes)),
  };
}

function answerOption(code: number, data: Uint8Array, send: Send, options: FakeNbdOptions): void {
  const none = new Uint8Array(0);
  if (code === 8) {
    send(optionReply(8, options.structuredReplies === false ? 0x80000001 : 1, none));
  } else if (code === 10) {
    const wanted = Buffer.from(data).toString("latin1");
    for (const [name, id] of Object.entries(options.contexts ?? {})) {
      if (wanted.includes(name)) send(optionReply(10, 4, Buffer.concat([u32(id), Buffer.from(name)])));
    }
    send(optionReply(10, 1, none));
  } else if (code === 7) {
    answerGo(send, options);
  }
}

function answerGo(send: Send, options: FakeNbdOptions): void {
  const { sizeBytes = 1048576n, exportFlags = 1, blockSizes } = options;
  send(optionReply(7, 3, Buffer.concat([u16(0), u64(sizeBytes), u16(exportFlags)])));
  if (blockSizes !== undefined) {
    send(optionReply(7, 3, Buffer.concat([u16(3), u32(blockSizes.min), u32(4096), u32(blockSizes.max)])));
  }
  send(optionReply(7, 1, new Uint8Array(0)));
}
