// A port of the guest answers. The forwarded port accepts connections whether anybody listens in the guest or not, so a
// connection proves nothing: bytes from the guest do, or the hypervisor's own list of connections that the guest has accepted.

import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckContext, CheckFunction, CheckOf, Observation } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { isOutOfTime, messageOf } from "./problems.js";

const MAX_BYTES = 64 * 1024;
const POLL_MS = 200;

export const checkTcp: CheckFunction<"tcp"> = async (check, context, { signal }) => {
  const expected = describe(check);
  const hostPort = context.hostPort(check.port);
  if (hostPort === null) return cannotTell(expected, "", `port ${check.port} of the guest is not forwarded`);
  const before = check.expects === null ? await context.establishedConnections(check.port) : null;
  const connection = new Connection(hostPort);
  try {
    await connection.opened(signal);
    if (check.sends !== null) connection.send(check.sends);
    return await watch(check, context, connection, { expected, before, signal });
  } catch (error) {
    if (signal.aborted && !isOutOfTime(signal)) throw error;
    return fails(expected, connection.describe(), messageOf(error));
  } finally {
    connection.close();
  }
};

interface Watch {
  expected: string;
  /** Accepted connections before ours; null: not known. */
  before: number | null;
  signal: AbortSignal;
}

async function watch(
  check: CheckOf<"tcp">,
  context: CheckContext,
  connection: Connection,
  { expected, before, signal }: Watch,
): Promise<Observation> {
  let asked = before !== null;
  while (!signal.aborted) {
    if (check.expects === null ? connection.text !== "" : check.expects.test(connection.text))
      return holds(expected, connection.describe());
    if (connection.ended !== null)
      return fails(expected, connection.describe(), `the connection was closed: ${connection.ended}`);
    if (check.expects === null && before !== null) {
      const now = await context.establishedConnections(check.port);
      asked = now !== null;
      // It may have been refused between the two looks.
      if (now !== null && now > before && connection.ended === null)
        return holds(expected, `the guest has accepted the connection; ${connection.describe()}`);
    }
    await Promise.race([connection.changed(), sleep(POLL_MS, undefined, { ref: false })]);
  }
  if (!isOutOfTime(signal)) signal.throwIfAborted();
  if (check.expects === null && !asked)
    return cannotTell(expected, connection.describe(), "no byte came, and nobody says whether the guest accepted");
  return fails(expected, connection.describe(), "no answer in time");
}

class Connection {
  text = "";
  /** Why it has ended, or null. */
  ended: string | null = null;
  readonly #socket: Socket;
  readonly #decoder = new TextDecoder();
  #bytes = 0;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port });
    this.#socket.on("data", (piece) => this.#take(piece));
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", () => this.#end("by the other side"));
  }

  async opened(signal: AbortSignal): Promise<void> {
    while (this.#socket.connecting && this.ended === null) {
      signal.throwIfAborted();
      await Promise.race([this.changed(), sleep(POLL_MS / 4, undefined, { ref: false })]);
    }
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  /** Resolves with the next byte, or the end. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  describe(): string {
    return this.text === "" ? "no byte came" : `${this.#bytes} bytes: ${this.text}`;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(piece: Uint8Array): void {
    const room = MAX_BYTES - this.#bytes;
    this.#bytes += Math.min(room, piece.length);
    this.text += this.#decoder.decode(piece.subarray(0, room), { stream: true });
    if (piece.length >= room) {
      this.#socket.destroy();
      this.#end(`more than ${MAX_BYTES} bytes came`);
    }
    this.#wake();
  }

  #end(reason: string): void {
    this.ended ??= reason;
    this.#wake();
  }
}

function describe({ port, sends, expects }: CheckOf<"tcp">): string {
  const question = sends === null ? "" : ` to ${JSON.stringify(sends)}`;
  const answer = expects === null ? "" : ` with what matches ${expects}`;
  return `port ${port} of the guest answers${question}${answer}`;
}
