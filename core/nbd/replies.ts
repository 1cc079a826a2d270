// The transmission phase as the client hears it: simple and structured replies are matched with the requests under
// way, data goes straight into the callers' buffers, and whatever does not fit a request ends the connection.

import { type ByteParser, take, type Want } from "./byteParser.js";
import { Coverage } from "./coverage.js";
import type { Negotiated } from "./handshake.js";
import { nbdFailed, nbdProtocolError, shown } from "./nbdErrors.js";
import * as wire from "./wire.js";

/** One request that waits for its answer. */
export class PendingRequest {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  /** Where read data goes; undefined for other commands and for reads whose caller has left. */
  buffer: Uint8Array | undefined;
  readonly coverage = new Coverage();
  /** Runs by context name, for block status. */
  readonly statuses = new Map<string, wire.StatusRun[]>();
  /** First error chunk; the request still waits for its last chunk. */
  failure: Error | undefined;
  /** What is being filled right now, so that leaving can cut it off from the caller's buffer. */
  want: Want | undefined;
  readonly settle: (error?: Error) => void;

  constructor(
    command: number,
    offset: number,
    length: number,
    buffer: Uint8Array | undefined,
    settle: (error?: Error) => void,
  ) {
    this.command = command;
    this.offset = offset;
    this.length = length;
    this.buffer = buffer;
    this.settle = settle;
  }

  /** From now on nothing is written into the caller's buffer; the answer is still awaited and then dropped. */
  abandon(): void {
    this.buffer = undefined;
    if (this.want !== undefined) this.want.into = undefined;
  }
}

export interface PendingRequests {
  /** Undefined when no request has this cookie. */
  find(cookie: bigint): PendingRequest | undefined;
  /** The last of the answer has come. */
  finish(cookie: bigint): void;
}

/** 512 Ki descriptors; qemu sends at most 128 Ki. */
const maxStatusBytes = 4 + 8 * 512 * 1024;
/** Error number, message length, message, offset. */
const maxErrorBytes = 4 + 2 + wire.maxStringBytes + 8;

/** Runs until it throws: the end of the connection is not a reply. */
export function* receiveReplies(pending: PendingRequests, agreed: Negotiated): ByteParser {
  for (;;) {
    const magic = wire.decodeU32(yield* take(4));
    if (magic === wire.simpleReplyMagic) yield* receiveSimple(pending, agreed);
    else if (magic === wire.structuredReplyMagic && agreed.structuredReplies) yield* receiveChunk(pending, agreed);
    else throw nbdProtocolError("a reply that starts with wrong bytes", { magic });
  }
}

function requestOf(pending: PendingRequests, cookie: bigint): PendingRequest {
  const request = pending.find(cookie);
  if (request === undefined)
    throw nbdProtocolError("an answer to a request that was not made", { cookie: String(cookie) });
  return request;
}

function* receiveSimple(pending: PendingRequests, agreed: Negotiated): ByteParser {
  const reply = wire.decodeSimpleReply(yield* take(wire.simpleReplyBytes));
  const request = requestOf(pending, reply.cookie);
  if (reply.error !== 0) {
    request.failure ??= failureOf(request, reply.error, "");
  } else if (request.command === wire.command.read || request.command === wire.command.blockStatus) {
    if (agreed.structuredReplies) throw nbdProtocolError("a simple reply where a structured one was agreed");
    yield* fill(request, 0, request.length);
  }
  finish(pending, reply.cookie, request);
}

function* receiveChunk(pending: PendingRequests, agreed: Negotiated): ByteParser {
  const header = wire.decodeChunkHeader(yield* take(wire.chunkHeaderBytes));
  const request = requestOf(pending, header.cookie);
  const isLast = (header.flags & wire.chunkFlag.done) !== 0;
  if ((header.type & wire.chunkType.errorBit) !== 0) yield* receiveError(request, header.length);
  else if (header.type === wire.chunkType.none) {
    if (header.length !== 0 || !isLast) throw nbdProtocolError("an empty chunk that is not the last");
  } else if (header.type === wire.chunkType.offsetData) yield* receiveData(request, header.length);
  else if (header.type === wire.chunkType.offsetHole) yield* receiveHole(request, header.length);
  else if (header.type === wire.chunkType.blockStatus) yield* receiveStatus(request, header.length, agreed);
  else throw nbdProtocolError("a chunk of an unknown type", { type: header.type });
  if (isLast) finish(pending, header.cookie, request);
}

