// The bytes of files: a window of one, or all of a small one. Nothing is allocated before the size is known to be allowed, and what
// cannot be read whole is an error that names the first bytes that are missing: never a shorter file.

import { type FileNode, isOurError, RepriseError, readFile, requireFile } from "../../core/index.js";
import { type AnswerOf, type ArgumentOf, MAX_FILE_BYTES, MAX_RANGE_BYTES } from "./protocol.js";
import { type CallContext, count, type Session } from "./session.js";
import { naming, resolvePlace } from "./treeAnswers.js";

/** In steps of so many bytes it is looked for where damage begins and ends. */
const PROBE_BYTES = 64 * 1024;
/** No more of a file is read for that. */
const MAX_PROBED_BYTES = 32 * 1024 * 1024;

/** FILE_KIND_WRONG for what is no file; damage as its own error, naming the file, its range and the chunk. */
export async function readRange(
  session: Session,
  argument: ArgumentOf<"readRange">,
  context: CallContext,
): Promise<AnswerOf<"readRange">> {
  const file = await resolveFile(session, argument, context);
  const { sizeBytes } = file.stat;
  const offset = Math.min(count(argument.offset), sizeBytes);
  const bytes = new Uint8Array(Math.min(count(argument.length), MAX_RANGE_BYTES, sizeBytes - offset));
  await naming(session, argument, context, () =>
    withRange(file, offset, offset + bytes.length, context, () => fill(file, bytes, offset, context)),
  );
  return { bytes, sizeBytes };
}

/** SERVICE_FILE_TOO_LARGE before anything is read. */
export async function readWholeFile(
  session: Session,
  argument: ArgumentOf<"readFile">,
  context: CallContext,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await resolveFile(session, argument, context);
  const { sizeBytes } = file.stat;
  const maxBytes = Math.min(count(argument.maxBytes), MAX_FILE_BYTES);
  if (sizeBytes > maxBytes) throw tooLarge(argument.path, sizeBytes, maxBytes);
  const bytes = new Uint8Array(sizeBytes);
  let done = 0;
  const read = async () => {
    for await (const piece of readFile(file, { signal: context.signal })) {
      bytes.set(piece, done);
      done += piece.length;
      context.onProgress({ operation: "read", phase: "file", done, total: sizeBytes, unit: "bytes" });
    }
    if (done < sizeBytes) throw tooShort(sizeBytes, done);
  };
  await naming(session, argument, context, () => withRange(file, 0, sizeBytes, context, read, () => done));
  return bytes;
}

async function fill(file: FileNode, bytes: Uint8Array, offset: number, { signal }: CallContext): Promise<void> {
  const { node, fileSystem } = file;
  const length = bytes.length === 0 ? 0 : await fileSystem.read(node, bytes, offset, { signal });
  if (length < bytes.length) throw tooShort(file.stat.sizeBytes, offset + length);
}

/** Says of damage which bytes of the file it touches. `reached`: what was read before it. */
async function withRange(
  file: FileNode,
  from: number,
  to: number,
  context: CallContext,
  read: () => Promise<void>,
  reached = () => from,
): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!isOurError(error) || error.family !== "corrupt") throw error;
    const { start, end } = await damagedRange(file, reached(), to, context);
    const { family, code, message, data, hint } = error;
    const range = `bytes ${start}–${end} of ${file.stat.sizeBytes} cannot be read`;
    throw new RepriseError(family, code, `${range}: ${message}`, {
      data: { ...data, from: start, to: end, sizeBytes: file.stat.sizeBytes },
      hint: `${hint === undefined ? "" : `${hint}; `}other parts of it open with Open a Part, another snapshot may have all of it`,
      cause: error,
    });
  }
}

/** The first stretch that fails; where nothing fails any more, all that was asked for. */
async function damagedRange(
  file: FileNode,
  from: number,
  to: number,
  context: CallContext,
): Promise<{ start: number; end: number }> {
  let start: number | undefined;
  const last = Math.min(to, from + MAX_PROBED_BYTES);
  for (let at = from; at < last; at += PROBE_BYTES) {
    const bytes = new Uint8Array(Math.min(PROBE_BYTES, to - at));
    try {
      await fill(file, bytes, at, context);
      if (start !== undefined) return { start, end: at };
    } catch (error) {
      if (!isOurError(error) || error.family !== "corrupt") throw error;
      start ??= at;
    }
  }
  return { start: start ?? from, end: last < to && start !== undefined ? last : to };
}

async function resolveFile(
  session: Session,
  argument: ArgumentOf<"readFile"> | ArgumentOf<"readRange">,
  context: CallContext,
): Promise<FileNode> {
  const { node } = await resolvePlace(session, argument, context);
  return requireFile(node);
}

function tooShort(sizeBytes: number, done: number): RepriseError {
  return new RepriseError("corrupt", "FILE_TOO_SHORT", `the file system has ${done} of its ${sizeBytes} bytes`);
}

function tooLarge(path: string, sizeBytes: number, maxBytes: number): RepriseError {
  const message = `${path} has ${sizeBytes} bytes, and at most ${maxBytes} are read as a whole`;
  return new RepriseError("usage", "SERVICE_FILE_TOO_LARGE", message, {
    data: { path, sizeBytes, maxBytes },
    hint: "open a part of it, or restore it",
  });
}
