// The bytes of files: a window of one, or all of a small one. Nothing is allocated before the size is known to be allowed.

import { type FileNode, RepriseError, readFile, requireFile } from "../../core/index.js";
import { type AnswerOf, type ArgumentOf, MAX_FILE_BYTES, MAX_RANGE_BYTES } from "./protocol.js";
import { type CallContext, count, type Session } from "./session.js";
import { resolvePlace } from "./treeAnswers.js";

/** FILE_KIND_WRONG for what is no file; damage as its own error, naming the chunk. */
export async function readRange(
  session: Session,
  argument: ArgumentOf<"readRange">,
  context: CallContext,
): Promise<AnswerOf<"readRange">> {
  const { node, fileSystem, stat } = await resolveFile(session, argument, context);
  const offset = Math.min(count(argument.offset), stat.sizeBytes);
  const bytes = new Uint8Array(Math.min(count(argument.length), MAX_RANGE_BYTES, stat.sizeBytes - offset));
  const { signal } = context;
  const length = bytes.length === 0 ? 0 : await fileSystem.read(node, bytes, offset, { signal });
  return { bytes: length === bytes.length ? bytes : bytes.slice(0, length), sizeBytes: stat.sizeBytes };
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
  for await (const piece of readFile(file, { signal: context.signal })) {
    bytes.set(piece, done);
    done += piece.length;
    context.onProgress({ operation: "read", phase: "file", done, total: sizeBytes, unit: "bytes" });
  }
  return done === sizeBytes ? bytes : bytes.slice(0, done);
}

async function resolveFile(
  session: Session,
  argument: ArgumentOf<"readFile"> | ArgumentOf<"readRange">,
  context: CallContext,
): Promise<FileNode> {
  const { node } = await resolvePlace(session, argument, context);
  return requireFile(node);
}

function tooLarge(path: string, sizeBytes: number, maxBytes: number): RepriseError {
  const message = `${path} has ${sizeBytes} bytes, and at most ${maxBytes} are read as a whole`;
  return new RepriseError("usage", "SERVICE_FILE_TOO_LARGE", message, {
    data: { path, sizeBytes, maxBytes },
    hint: "open a part of it, or restore it",
  });
}
