// What a backup reads besides disk images: standard input, folders and the rules for them.

import { resolve } from "node:path";
import {
  abortable,
  isAbort,
  type NamedPath,
  parseExcludes,
  RepriseError,
  readInputFile,
  requireFolder,
  type TreeInput,
} from "../core/index.js";
import { type Given, usageError } from "./given/given.js";
import type { InputStream } from "./io.js";

/** Rules that somebody has written. */
const MAX_RULES_BYTES = 4 * 1024 * 1024;

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

/** The folders of --dir with the rules and options that hold for all of them. SOURCE_NOT_FOUND, SOURCE_UNSUPPORTED. */
export async function treeInputs(given: Given, trees: readonly NamedPath[], signal: AbortSignal): Promise<TreeInput[]> {
  for (const option of ["exclude", "excludeFile"]) {
    if (trees.length === 0 && given.texts(option).length > 0)
      throw usageError("--exclude is for folders", "name one with --dir");
  }
  const fromFiles = await Promise.all(given.texts("excludeFile").map((path) => readRules(path, signal)));
  const excludes = parseExcludes([...fromFiles.flat(), ...given.texts("exclude")]);
  const options = { excludes, oneFileSystem: given.flag("oneFileSystem"), readAll: given.flag("readAll") };
  for (const { path } of trees) await requireFolder(path);
  return trees.map(({ name, path }) => ({ name, path: resolve(path), ...options }));
}

async function readRules(path: string, signal: AbortSignal): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readInputFile(path, { maxBytes: MAX_RULES_BYTES, signal });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const errno = (cause as NodeJS.ErrnoException).code;
    throw new RepriseError("source", "SOURCE_NOT_FOUND", `the rules in ${path} cannot be read (${errno})`, {
      data: { path, errno },
      hint: "check the path given with --exclude-file",
      cause,
    });
  }
  if (bytes.length > MAX_RULES_BYTES)
    throw usageError(`--exclude-file: ${path} is longer than ${MAX_RULES_BYTES} bytes`);
  return new TextDecoder().decode(bytes).split("\n");
}
