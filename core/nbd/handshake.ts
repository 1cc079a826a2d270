// The NBD handshake: fixed newstyle, structured replies, metadata contexts, GO. Not here: TLS, oldstyle servers and
// EXPORT_NAME. Every length that the server announces is compared with its limit before memory is taken for it.

import { type ByteParser, take } from "./byteParser.js";
import { nbdFailed, nbdProtocolError, shown } from "./nbdErrors.js";
import * as wire from "./wire.js";

/** What client and server agreed on. */
export interface Negotiated {
  sizeBytes: number;
  /** Bits of wire.exportFlag. */
  flags: number;
  /** Requests must be multiples of this, a power of two. */
  minBlockBytes: number;
  /** No request with a payload may be longer. */
  maxBlockBytes: number;
  structuredReplies: boolean;
  /** Agreed metadata contexts by id. */
  contexts: ReadonlyMap<number, string>;
}

export interface HandshakeWishes {
  exportName: string;
  contexts: readonly string[];
  /** Ask for the server's block sizes, which obliges the client to follow them. */
  blockSizes: boolean;
}

/** Largest payload when the server names no maximum (protocol: 32 MiB), and the most we accept. */
const defaultMaxBlockBytes = 32 * 1024 * 1024;
const maxMinBlockBytes = 64 * 1024;
/** An option reply carries at most a name, a few integers and a message. */
const maxOptionReplyBytes = wire.maxStringBytes + 64;
const maxRepliesPerOption = 256;

interface OptionReply {
  type: number;
  data: Uint8Array;
}

type Send = (bytes: Uint8Array) => void;

export function* negotiate(send: Send, wishes: HandshakeWishes): ByteParser<Negotiated> {
  yield* greet(send);
  const structuredReplies = yield* askStructuredReplies(send);
  const wanted = structuredReplies ? wishes.contexts : [];
  const contexts = wanted.length > 0 ? yield* askContexts(send, wishes.exportName, wanted) : new Map<number, string>();
  const exported = yield* askGo(send, wishes);
  return { ...exported, structuredReplies, contexts };
}

function* greet(send: Send): ByteParser {
  const greeting = wire.decodeGreeting(yield* take(wire.greetingBytes));
  if (greeting.magic !== wire.greetingMagic) throw nbdProtocolError("the greeting is not that of an NBD server");
  const newstyle =
    greeting.optionMagic === wire.optionMagic && (greeting.flags & wire.handshakeFlag.fixedNewstyle) !== 0;
  if (!newstyle) throw nbdProtocolError("the server does not speak the fixed newstyle handshake");
  send(wire.encodeClientFlags(greeting.flags & (wire.handshakeFlag.fixedNewstyle | wire.handshakeFlag.noZeroes)));
}

function* askStructuredReplies(send: Send): ByteParser<boolean> {
  const replies = yield* ask(send, wire.option.structuredReply, new Uint8Array(0));
  return replies.at(-1)?.type === wire.optionReply.ack;
}

function* askContexts(send: Send, exportName: string, names: readonly string[]): ByteParser<Map<number, string>> {
  const agreed = new Map<number, string>();
  const data = wire.encodeMetaContexts(exportName, names);
  for (const reply of yield* ask(send, wire.option.setMetaContext, data)) {
    if (reply.type !== wire.optionReply.metaContext) continue;
    const context = wire.decodeMetaContext(reply.data);
    if (context === undefined || agreed.has(context.id) || !names.includes(context.name)) {
      throw nbdProtocolError("a metadata context that was not asked for", { context: shown(context?.name ?? "") });
    }
    agreed.set(context.id, context.name);
  }
  return agreed;
}

type Exported = Pick<Negotiated, "sizeBytes" | "flags" | "minBlockBytes" | "maxBlockBytes">;

function* askGo(send: Send, wishes: HandshakeWishes): ByteParser<Exported> {
  const infoTypes = wishes.blockSizes ? [wire.infoType.blockSize] : [];
  const replies = yield* ask(send, wire.option.go, wire.encodeGo(wishes.exportName, infoTypes));
  const last = replies.at(-1);
  if (last !== undefined && last.type !== wire.optionReply.ack) throw refusedExport(last, wishes.exportName);
  const exported = { sizeBytes: -1, flags: 0, minBlockBytes: 1, maxBlockBytes: defaultMaxBlockBytes };
  for (const reply of replies) {
    if (reply.type === wire.optionReply.info) applyInformation(reply.data, exported);
  }
  if (exported.sizeBytes < 0) throw nbdProtocolError("the server did not tell the size of the export");
  return exported;
}

function applyInformation(data: Uint8Array, exported: Exported): void {
  const info = wire.decodeInformation(data);
  if (info === undefined) throw nbdProtocolError("export information of a wrong length", { length: data.length });
  if (info.type === "export") {
    if (info.sizeBytes > BigInt(Number.MAX_SAFE_INTEGER)) throw nbdProtocolError("an export larger than 2^53 bytes");
    exported.sizeBytes = Number(info.sizeBytes);
    exported.flags = info.flags;
  } else if (info.type === "blockSize") {
    const { minBytes, maxBytes } = info;
    const sane =
      minBytes > 0 && (minBytes & (minBytes - 1)) === 0 && minBytes <= maxMinBlockBytes && maxBytes >= minBytes;
    if (!sane) throw nbdProtocolError("impossible block sizes", { minBytes, maxBytes });
    exported.minBlockBytes = minBytes;
    const cappedBytes = Math.min(maxBytes, defaultMaxBlockBytes);
    exported.maxBlockBytes = cappedBytes - (cappedBytes % minBytes);
  }
}

function refusedExport(reply: OptionReply, exportName: string): Error {
  const text = shown(new TextDecoder().decode(reply.data));
  const data = { exportName, reply: text };
  if (reply.type === wire.optionError.unknown) return nbdFailed("ENOENT", `no export named "${exportName}"`, data);
  if (reply.type === wire.optionError.tlsRequired) return nbdFailed("EPERM", "the server insists on TLS", data);
  if (reply.type === wire.optionError.policy) return nbdFailed("EPERM", "the server refuses this export", data);
  return nbdFailed("EINVAL", `the server refused the export: ${text || reply.type.toString(16)}`, data);
}

/** Sends one option and collects its replies; the last is an acknowledgement or an error. */
function* ask(send: Send, code: number, data: Uint8Array): ByteParser<OptionReply[]> {
  send(wire.encodeOption(code, data));
  const replies: OptionReply[] = [];
  for (;;) {
    const header = wire.decodeOptionReplyHeader(yield* take(wire.optionReplyHeaderBytes));
    if (!header.valid || header.option !== code) throw nbdProtocolError("a reply to an option that was not sent");
    const isError = header.type >= wire.optionReply.errorBit;
    if (header.length > maxOptionReplyBytes) {
      throw nbdProtocolError("an option reply that is too long", { length: header.length, limit: maxOptionReplyBytes });
    }
    replies.push({ type: header.type, data: yield* take(header.length) });
    if (isError || header.type === wire.optionReply.ack) return replies;
    if (replies.length >= maxRepliesPerOption) throw nbdProtocolError("too many replies to one option");
  }
}
