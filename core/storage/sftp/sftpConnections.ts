// A few lines to one server, opened when there is work for them, and again when they break. Says which operations may run
// twice: the caller does. Knows nothing about objects.

import { setTimeout as delay } from "node:timers/promises";
import { isOurError } from "../../errors.js";
import { isLineError, type SftpClient, SftpLineError } from "./sftpClient.js";

/** Operations at once on a line; more wait. Each may hold a handle and 2 MiB of requests. */
const OPERATIONS_PER_LINE = 16;
/** Operations on each open line before another one is opened: a line costs 0.2 s and a process on the server. */
const BUSY = 4;
/** Half a minute altogether. */
const MAX_ATTEMPTS = 8;
export const SFTP_PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 250;
/** An aborted operation waits this long for the replies that it still needs; then its line is dropped. */
const ABORT_GRACE_MS = 3000;

interface Slot {
  client: SftpClient | undefined;
  opening: Promise<SftpClient> | undefined;
  users: number;
}

export interface RunOptions {
  signal?: AbortSignal;
  /** Give up at once when the server cannot be reached at all. For the first line: a typing error must not take a minute. */
  impatient?: boolean;
}

export interface ConnectionsOptions {
  /** Most lines at once. */
  lines: number;
  /** Before an operation is begun again: why the last attempt failed. */
  onRepeat?: (error: unknown) => void;
}

export class SftpConnections {
  readonly #connect: (signal: AbortSignal) => Promise<SftpClient>;
  readonly #onRepeat: ((error: unknown) => void) | undefined;
  readonly #ending = new AbortController();
  readonly #slots: Slot[];
  readonly #waiting: (() => void)[] = [];

  /** The signal of `connect` aborts when this is closed. */
  constructor(connect: (signal: AbortSignal) => Promise<SftpClient>, { lines, onRepeat }: ConnectionsOptions) {
    this.#connect = connect;
    this.#onRepeat = onRepeat;
    this.#slots = Array.from({ length: lines }, () => ({ client: undefined, opening: undefined, users: 0 }));
  }

  /**
   * Runs `use` on a line, again on a new one when the line breaks: `use` must be able to run twice. Throws what `use`
   * throws, the last line's error when no attempt got through, and the signal's reason.
   */
  async run<T>(use: (client: SftpClient) => Promise<T>, { signal, impatient = false }: RunOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await this.#runOnce(use, signal);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (!mayRepeat(error, impatient) || attempt >= MAX_ATTEMPTS || this.#ending.signal.aborted) throw error;
        this.#onRepeat?.(error);
      }
      await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
    }
  }

  /** Ends every line; operations under way fail. May be called twice. */
  async close(): Promise<void> {
    this.#ending.abort();
    for (const slot of this.#slots) {
      slot.client?.end();
      await slot.opening?.catch(() => undefined);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #runOnce<T>(use: (client: SftpClient) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const slot = await this.#takeSlot(signal);
    let grace: NodeJS.Timeout | undefined;
    let stop: (() => void) | undefined;
    try {
      const client = await this.#clientOf(slot, signal);
      stop = () => {
        grace = setTimeout(() => client.end(new SftpLineError("closed", "given up after an abort")), ABORT_GRACE_MS);
      };
      signal?.addEventListener("abort", stop, { once: true });
      return await use(client);
    } finally {
      clearTimeout(grace);
      if (stop !== undefined) signal?.removeEventListener("abort", stop);
      slot.users--;
      this.#waiting.shift()?.();
    }
  }

  async #takeSlot(signal: AbortSignal | undefined): Promise<Slot> {
    for (;;) {
      if (this.#ending.signal.aborted) throw new SftpLineError("closed", "the storage was closed");
      const slot = this.#freest();
      if (slot.users < OPERATIONS_PER_LINE) {
        slot.users++;
        return slot;
      }
      await this.#turn(signal);
    }
  }

  /** The least used open line; a new one only when the open ones are busy. */
  #freest(): Slot {
    const open = this.#slots.filter((slot) => isOpen(slot) || slot.opening !== undefined);
    const free = open.sort((a, b) => a.users - b.users)[0];
    if (free !== undefined && free.users < BUSY) return free;
    const unused = this.#slots.find((slot) => !isOpen(slot) && slot.opening === undefined);
    return unused ?? free ?? this.#slots[0]!;
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#waiting.push(resolve);
    signal?.addEventListener("abort", wake, { once: true });
    await promise;
    signal?.removeEventListener("abort", wake);
    const place = this.#waiting.indexOf(resolve);
    if (place >= 0) this.#waiting.splice(place, 1);
    if (signal?.aborted) {
      this.#waiting.shift()?.(); // the turn that came with the abort goes to the next one
      throw signal.reason;
    }
  }

  async #clientOf(slot: Slot, signal: AbortSignal | undefined): Promise<SftpClient> {
    if (slot.client !== undefined && isOpen(slot)) return slot.client;
    slot.opening ??= this.#open(slot);
    try {
      return await abortable(slot.opening, signal);
    } catch (error) {
      const other = this.#slots.find(isOpen)?.client; // the server may not want a second line
      if (other === undefined || signal?.aborted) throw error;
      return other;
    }
  }

  async #open(slot: Slot): Promise<SftpClient> {
    try {
      const client = await this.#connect(this.#ending.signal);
      slot.client = client;
      if (this.#ending.signal.aborted) client.end();
      return client;
    } finally {
      slot.opening = undefined;
    }
  }
}

function isOpen({ client }: Slot): boolean {
  return client !== undefined && client.ended === undefined;
}

/** A line that broke, or could not be opened; not one whose server is silent, speaks nonsense or refuses us. */
function mayRepeat(error: unknown, impatient: boolean): boolean {
  if (isOurError(error)) return false;
  if (isUnreachable(error)) return !impatient;
  if (codeOf(error) === "ECONNRESET") return true; // a server that has too many logins under way does that
  return isLineError(error) && error.kind === "lost" && !isOurError(error.cause);
}

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** True when the server could not be reached. */
function isUnreachable(error: unknown): boolean {
  return UNREACHABLE.has(codeOf(error)) || UNREACHABLE.has(codeOf((error as { cause?: unknown } | null)?.cause));
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** `promise`, or the signal's reason when that comes first; then nobody waits for the promise any more. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
