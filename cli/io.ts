// What the command line needs from its surroundings; a test hands in its own.

import type { Readable, Writable } from "node:stream";

export interface InputStream extends Readable {
  isTTY?: boolean;
  /** Terminals only. */
  setRawMode?(raw: boolean): unknown;
}

export interface OutputStream extends Writable {
  isTTY?: boolean;
  columns?: number;
}

export interface CliIo {
  stdin: InputStream;
  stdout: OutputStream;
  stderr: OutputStream;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted with an Interruption when a signal arrives. */
  signal: AbortSignal;
  /** Aborted with an Interruption by a second signal: end at once, whatever is under way. */
  impatience?: AbortSignal;
}