function* receiveError(request: PendingRequest, length: number): ByteParser {
  if (length > maxErrorBytes) throw nbdProtocolError("an error message that is too long", { length });
  const error = wire.decodeErrorChunk(yield* take(length));
  if (error === undefined || error.error === 0) throw nbdProtocolError("an error chunk that makes no sense");
  request.failure ??= failureOf(request, error.error, shown(error.message));
}

function* receiveData(request: PendingRequest, length: number): ByteParser {
  if (request.command !== wire.command.read) throw nbdProtocolError("data for a request that reads nothing");
  if (length < 9 || length - 8 > request.length) throw nbdProtocolError("a data chunk of a wrong length", { length });
  const start = positionIn(request, wire.decodeDataOffset(yield* take(8)), length - 8);
  yield* fill(request, start, length - 8);
}

function* receiveHole(request: PendingRequest, length: number): ByteParser {
  if (request.command !== wire.command.read) throw nbdProtocolError("a hole for a request that reads nothing");
  if (length !== 12) throw nbdProtocolError("a hole chunk of a wrong length", { length });
  const hole = wire.decodeHole(yield* take(12));
  if (hole.length === 0) throw nbdProtocolError("an empty hole");
  const start = positionIn(request, hole.offset, hole.length);
  claim(request, start, hole.length);
  request.buffer?.fill(0, start, start + hole.length);
}

/** Where in the request the disk range starts. */
function positionIn(request: PendingRequest, offset: bigint, length: number): number {
  const start = offset - BigInt(request.offset);
  if (start < 0n || start + BigInt(length) > BigInt(request.length)) {
    throw nbdProtocolError("bytes outside the range that was asked for", { offset: String(offset), length });
  }
  return Number(start);
}

function claim(request: PendingRequest, start: number, length: number): void {
  if (!request.coverage.add(start, start + length))
    throw nbdProtocolError("the same bytes twice, or in too many pieces");
}

function* fill(request: PendingRequest, start: number, length: number): ByteParser {
  claim(request, start, length);
  request.want = { into: request.buffer?.subarray(start, start + length), length };
  yield request.want;
  request.want = undefined;
}

function* receiveStatus(request: PendingRequest, length: number, agreed: Negotiated): ByteParser {
  if (request.command !== wire.command.blockStatus) throw nbdProtocolError("block status that was not asked for");
  if (length > maxStatusBytes) throw nbdProtocolError("a block status that is too long", { length });
  const status = wire.decodeBlockStatus(yield* take(length));
  const name = status === undefined ? undefined : agreed.contexts.get(status.contextId);
  if (status === undefined || name === undefined) throw nbdProtocolError("a block status of no agreed context");
  if (request.statuses.has(name)) throw nbdProtocolError("two block statuses of one context", { context: name });
  request.statuses.set(name, clipRuns(status.runs, request.length));
}

/** Only the last run may reach beyond the request; it is cut there. */
function clipRuns(runs: wire.StatusRun[], length: number): wire.StatusRun[] {
  let left = length;
  for (const run of runs) {
    if (run.length === 0 || left === 0) throw nbdProtocolError("a block status with impossible lengths");
    run.length = Math.min(run.length, left);
    left -= run.length;
  }
  return runs;
}

function finish(pending: PendingRequests, cookie: bigint, request: PendingRequest): void {
  const isRead = request.command === wire.command.read;
  if (request.failure === undefined && isRead && !request.coverage.covers(0, request.length)) {
    throw nbdProtocolError("a read that ends before all its bytes have come", { offset: request.offset });
  }
  pending.finish(cookie);
  request.settle(request.failure);
}

const commandNames = new Map<number, string>(Object.entries(wire.command).map(([name, code]) => [code, name]));

function failureOf(request: PendingRequest, error: number, message: string): Error {
  const operation = commandNames.get(request.command) ?? "request";
  const data = { operation, offset: request.offset, length: request.length };
  return nbdFailed(
    wire.errnoName(error),
    `${operation} at ${request.offset} failed${message ? `: ${message}` : ""}`,
    data,
  );
}
