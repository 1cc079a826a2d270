// One client of an NBD server after the handshake: reads and block status of a read-only disk. Requests run side by side, a
// bounded number of them; replies go out whole, in the order in which they are ready.

import { isOurError } from "../errors.js";
import type { NbdExport, NbdExtent } from "./export.js";
import { ALLOCATION_ID, BLOCK_SIZES, type Session } from "./serverHandshake.js";
import * as out from "./serverWire.js";
import type { SocketReader } from "./socketReader.js";
import * as wire from "./wire.js";

/** Requests of one client under way, and the bytes that their answers may take. */
const MAX_REQUESTS = 16;
const MAX_BYTES_UNDER_WAY = 64 * 1024 * 1024;
const MAX_STATUS_RUNS = 4096;
/** Block status is asked for up to 4 GiB; one look at the map covers less. */
const MAX_STATUS_BYTES = 1024 * 1024 * 1024;

export interface ConnectionOptions {
  signal: AbortSignal;
  /** A read that failed; the client only learns that there was an error. */
  onError: (error: unknown, served: NbdExport) => void;
}

type Send = (...parts: Uint8Array[]) => Promise<void>;

/** Until the client disconnects, or breaks the protocol. */
export async function serveRequests(
  session: Session,
  reader: SocketReader,
  send: Send,
  options: ConnectionOptions,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let bytesUnderWay = 0;
  for (;;) {
    const bytes = await reader.take(out.requestBytes);
    const request = bytes === null ? undefined : out.decodeRequest(bytes);
    if (request === undefined || request.command === out.serverCommand.disconnect) break;
    if (request.command === out.serverCommand.write && !(await skipPayload(reader, request.length))) break;
    const cost = request.command === out.serverCommand.read ? Math.min(request.length, BLOCK_SIZES.maximum) : 0;
    while (running.size >= MAX_REQUESTS || (running.size > 0 && bytesUnderWay + cost > MAX_BYTES_UNDER_WAY))
      await Promise.race(running);
    bytesUnderWay += cost;
    const done = answer(session, request, send, options)
      .catch(() => {})
      .finally(() => {
        bytesUnderWay -= cost;
        running.delete(done);
      });
    running.add(done);
  }
  await Promise.allSettled(running);
}

async function skipPayload(reader: SocketReader, length: number): Promise<boolean> {
  return length <= BLOCK_SIZES.maximum && (await reader.skip(length));
}

async function answer(
  session: Session,
  request: out.ServerRequest,
  send: Send,
  options: ConnectionOptions,
): Promise<void> {
  const { read, blockStatus, flush, cache, write, trim, writeZeroes } = out.serverCommand;
  switch (request.command) {
    case read:
      return await answerRead(session, request, send, options);
    case blockStatus:
      return await answerStatus(session, request, send, options);
    case flush:
    case cache:
      return await send(out.encodeSimpleReply(request.cookie, 0));
    case write:
    case trim:
    case writeZeroes:
      return await fail(session, request, send, out.errno.perm, "this disk is read-only");
    default:
      return await fail(session, request, send, out.errno.invalid, "this command is not known");
  }
}

async function answerRead(
  session: Session,
  request: out.ServerRequest,
  send: Send,
  options: ConnectionOptions,
): Promise<void> {
  const { served, structuredReplies } = session;
  const { cookie, offset, length, flags } = request;
  if (!isInside(request, served)) return await fail(session, request, send, out.errno.invalid, "outside the disk");
  if (length > BLOCK_SIZES.maximum) return await fail(session, request, send, out.errno.overflow, "more than 32 MiB");
  try {
    const mayBeHole = structuredReplies && (flags & out.requestFlag.doNotFragment) === 0;
    if (mayBeHole && (await isZero(served, Number(offset), length)))
      return await send(out.encodeHole(cookie, offset, length));
    const data = new Uint8Array(length);
    await served.read(data, Number(offset), { signal: options.signal });
    const head = structuredReplies ? out.encodeDataHead(cookie, offset, length) : out.encodeSimpleReply(cookie, 0);
    await send(head, data);
  } catch (error) {
    await failed(session, request, send, error, options);
  }
}

async function answerStatus(
  session: Session,
  request: out.ServerRequest,
  send: Send,
  options: ConnectionOptions,
): Promise<void> {
  const { served } = session;
  const { cookie, offset, length, flags } = request;
  if (!session.allocation || length === 0 || !isInside(request, served))
    return await fail(session, request, send, out.errno.invalid, "no status of that can be had");
  try {
    const extents = await served.extents(Number(offset), Math.min(length, MAX_STATUS_BYTES));
    const one = (flags & out.requestFlag.requestOne) !== 0;
    await send(out.encodeStatusChunk(cookie, ALLOCATION_ID, runsOf(extents, one ? 1 : MAX_STATUS_RUNS)));
  } catch (error) {
    await failed(session, request, send, error, options);
  }
}

/** Neighbours of one kind together. */
function runsOf(extents: readonly NbdExtent[], limit: number): wire.StatusRun[] {
  const runs: wire.StatusRun[] = [];
  for (const { length, zero } of extents) {
    const flags = zero ? wire.allocationFlag.hole | wire.allocationFlag.zero : 0;
    const last = runs.at(-1);
    if (last !== undefined && last.flags === flags) last.length += length;
    else if (runs.length === limit) break;
    else runs.push({ length, flags });
  }
  return runs;
}

async function isZero(served: NbdExport, offset: number, length: number): Promise<boolean> {
  const extents = await served.extents(offset, length);
  const covered = extents.reduce((sum, extent) => sum + extent.length, 0);
  return covered === length && extents.every(({ zero }) => zero);
}

function isInside({ offset, length }: out.ServerRequest, { sizeBytes }: NbdExport): boolean {
  return length > 0 && offset + BigInt(length) <= BigInt(sizeBytes);
}

async function failed(
  session: Session,
  request: out.ServerRequest,
  send: Send,
  error: unknown,
  options: ConnectionOptions,
): Promise<void> {
  options.onError(error, session.served);
  const message = isOurError(error) ? `${error.code}: ${error.message}` : "the disk cannot be read there";
  await fail(session, request, send, out.errno.io, message);
}

async function fail(
  { structuredReplies }: Session,
  { cookie, command }: out.ServerRequest,
  send: Send,
  error: number,
  message: string,
): Promise<void> {
  const { read, blockStatus } = out.serverCommand;
  const chunked = structuredReplies && (command === read || command === blockStatus);
  await send(chunked ? out.encodeErrorChunk(cookie, error, message) : out.encodeSimpleReply(cookie, error));
}
