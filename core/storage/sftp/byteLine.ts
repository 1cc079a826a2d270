// A line to a server that carries bytes both ways: what the SFTP client runs on. Whether ssh2 or the system's ssh holds
// the other end is the transport's matter.

import type { Readable, Writable } from "node:stream";

export interface LineEvents {
  onBytes(chunk: Uint8Array): void;
  /** Once, when nothing will come any more. */
  onEnd(why: Error): void;
}

export interface ByteLine {
  /** Sends the parts in order. They must not change until they have left; ignored after the end. */
  send(parts: readonly Uint8Array[]): void;
  /** Called once, before anything is sent. */
  listen(events: LineEvents): void;
  /** Ends the line at once and frees what it holds. May be called twice. */
  destroy(): void;
}

export interface StreamLine {
  readable: Readable;
  writable: Writable;
  destroy(): void;
  /** Why the line ended, where the transport knows more than its streams. */
  explain?(cause: Error): Error | Promise<Error>;
}

/** A line over a pair of streams (or over one duplex stream, given twice). */
export function lineOverStreams({ readable, writable, destroy, explain }: StreamLine): ByteLine {
  let ended = false;
  const end = (onEnd: LineEvents["onEnd"], cause: Error) => {
    if (ended) return;
    ended = true;
    destroy();
    void Promise.resolve(explain?.(cause) ?? cause).then(onEnd, () => onEnd(cause));
  };
  return {
    send(parts) {
      if (ended || !writable.writable) return;
      writable.cork();
      for (const part of parts) writable.write(part);
      writable.uncork();
    },
    listen({ onBytes, onEnd }) {
      readable.on("data", (chunk: Uint8Array) => {
        if (!ended) onBytes(chunk);
      });
      const closed = () => end(onEnd, new Error("the server closed the connection"));
      for (const stream of new Set<Readable | Writable>([readable, writable])) {
        stream.on("error", (error: Error) => end(onEnd, error));
        stream.on("close", closed);
      }
      readable.on("end", closed);
    },
    destroy() {
      destroy();
    },
  };
}
