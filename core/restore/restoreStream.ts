// Writes one disk of a snapshot to a stream, in order: for stdout and pipes. Damage ends it, because a stream cannot be
// mended afterwards.

import type { Lane } from "../engine/lane.js";
import { isOurError, RepriseError } from "../errors.js";
import type { Archive } from "../format/manifest.js";
import type { OnProgress } from "../platform/progress.js";
import { BlobReader } from "../repository/blobReader.js";
import { FreshPresence } from "../repository/freshPresence.js";
import { type ImageEntry, ImageReader } from "../repository/imageReader.js";
import type { Presence } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { IGNORE_WARNINGS } from "../repository/warnings.js";
import { decodeEntries } from "./decodeEntries.js";
import type { RestoreLaneApi } from "./restoreLane.js";
import { startRestoreLanes } from "./restoreLanes.js";

export interface RestoreStreamOptions {
  lanes?: number;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** Entries decoded together; two such groups a lane are in memory at once. */
const GROUP_BYTES = 8 * 1024 * 1024;
const ZEROS = new Uint8Array(1024 * 1024);

/** The bytes of the disk in order. Throws RESTORE_DAMAGED at the first chunk that cannot be had. */
export async function* restoreStream(
  repository: Repository,
  presence: Presence,
  archive: Archive,
  options: RestoreStreamOptions,
): AsyncIterable<Uint8Array> {
  const fresh = new FreshPresence(repository, presence, { signal: options.signal, onWarning: IGNORE_WARNINGS });
  const blobs = new BlobReader(repository, presence.index, fresh.indexAfter);
  const image = await ImageReader.open(archive, blobs, options.signal);
  const lanes = await startRestoreLanes(repository, null, options.lanes);
  // Behind a network one group is on its way while another one is decoded.
  const groupsPerLane = repository.backend.parallelReads === undefined ? 1 : 2;
  const ahead: Promise<Uint8Array[]>[] = [];
  let done = 0;
  try {
    let turn = 0;
    for await (const group of groups(image, options.signal)) {
      const lane = lanes[turn++ % lanes.length] as Lane<RestoreLaneApi>;
      const decoded = decodeGroup(group, fresh, lane, archive.name);
      decoded.catch(() => {});
      ahead.push(decoded);
      if (ahead.length <= lanes.length * groupsPerLane) continue;
      for (const part of await (ahead.shift() as Promise<Uint8Array[]>)) yield part;
      report();
    }
    for (const rest of ahead.splice(0)) for (const part of await rest) yield part;
  } finally {
    for (const lane of lanes) await lane.close();
  }

  function report(): void {
    done = Math.min(archive.sizeBytes, done + GROUP_BYTES);
    const { name: subject, sizeBytes: total } = archive;
    options.onProgress?.({ operation: "restore", phase: "stream", subject, done, total, unit: "bytes" });
  }
}

async function* groups(image: ImageReader, signal: AbortSignal | undefined): AsyncIterable<ImageEntry[]> {
  for (let page = 0; page < image.pageCount; page++) {
    signal?.throwIfAborted();
    let group: ImageEntry[] = [];
    let bytes = 0;
    for (const entry of await image.readPage(page, signal)) {
      group.push(entry);
      bytes += entry.id === null ? 0 : entry.length;
      if (bytes < GROUP_BYTES) continue;
      yield group;
      group = [];
      bytes = 0;
    }
    if (group.length > 0) yield group;
  }
}

/** The group's bytes in order of the disk; zeros as views of one shared buffer. */
async function decodeGroup(
  group: ImageEntry[],
  fresh: FreshPresence,
  lane: Lane<RestoreLaneApi>,
  archiveName: string,
): Promise<Uint8Array[]> {
  try {
    const parts = await decodeEntries(group, fresh, lane);
    return parts.flatMap((part, i) => (part === null ? zeros((group[i] as ImageEntry).length) : [part]));
  } catch (error) {
    throw isOurError(error, "ENTRY_DAMAGED") ? damaged(archiveName, error) : error;
  }
}

function zeros(length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let left = length; left > 0; left -= ZEROS.length) parts.push(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  return parts;
}

function damaged(archive: string, { data, message, cause }: RepriseError): RepriseError {
  const { offset } = data;
  return new RepriseError("corrupt", "RESTORE_DAMAGED", `${archive} at byte ${offset}: ${message}`, {
    data: { archive, offset },
    hint: "restore to a file with --skip-damaged to get the rest",
    cause,
  });
}
