// The server's part of the NBD handshake: fixed newstyle, structured replies, metadata contexts, TLS, GO.

import type { NbdExport } from "./export.js";
import * as out from "./serverWire.js";
import type { SocketReader } from "./socketReader.js";
import * as wire from "./wire.js";

export const ALLOCATION_CONTEXT = "base:allocation";
export const ALLOCATION_ID = 1;
/** A name and some queries; nothing that a client may sensibly send is longer. */
const MAX_OPTION_BYTES = 64 * 1024;
const MAX_OPTIONS = 1000;
const MAX_QUERIES = 64;

/** Smallest, best and largest request: any alignment, about a chunk, the protocol's default maximum. */
export const BLOCK_SIZES = { minimum: 1, preferred: 128 * 1024, maximum: 32 * 1024 * 1024 } as const;

export interface Session {
  served: NbdExport;
  structuredReplies: boolean;
  /** base:allocation was agreed upon. */
  allocation: boolean;
}

export interface HandshakeOptions {
  exports: readonly NbdExport[];
  /** Starts TLS on the connection and answers its new reader; absent: no TLS is offered. */
  startTls?: () => Promise<SocketReader>;
  /** Nothing but STARTTLS is answered before TLS. */
  requireTls: boolean;
}

type Send = (bytes: Uint8Array) => Promise<void>;

/** Null when the client leaves, or does not speak the protocol. `reader` is the one in use at the end. */
export async function shakeHands(
  reader: SocketReader,
  send: Send,
  options: HandshakeOptions,
): Promise<{ session: Session; reader: SocketReader } | null> {
  return await new Handshake(reader, send, options).run();
}

class Handshake {
  readonly #send: Send;
  readonly #options: HandshakeOptions;
  #reader: SocketReader;
  #noZeroes = false;
  #structuredReplies = false;
  /** The export for which base:allocation was agreed upon. */
  #allocationOf: string | null = null;
  #isSecure = false;

  constructor(reader: SocketReader, send: Send, options: HandshakeOptions) {
    this.#reader = reader;
    this.#send = send;
    this.#options = options;
  }

  async run(): Promise<{ session: Session; reader: SocketReader } | null> {
    await this.#send(out.encodeGreeting());
    const flags = await this.#reader.take(out.clientFlagsBytes);
    if (flags === null) return null;
    const known = wire.handshakeFlag.fixedNewstyle | wire.handshakeFlag.noZeroes;
    if ((wire.decodeU32(flags) & ~known) !== 0) return null;
    this.#noZeroes = (wire.decodeU32(flags) & wire.handshakeFlag.noZeroes) !== 0;
    for (let count = 0; count < MAX_OPTIONS; count++) {
      const header = await this.#reader.take(out.optionHeaderBytes);
      const option = header === null ? undefined : out.decodeOptionHeader(header);
      if (option === undefined || option.length > MAX_OPTION_BYTES) return null;
      const data = await this.#reader.take(option.length);
      if (data === null) return null;
      const outcome = await this.#answer(option.option, data);
      if (outcome === "leave") return null;
      if (outcome !== "next") return { session: outcome, reader: this.#reader };
    }
    return null;
  }

  async #answer(option: number, data: Uint8Array): Promise<Session | "next" | "leave"> {
    const { abort, startTls, exportName } = out.serverOption;
    if (option === abort) {
      await this.#reply(option, out.serverReply.ack);
      return "leave";
    }
    if (option === startTls) return await this.#startTls(option, data);
    if (this.#options.requireTls && !this.#isSecure) {
      if (option === exportName) return "leave";
      return await this.#refuse(option, out.serverError.tlsRequired, "this server wants TLS first");
    }
    return await this.#answerOpen(option, data);
  }

