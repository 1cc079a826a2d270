// Copies one snapshot in a session of its own: an ordinary writer, whose manifest says what it is a copy of.

import { RepriseError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { type Archive, encodeManifest, type Manifest } from "../format/manifest.js";
import { sha256 } from "../hash/digest.js";
import { BlobReader } from "../repository/blobReader.js";
import { SessionSink } from "../repository/blobSink.js";
import type { Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { WriterSession } from "../repository/session.js";
import { originOf } from "../repository/snapshotOrigin.js";
import { MAX_FENCED, writeSnapshot } from "../repository/writeSnapshot.js";
import { ChunkCopier } from "./chunkCopier.js";
import type { ChunkMapping } from "./chunkMapping.js";
import { copyArchive, pairOf } from "./copyImage.js";
import type { ManifestPair } from "./copyOptions.js";
import { PageTranslator } from "./pageTranslation.js";
import { type SourceReader, snapshotLabel } from "./sourceReader.js";
import type { CopiedSnapshot, SyncOptions, SyncRequest } from "./syncReport.js";

export interface CopyRequest extends Pick<SyncRequest, "codec" | "lanes"> {
  snapshot: Snapshot;
  base: ManifestPair | null;
  mapping: ChunkMapping;
}

/** SYNC_SOURCE_DAMAGED when something of it cannot be read: then nothing of it is visible in the destination. */
export async function copySnapshot(
  reader: SourceReader,
  to: Repository,
  request: CopyRequest,
  options: SyncOptions,
): Promise<{ manifest: Manifest; copied: CopiedSnapshot }> {
  const started = performance.now();
  const { signal, onWarning } = options;
  const session = { purpose: "sync", group: request.snapshot.manifest.group, signal, onWarning };
  for (let fenced = 0; fenced < MAX_FENCED; fenced++) {
    const manifest = await writeSnapshot(to, session, (opened) => store(reader, to, opened, request, options, started));
    if (manifest !== "fenced") return { manifest, copied: describe(request.snapshot, manifest) };
  }
  throw new RepriseError("conflict", "SESSION_FENCED", `this copy was given up by collectors ${MAX_FENCED} times`, {
    retry: "later",
    hint: "check that gc --fence-after is longer than the pauses of this machine (suspend, lost network)",
  });
}

async function store(
  reader: SourceReader,
  to: Repository,
  session: WriterSession,
  request: CopyRequest,
  options: SyncOptions,
  started: number,
): Promise<Manifest> {
  const { snapshot, base, mapping } = request;
  const { index } = session.presence;
  const sink = new SessionSink(to, session);
  const copier = new ChunkCopier(reader, to, sink, request);
  const toBlobs = new BlobReader(to, index);
  const translator = new PageTranslator({ mapping, index, fromBlobs: reader.blobs, toBlobs, signal: options.signal });
  try {
    const archives: Archive[] = [];
    const onBytes = progressOf(snapshot, options);
    for (const archive of snapshot.manifest.archives) {
      const parts = { reader, translator, copier, mapping, sink, index, toBlobs, signal: options.signal, onBytes };
      archives.push(await copyArchive(archive, pairOf(archive, base), parts));
    }
    await copier.finish();
    await sink.finish();
    const statistics = { ...sink.statistics, durationMs: Math.round(performance.now() - started) };
    return {
      ...snapshot.manifest,
      sid: session.sid,
      archives,
      notes: snapshot.notes,
      tags: [...snapshot.tags],
      protected: snapshot.protected,
      statistics,
      origin: originOf(snapshot, reader.repository),
    };
  } finally {
    await copier.close();
  }
}

function progressOf(snapshot: Snapshot, options: SyncOptions): (bytes: number) => void {
  const images = snapshot.manifest.archives.filter(({ kind }) => kind !== "file");
  const total = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const subject = snapshotLabel(snapshot);
  let done = 0;
  return (bytes) => {
    done += bytes;
    options.onProgress?.({ operation: "sync", phase: "copy", subject, done, total, unit: "bytes" });
  };
}

function describe(snapshot: Snapshot, manifest: Manifest): CopiedSnapshot {
  const { bytesRead, bytesNew, bytesStored, durationMs } = manifest.statistics;
  const digest = bytesToHex(sha256(encodeManifest(manifest)));
  return { from: snapshot.sid, to: manifest.sid, digest, bytesRead, bytesNew, bytesStored, durationMs };
}
