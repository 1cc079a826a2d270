// A read-only NBD server for any number of clients, on a unix socket or a TCP port: hypervisors and tools attach a disk that
// lies in a repository.

import { chmod, unlink } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { TLSSocket, type TlsOptions } from "node:tls";
import { RepriseError } from "../errors.js";
import type { NbdAddress } from "./connection.js";
import type { NbdExport } from "./export.js";
import { serveRequests } from "./serverConnection.js";
import { shakeHands } from "./serverHandshake.js";
import { SocketReader } from "./socketReader.js";

/** A client that says nothing during the handshake is left. */
const HANDSHAKE_MS = 30_000;
const MAX_CLIENTS = 128;

export interface NbdServerOptions {
  address: NbdAddress;
  exports: readonly NbdExport[];
  /** Certificate and key, or a pre-shared key; with it nothing is served without TLS. */
  tls?: TlsOptions;
  onError?: (error: unknown, served: NbdExport) => void;
}

export interface NbdServer {
  /** With the port that was chosen when port 0 was asked for. */
  readonly address: NbdAddress;
  readonly clientCount: number;
  /** Since the start, with those that have left. */
  readonly clientsServed: number;
  /** Ends all connections and removes the socket's file. May be called twice. */
  close(): Promise<void>;
}

/** NBD_ADDRESS_TAKEN when somebody else listens there; NBD_LISTEN_FAILED. The socket file is readable by its owner only. */
export async function startNbdServer(options: NbdServerOptions): Promise<NbdServer> {
  const server = new RunningServer(options);
  await server.listen();
  return server;
}

class RunningServer implements NbdServer {
  readonly #options: NbdServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ended = new AbortController();
  #clientsServed = 0;

  constructor(options: NbdServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CLIENTS;
  }

  async listen(): Promise<void> {
    const { address } = this.#options;
    const where = "socketPath" in address ? { path: address.socketPath } : address;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen(where, resolve);
      });
      if ("socketPath" in address) await chmod(address.socketPath, 0o600);
    } catch (cause) {
      throw listenFailed(address, cause);
    }
  }

  get address(): NbdAddress {
    const { address } = this.#options;
    const bound = this.#server.address();
    if ("socketPath" in address || typeof bound !== "object" || bound === null) return address;
    return { host: address.host, port: bound.port };
  }

  get clientCount(): number {
    return this.#sockets.size;
  }

  get clientsServed(): number {
    return this.#clientsServed;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const { address } = this.#options;
    if ("socketPath" in address) await unlink(address.socketPath).catch(() => {});
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    this.#clientsServed++;
    // A client that goes away without a word is no error of ours.
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    void this.#serve(socket)
      .catch(() => {})
      .finally(() => socket.destroy());
  }

  async #serve(socket: Socket): Promise<void> {
    let stream: Socket = socket;
    const send = (...parts: Uint8Array[]) => write(stream, parts);
    const { exports, tls } = this.#options;
    const startTls = async () => {
      stream = await secure(socket, tls as TlsOptions);
      return new SocketReader(stream);
    };
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    timer.unref();
    const hello = await shakeHands(new SocketReader(socket), send, {
      exports,
      requireTls: tls !== undefined,
      ...(tls === undefined ? {} : { startTls }),
    }).finally(() => clearTimeout(timer));
    if (hello === null) return;
    const onError = this.#options.onError ?? (() => {});
    await serveRequests(hello.session, hello.reader, send, { signal: this.#ended.signal, onError });
  }
}

/** One reply's parts behind each other, also when several replies are written at once. */
function write(stream: Socket, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.cork();
    const last = parts.length - 1;
    parts.forEach((part, i) => {
      if (i < last) stream.write(part);
      else stream.write(part, (error) => (error ? reject(error) : resolve()));
    });
    stream.uncork();
  });
}

function secure(socket: Socket, options: TlsOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const stream = new TLSSocket(socket, { ...options, isServer: true });
    stream.on("error", reject);
    socket.once("close", () => reject(new Error("the client left during the TLS handshake")));
    stream.once("secure", () => resolve(stream));
  });
}

function listenFailed(address: NbdAddress, cause: unknown): RepriseError {
  const where = "socketPath" in address ? address.socketPath : `${address.host}:${address.port}`;
  const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
  return new RepriseError(
    "usage",
    taken ? "NBD_ADDRESS_TAKEN" : "NBD_LISTEN_FAILED",
    `cannot serve at ${where}: ${taken ? "something is there already" : (cause as Error).message}`,
    {
      data: { where },
      hint: taken
        ? "choose another socket or port, or remove what an earlier server left"
        : "check the folder and its permissions",
      cause,
    },
  );
}