  async #answerOpen(option: number, data: Uint8Array): Promise<Session | "next" | "leave"> {
    switch (option) {
      case out.serverOption.exportName:
        return await this.#exportName(data);
      case out.serverOption.list:
        return await this.#list(option, data);
      case out.serverOption.info:
      case out.serverOption.go:
        return await this.#go(option, data);
      case out.serverOption.structuredReply:
        if (data.length > 0) return await this.#refuse(option, out.serverError.invalid, "this option has no data");
        this.#structuredReplies = true;
        return await this.#acknowledge(option);
      case out.serverOption.listMetaContext:
      case out.serverOption.setMetaContext:
        return await this.#metaContexts(option, data);
      default:
        return await this.#refuse(option, out.serverError.unsupported, "this option is not known");
    }
  }

  async #startTls(option: number, data: Uint8Array): Promise<"next"> {
    const { startTls } = this.#options;
    if (startTls === undefined)
      return await this.#refuse(option, out.serverError.unsupported, "TLS is not set up here");
    if (data.length > 0 || this.#isSecure)
      return await this.#refuse(option, out.serverError.invalid, "TLS cannot be started now");
    await this.#acknowledge(option);
    this.#reader = await startTls();
    this.#isSecure = true;
    // What was agreed before could have been somebody else's (proto.md, "STARTTLS").
    this.#structuredReplies = false;
    this.#allocationOf = null;
    return "next";
  }

  /** The oldest way has no error reply: an unknown name ends the connection. */
  async #exportName(data: Uint8Array): Promise<Session | "leave"> {
    const served = this.#find(new TextDecoder().decode(data));
    if (served === undefined) return "leave";
    await this.#send(out.encodeExportNameReply(served.sizeBytes, transmissionFlags(), !this.#noZeroes));
    return this.#session(served);
  }

  async #list(option: number, data: Uint8Array): Promise<"next"> {
    if (data.length > 0) return await this.#refuse(option, out.serverError.invalid, "this option has no data");
    for (const { name, description } of this.#options.exports)
      await this.#reply(option, out.serverReply.server, out.encodeServerEntry(name, description));
    return await this.#acknowledge(option);
  }

  async #go(option: number, data: Uint8Array): Promise<Session | "next"> {
    const wanted = out.decodeGo(data);
    if (wanted === undefined) return await this.#refuse(option, out.serverError.invalid, "its lengths do not fit");
    const served = this.#find(wanted.name);
    if (served === undefined) return await this.#refuse(option, out.serverError.unknown, "there is no such export");
    const { minimum, preferred, maximum } = BLOCK_SIZES;
    const { info } = out.serverReply;
    await this.#reply(option, info, out.encodeExportInfo(served.sizeBytes, transmissionFlags()));
    await this.#reply(option, info, out.encodeBlockSizeInfo(minimum, preferred, maximum));
    await this.#acknowledge(option);
    return option === out.serverOption.go ? this.#session(served) : "next";
  }

  async #metaContexts(option: number, data: Uint8Array): Promise<"next"> {
    const asked = out.decodeMetaQuery(data, MAX_QUERIES);
    const isSetting = option === out.serverOption.setMetaContext;
    if (asked === undefined || (isSetting && !this.#structuredReplies))
      return await this.#refuse(
        option,
        out.serverError.invalid,
        "its lengths do not fit, or replies are not structured",
      );
    if (this.#find(asked.name) === undefined)
      return await this.#refuse(option, out.serverError.unknown, "there is no such export");
    const all = !isSetting && (asked.queries.length === 0 || asked.queries.includes("base:"));
    const found = all || asked.queries.includes(ALLOCATION_CONTEXT);
    if (isSetting) this.#allocationOf = found ? asked.name : null;
    if (found) {
      const id = isSetting ? ALLOCATION_ID : 0;
      await this.#reply(option, out.serverReply.metaContext, out.encodeMetaContextReply(id, ALLOCATION_CONTEXT));
    }
    return await this.#acknowledge(option);
  }

  #session(served: NbdExport): Session {
    const allocation = this.#allocationOf !== null && this.#find(this.#allocationOf) === served;
    return { served, structuredReplies: this.#structuredReplies, allocation };
  }

  /** The empty name means the only export. */
  #find(name: string): NbdExport | undefined {
    const { exports } = this.#options;
    if (name === "" && exports.length === 1) return exports[0];
    return exports.find((served) => served.name === name);
  }

  async #acknowledge(option: number): Promise<"next"> {
    await this.#reply(option, out.serverReply.ack);
    return "next";
  }

  async #refuse(option: number, error: number, message: string): Promise<"next"> {
    await this.#reply(option, error, new TextEncoder().encode(message));
    return "next";
  }

  async #reply(option: number, type: number, data?: Uint8Array): Promise<void> {
    await this.#send(out.encodeOptionReply(option, type, data));
  }
}

function transmissionFlags(): number {
  const { hasFlags, readOnly, sendDf, multiConn } = out.transmissionFlag;
  return hasFlags | readOnly | sendDf | multiConn;
}
