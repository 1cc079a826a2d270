// Chunks of which every copy was found damaged, and which can be read all the same (a destroyed header, when the pack's table
// of contents is whole): storing them anew makes whole what needs them.

import { isAbort, isOurError } from "../errors.js";
import { bytesToHex, hexToBytes } from "../format/ids.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { BlobReader } from "../repository/blobReader.js";
import { SessionSink } from "../repository/blobSink.js";
import type { Snapshot } from "../repository/catalog.js";
import { loadPresenceForReading, loadQuarantine } from "../repository/presence.js";
import { visitReachable } from "../repository/reachability.js";
import type { Repository } from "../repository/repository.js";
import { WriterSession } from "../repository/session.js";
import type { RepairOptions } from "./repairIndex.js";

/** Hex ids of the quarantined blobs that one of the snapshots needs, that have no good copy and can be read. */
export async function findReadable(
  repository: Repository,
  snapshots: readonly Snapshot[],
  options: RepairOptions,
): Promise<string[]> {
  const quarantined = await loadQuarantine(repository, options);
  if (quarantined.size === 0) return [];
  const { index } = await loadPresenceForReading(repository, options);
  const blobs = new BlobReader(repository, index);
  const suspects = new Set([...quarantined].map((copy) => copy.slice(copy.indexOf("/") + 1)));
  const needed = new Set<string>();
  const visitor = {
    onBlob(id: Uint8Array) {
      const hex = bytesToHex(id);
      if (suspects.has(hex)) needed.add(hex);
    },
    // What hangs on an unreadable page or root is lost with it.
    onUnreadable() {},
  };
  await visitReachable(snapshots, blobs, visitor, options.signal);
  const readable: string[] = [];
  for (const hex of needed) {
    options.signal?.throwIfAborted();
    const id = hexToBytes(hex, BLOB_ID_BYTES, "quarantined blob");
    if (index.copies(id).some(({ pack }) => !quarantined.has(`${pack}/${hex}`))) continue;
    if (await canRead(blobs, id, options.signal)) readable.push(hex);
  }
  return readable;
}

async function canRead(blobs: BlobReader, id: Uint8Array, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await blobs.read(id, { signal });
    return true;
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return false;
  }
}

/** Stores them in new packs. The session is given up afterwards: snapshots need the chunks, so a collection keeps them. */
export async function rewriteChunks(
  repository: Repository,
  ids: readonly string[],
  options: RepairOptions,
): Promise<void> {
  const session = await WriterSession.open(repository, { purpose: "repair", group: null, ...options });
  try {
    const { index } = await loadPresenceForReading(repository, options);
    const blobs = new BlobReader(repository, index);
    const sink = new SessionSink(repository, session);
    for (const hex of ids) {
      const plain = await blobs.read(hexToBytes(hex, BLOB_ID_BYTES, "quarantined blob"), options);
      await sink.storeBlob("chunk", plain);
    }
    await sink.finish();
    await session.writeIndex();
    await session.abandon("rewriting is done");
  } catch (error) {
    await session.abandon("rewriting was interrupted").catch(() => session.drop());
    throw error;
  }
}
