// Client of QEMU's machine protocol (QMP): one JSON object a line over a unix socket, commands answered by id, events in
// between. A QMP socket serves one client: to a second one QEMU says nothing at all, so the greeting has a time limit.

import { connect, type Socket } from "node:net";
import { asObject, asText, parseObjectLine } from "./boundedJson.js";
import { hypervisorError, shown } from "./hypervisorErrors.js";
import { LineReader } from "./lineReader.js";
import { withinLimit } from "./timeLimit.js";

export interface QmpEvent {
  name: string;
  data: Record<string, unknown>;
  /** performance.now() when it came. */
  atMs: number;
}

export interface QmpOptions {
  /** For the greeting. Default 10 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface QmpCallOptions {
  /** Default 30 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

interface Waiting {
  command: string;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const MAX_LINE_BYTES = 8 * 1024 * 1024;
const MAX_KEPT_EVENTS = 500;

/**
 * Errors: QMP_FAILED (QEMU says no: `data.class`; no answer in time; the connection is gone) and QMP_PROTOCOL (not QMP; the
 * connection is given up).
 */
export class QmpClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #events: QmpEvent[] = [];
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #greeted: Promise<Record<string, unknown>>;
  #greet: (greeting: Record<string, unknown>) => void = () => {};
  #lastId = 0;
  #version = "";
  #failure: Error | undefined;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#greeted = new Promise((resolve) => {
      this.#greet = resolve;
    });
    const overflow = () => this.#giveUp(protocolError("a line without end"));
    const lines = new LineReader(MAX_LINE_BYTES, (line) => this.#take(line), overflow);
    socket.on("data", (chunk: Uint8Array) => lines.feed(chunk));
    socket.on("error", (cause) => this.#giveUp(connectionGone(cause)));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#giveUp(connectionGone());
        resolve();
      });
    });
  }

  static async connect(socketPath: string, options: QmpOptions = {}): Promise<QmpClient> {
    return await QmpClient.overSocket(connect(socketPath), options);
  }

  /** Over a connection that is there or on its way; it is closed when the greeting fails. */
  static async overSocket(socket: Socket, { timeoutMs = 10_000, signal }: QmpOptions = {}): Promise<QmpClient> {
    const client = new QmpClient(socket);
    try {
      const greeting = await withinLimit<Record<string, unknown>>(
        { timeoutMs, signal },
        noGreeting,
        (resolve, reject) => {
          client.#greeted.then(resolve, reject);
          client.closed.then(() => reject(client.#failure));
          return undefined;
        },
      );
      client.#version = versionOf(greeting);
      await client.execute("qmp_capabilities", {}, { timeoutMs, signal });
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Of QEMU, such as "7.2.22 (Debian 1:7.2+dfsg-7)". */
  get version(): string {
    return this.#version;
  }

  /** The last 500. */
  get events(): readonly QmpEvent[] {
    return this.#events;
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async execute(command: string, args: Record<string, unknown> = {}, options: QmpCallOptions = {}): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = ++this.#lastId;
    const tooLate = () =>
      hypervisorError("QMP_FAILED", `QEMU did not answer ${command} in time`, { data: { command }, retry: "later" });
    const { timeoutMs = 30_000, signal } = options;
    return await withinLimit<unknown>({ timeoutMs, signal }, tooLate, (resolve, reject) => {
      this.#waiting.set(id, { command, resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
      return () => this.#waiting.delete(id);
    });
  }

  /** A command of the monitor for people; its output as text. */
  async monitorCommand(line: string, options: QmpCallOptions = {}): Promise<string> {
    return asText(await this.execute("human-monitor-command", { "command-line": line }, options));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(line: Uint8Array): void {
    if (line.every((byte) => byte === 0x0d || byte === 0x20)) return;
    const message = parseObjectLine(line);
    const greeting = asObject(message?.QMP);
    if (message === undefined) this.#giveUp(protocolError("a line that is no object"));
    else if (greeting !== undefined) this.#greet(greeting);
    else if (typeof message.event === "string") this.#tell(message.event, asObject(message.data) ?? {});
    else if (typeof message.id === "number") this.#settle(message.id, message);
  }

  #settle(id: number, message: Record<string, unknown>): void {
    const waiting = this.#waiting.get(id);
    const error = asObject(message.error);
    if (error === undefined) {
      waiting?.resolve(message.return);
      return;
    }
    const data = { command: waiting?.command, class: shown(asText(error.class)) };
    const words = `QEMU refused ${waiting?.command}: ${shown(asText(error.desc))}`;
    waiting?.reject(hypervisorError("QMP_FAILED", words, { data }));
  }

  #tell(name: string, data: Record<string, unknown>): void {
    const event = { name, data, atMs: performance.now() };
    this.#events.push(event);
    if (this.#events.length > MAX_KEPT_EVENTS) this.#events.shift();
    for (const listener of this.#listeners) listener(event);
  }

  #giveUp(reason: Error): void {
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    this.#socket.destroy();
  }
}

function versionOf(greeting: Record<string, unknown>): string {
  const version = asObject(greeting.version);
  const numbers = asObject(version?.qemu);
  const dotted = [numbers?.major, numbers?.minor, numbers?.micro].filter((part) => typeof part === "number").join(".");
  const distribution = shown(asText(version?.package), 100);
  return distribution === "" ? dotted : `${dotted} (${distribution})`;
}

function noGreeting(): Error {
  return hypervisorError("QMP_FAILED", "QEMU's monitor sends no greeting", {
    hint: "a QMP socket serves one client: another program may hold it",
    retry: "later",
  });
}

function connectionGone(cause?: unknown): Error {
  return hypervisorError("QMP_FAILED", "the connection to QEMU's monitor is gone", { cause });
}

function protocolError(what: string): Error {
  return hypervisorError("QMP_PROTOCOL", `QEMU's monitor sent ${what}`);
}
