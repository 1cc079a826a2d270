// A plain TCP proxy in front of a server that nobody can look into (SSH): a schedule decides for each connection when it
// breaks, and how.

import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export type TcpFault =
  | { kind: "none" }
  /** Both ends see a broken connection after so many bytes in that direction. */
  | { kind: "cut"; direction: "up" | "down"; afterBytes: number }
  /** The client reads the end of the stream after so many bytes of it; the server has got everything. */
  | { kind: "truncate"; afterBytes: number }
  /** After so many bytes to the client, nothing moves any more. */
  | { kind: "stall"; afterBytes: number }
  /** The client sees a broken connection after so many bytes to the server; what it had sent arrives so much later. */
  | { kind: "hold back"; afterBytes: number; ms: number }
  /** Every piece waits. */
  | { kind: "slow"; everyMs: number };

/** `number`: 1 for the first connection since the schedule was set. */
export type ChooseTcpFault = (number: number) => TcpFault;

export const NO_TCP_FAULTS: ChooseTcpFault = () => ({ kind: "none" });

export class TcpFaultProxy {
  readonly port: number;
  /** How often each fault was met; those whose time did not come are not counted. */
  readonly counts = new Map<string, number>();
  readonly #server: Server;
  readonly #target: number;
  readonly #lines = new Set<ProxiedLine>();
  #choose: ChooseTcpFault = NO_TCP_FAULTS;
  #connections = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => this.#take(socket));
  }

  /** `target`: a port of this machine. */
  static async start(target: number, choose: ChooseTcpFault = NO_TCP_FAULTS): Promise<TcpFaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new TcpFaultProxy(server, target);
    proxy.schedule(choose);
    return proxy;
  }

  /** For connections from now on; they are counted from 1 again. */
  schedule(choose: ChooseTcpFault): void {
    this.#choose = choose;
    this.#connections = 0;
  }

  /** Breaks every connection, and waits for what is still to arrive. */
  async settle(): Promise<void> {
    const lines = [...this.#lines];
    for (const line of lines) line.breakOff();
    await Promise.all(lines.map((line) => line.over));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.settle();
    await closed;
  }

  #take(client: Socket): void {
    const fault = this.#choose(++this.#connections);
    const met = () => void this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    const line = new ProxiedLine(
      client,
      connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true }),
      fault,
      met,
    );
    this.#lines.add(line);
    void line.over.then(() => this.#lines.delete(line));
  }
}

class ProxiedLine {
  /** Both sockets are closed. */
  readonly over: Promise<unknown>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #fault: TcpFault;
  readonly #met: () => void;
  #up = 0;
  #down = 0;
  #isMet = false;

  constructor(client: Socket, server: Socket, fault: TcpFault, met: () => void) {
    this.#client = client;
    this.#server = server;
    this.#fault = fault;
    this.#met = met;
    for (const socket of [client, server]) socket.on("error", () => {}).setNoDelay(true);
    this.over = Promise.all([client, server].map((socket) => new Promise((resolve) => socket.on("close", resolve))));
    void this.#carry(client, server, (bytes) => this.#goesUp(bytes));
    void this.#carry(server, client, (bytes) => this.#goesDown(bytes));
  }

  breakOff(): void {
    if (this.#isMet && this.#fault.kind === "hold back") return; // its bytes are on their way
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  async #carry(from: Socket, to: Socket, pass: (bytes: Uint8Array) => Promise<boolean>): Promise<void> {
    try {
      for await (const bytes of from) {
        if (!(await pass(bytes as Uint8Array))) return;
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  /** False: the connection is as good as gone. */
  async #goesUp(bytes: Uint8Array): Promise<boolean> {
    const fault = this.#fault;
    this.#up += bytes.length;
    if (fault.kind === "cut" && fault.direction === "up" && this.#up > fault.afterBytes) return this.#cut();
    if (fault.kind === "stall" && this.#isMet) return await this.#stall();
    if (fault.kind === "hold back" && this.#up > fault.afterBytes) return await this.#holdBack(bytes, fault.ms);
    if (fault.kind === "slow") await this.#slowDown(fault.everyMs);
    return await write(this.#server, bytes);
  }

  async #goesDown(bytes: Uint8Array): Promise<boolean> {
    const fault = this.#fault;
    this.#down += bytes.length;
    if (this.#isMet && fault.kind === "hold back") return true; // nobody listens any more
    if (fault.kind === "cut" && fault.direction === "down" && this.#down > fault.afterBytes) return this.#cut();
    if (fault.kind === "truncate" && this.#down > fault.afterBytes) return await this.#truncate(bytes);
    if (fault.kind === "stall" && this.#down > fault.afterBytes) return await this.#stall();
    if (fault.kind === "slow") await this.#slowDown(fault.everyMs);
    return await write(this.#client, bytes);
  }

  #cut(): false {
    this.#meet();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    return false;
  }

  async #truncate(bytes: Uint8Array): Promise<false> {
    this.#meet();
    await write(this.#client, bytes.subarray(0, bytes.length >> 1));
    this.#client.destroySoon();
    this.#server.end();
    return false;
  }

  /** Until the client gives up. */
  async #stall(): Promise<false> {
    this.#meet();
    await this.over;
    return false;
  }

  async #holdBack(bytes: Uint8Array, ms: number): Promise<false> {
    this.#meet();
    this.#client.resetAndDestroy();
    await delay(ms);
    await write(this.#server, bytes);
    await delay(50); // for what the bytes ask for: a reset would take unread ones away
    this.#server.end();
    await delay(1000);
    this.#server.destroy();
    return false;
  }

  async #slowDown(everyMs: number): Promise<void> {
    this.#meet();
    await delay(everyMs);
  }

  #meet(): void {
    if (!this.#isMet) this.#met();
    this.#isMet = true;
  }
}

/** Respects the receiver's pace. False: it has gone. */
async function write(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  if (socket.destroyed) return false;
  if (socket.write(bytes)) return true;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
  return !socket.destroyed;
}
