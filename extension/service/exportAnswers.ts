// What leaves a repository as files of another form: folders as one archive, tar or zip, and the evidence of restore tests. As `reprise
// tar`, `reprise zip` and `reprise evidence export` write them.

import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import {
  checkNewFile,
  exportEvidence,
  inertLine,
  makeFolder,
  makeNewFile,
  parseTreePath,
  refuseTargetInside,
  tarFolder,
  writeNewFile,
  zipFolder,
} from "../../core/index.js";
import type { ArgumentOf } from "./protocol.js";
import { type ExportedArchiveData, type ExportedEvidenceData, MAX_SKIPPED } from "./restoreProtocol.js";
import type { CallContext, Session } from "./session.js";
import { resolvePlace } from "./treeAnswers.js";

/** The file has its name when it is complete; what was there before stays until then. */
export async function exportArchiveTo(
  session: Session,
  argument: ArgumentOf<"exportArchive">,
  { signal, onProgress, ...context }: CallContext,
): Promise<ExportedArchiveData> {
  const { snapshot, path, to, format, replace } = argument;
  await refuseTargetInside(session.repository.backend, to);
  await checkNewFile(to, replace);
  const { tree, node } = await resolvePlace(session, { snapshot, path }, { signal, onProgress, ...context }, false);
  const skippedFiles: { path: string; reason: string }[] = [];
  const result = { to, sizeBytes: 0, skipped: 0, skippedFiles };
  const onSkipped = (file: { path: string; reason: string }) => {
    result.skipped++;
    if (skippedFiles.length < MAX_SKIPPED)
      skippedFiles.push({ path: inertLine(file.path), reason: inertLine(file.reason) });
  };
  const make = format === "zip" ? zipFolder : tarFolder;
  const pieces = make(tree, node, parseTreePath(path).at(-1) ?? null, { signal, onSkipped });
  await makeNewFile(to, replace, async (handle) => {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await writeAll(handle, piece);
      result.sizeBytes += piece.length;
      onProgress({ operation: "archive", phase: "write", done: result.sizeBytes, unit: "bytes" });
    }
  });
  return result;
}

/** Nothing is written when one of the files is there, unless they may be replaced. */
export async function exportEvidenceTo(
  session: Session,
  { snapshot: id, to, replace }: ArgumentOf<"exportEvidence">,
  context: CallContext,
): Promise<ExportedEvidenceData> {
  await refuseTargetInside(session.repository.backend, to);
  const catalog = await session.catalog(context, true);
  const snapshot = await session.snapshot(id, context);
  const { tests, files } = await exportEvidence(session.repository, snapshot, catalog, context);
  await makeFolder(to, "choose another folder");
  for (const { name } of files) await checkNewFile(join(to, name), replace);
  for (const { name, bytes } of files) {
    context.signal.throwIfAborted();
    await writeNewFile(join(to, name), bytes, replace);
  }
  const signed = tests.filter(({ envelopes }) => envelopes.length > 0).length;
  return { to, files: files.map(({ name }) => name), tests: tests.length, signed };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}
