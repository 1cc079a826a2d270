// What a backup reads besides disks: standard input and configuration files.

import { open } from "node:fs/promises";
import { type FileInput, MAX_BLOB_PLAIN, RepriseError } from "../core/index.js";
import { abortable } from "./abortable.js";
import type { NamedPath } from "./given/archiveNames.js";
import type { InputStream } from "./io.js";

/**
 * The stream, once its first bytes are there. SOURCE_EMPTY when it ends before: the program in front of the pipe has
 * failed, and an empty disk must not become the latest snapshot.
 */
export async function nonEmptyInput(stdin: InputStream, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  if (stdin.isTTY) {
    throw new RepriseError("usage", "COMMAND_LINE_INVALID", "standard input is a terminal, not a disk", {
      hint: "pipe the disk in, or name a file instead of -",
    });
  }
  const iterator: AsyncIterator<Uint8Array> = stdin[Symbol.asyncIterator]();
  const first = await abortable(iterator.next(), signal);
  if (!first.done) return continued(first.value, iterator, signal);
  throw new RepriseError("source", "SOURCE_EMPTY", "standard input ended before the first byte", {
    hint: "check the program in front of the pipe",
  });
}

async function* continued(
  first: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (;;) {
      const next = await abortable(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: after an abort a stalled stream would keep us waiting.
    iterator.return?.().catch(() => undefined);
  }
}

/** At most one byte more than a snapshot can hold is read; the core refuses that. */
export async function readConfigFile({ name, path }: NamedPath): Promise<FileInput> {
  try {
    const handle = await open(path, "r");
    try {
      const parts: Uint8Array[] = [];
      let left = MAX_BLOB_PLAIN + 1;
      while (left > 0) {
        const part = new Uint8Array(Math.min(left, 65_536));
        const { bytesRead } = await handle.read(part, 0, part.length, null);
        if (bytesRead === 0) break;
        parts.push(part.subarray(0, bytesRead));
        left -= bytesRead;
      }
      return { name, bytes: Buffer.concat(parts) };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new RepriseError(
      "source",
      "CONFIG_FILE_UNREADABLE",
      `the configuration file ${path} cannot be read (${reason})`,
      {
        data: { path, errno: reason },
        hint: "check the path given with --config",
        cause,
      },
    );
  }
}
