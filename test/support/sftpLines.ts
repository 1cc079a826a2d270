// Lines to SFTP servers without SSH: OpenSSH's sftp-server as a child of the test, with extensions hidden, and a scripted
// server that answers what the test wants.

import { spawn } from "node:child_process";
import { type ByteLine, type LineEvents, lineOverStreams } from "../../core/storage/sftp/byteLine.js";

const SERVERS = "/usr/lib/openssh/sftp-server";

/** OpenSSH's server without these extensions: their names are spoilt in its first answer. */
export function lineWithout(...extensions: string[]): ByteLine {
  const child = spawn(SERVERS, [], { stdio: ["pipe", "pipe", "ignore"] });
  const line = lineOverStreams({
    readable: child.stdout,
    writable: child.stdin,
    destroy: () => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.kill();
    },
  });
  let first = true;
  const spoil = (chunk: Uint8Array): Uint8Array => {
    if (!first) return chunk;
    first = false;
    let text = Buffer.from(chunk).toString("latin1");
    for (const name of extensions) text = text.replace(name, name.replace(/./g, "x"));
    return Buffer.from(text, "latin1");
  };
  return {
    ...line,
    listen: ({ onBytes, onEnd }) => line.listen({ onBytes: (chunk) => onBytes(spoil(chunk)), onEnd }),
  };
}

export interface ScriptedLine extends ByteLine {
  /** What the client has sent, packet by packet as far as it was sent in one piece. */
  readonly sent: Uint8Array[];
  readonly destroyed: boolean;
  say(bytes: Uint8Array): void;
  hangUp(): void;
}

/** `answer` gets what the client sends and returns what the server says to it. */
export function scriptedLine(answer: (request: Uint8Array) => Uint8Array | undefined): ScriptedLine {
  let events: LineEvents | undefined;
  const line = {
    sent: [] as Uint8Array[],
    destroyed: false,
    send(parts: readonly Uint8Array[]) {
      const request = Buffer.concat(parts);
      line.sent.push(request);
      const reply = answer(request);
      if (reply !== undefined) setImmediate(() => line.say(reply));
    },
    listen(listener: LineEvents) {
      events = listener;
    },
    say(bytes: Uint8Array) {
      if (!line.destroyed) events?.onBytes(bytes);
    },
    hangUp() {
      events?.onEnd(new Error("hung up"));
    },
    destroy() {
      line.destroyed = true;
    },
  };
  return line;
}
