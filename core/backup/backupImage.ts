// Backs up one disk: segments go to the lanes, what comes back goes into the image map.

import { RepriseError } from "../errors.js";
import { type BlobIdHex, bytesToHex } from "../format/ids.js";
import { entryLength, isZeroEntry, largestImageBytes, zeroEntry } from "../format/imageMap.js";
import type { Archive } from "../format/manifest.js";
import type { BlobSink } from "../repository/blobSink.js";
import { ImageMapWriter, type SegmentEntries } from "../repository/imageMapWriter.js";
import type { Repository } from "../repository/repository.js";
import { readSegments } from "../source/streamSource.js";
import { type SegmentJob, SLOTS_PER_LANE } from "./backupLane.js";
import type { BackupLanes } from "./backupLanes.js";
import type { BackupOptions } from "./backupOptions.js";
import type { DiskInput } from "./diskInput.js";

interface Segment {
  number: number;
  length: number;
  /** Null: all zeros, nothing to read. */
  job: SegmentJob | null;
}

/** Stores the chunks and the map of one disk and answers its line of the manifest. */
export async function backUpImage(
  repository: Repository,
  disk: DiskInput,
  lanes: BackupLanes,
  sink: BlobSink,
  options: BackupOptions,
): Promise<Archive> {
  if (disk.kind === "stream") return backUpStream(repository, disk, lanes, sink, options);
  const { source, name, format } = disk;
  checkSize(repository, name, source.sizeBytes);
  const map = newMap(repository, source.sizeBytes, sink);
  const segments = imageSegments(disk, repository.config.chunker.segmentBytes, options.signal);
  await runLanes(segments, lanes, sink, map, { ...options, name, total: source.sizeBytes });
  return archiveOf(name, source.sizeBytes, format, await map.finish());
}

type NamedOptions = BackupOptions & { name: string; total?: number };

/** A stream's size is known at its end, so its entries are kept until then: 36 bytes a chunk. */
async function backUpStream(
  repository: Repository,
  disk: DiskInput & { kind: "stream" },
  lanes: BackupLanes,
  sink: BlobSink,
  options: BackupOptions,
): Promise<Archive> {
  const entries: SegmentEntries[] = [];
  let sizeBytes = 0;
  async function* segments(): AsyncIterable<Segment> {
    const { segmentBytes } = repository.config.chunker;
    for await (const { offset, bytes } of readSegments(disk.stream, segmentBytes, { signal: options.signal })) {
      sizeBytes = offset + bytes.length;
      checkSize(repository, disk.name, sizeBytes);
      yield { number: offset / segmentBytes, length: bytes.length, job: { from: { bytes }, length: bytes.length } };
    }
  }
  const collector = {
    addSegment: async (segment: number, added: SegmentEntries) => {
      entries[segment] = added;
    },
  };
  await runLanes(segments(), lanes, sink, collector, { ...options, name: disk.name });
  const map = newMap(repository, sizeBytes, sink);
  for (const [segment, added] of entries.entries()) await map.addSegment(segment, added);
  return archiveOf(disk.name, sizeBytes, "stream", await map.finish());
}

/** Keeps every slot of every lane busy; the first error stops all of them. */
async function runLanes(
  segments: AsyncIterable<Segment>,
  lanes: BackupLanes,
  sink: BlobSink,
  map: Pick<ImageMapWriter, "addSegment">,
  options: NamedOptions,
): Promise<void> {
  const iterator = segments[Symbol.asyncIterator]();
  const progress = progressOf(options);
  let failed = false;
  async function runner(lane: number): Promise<void> {
    while (!failed) {
      options.signal?.throwIfAborted();
      const { value: segment, done } = await iterator.next();
      if (done || failed) return;
      await map.addSegment(segment.number, await storeSegment(segment, lane, lanes, sink));
      progress(segment.length);
    }
  }
  const runners = Array.from({ length: lanes.count * SLOTS_PER_LANE }, async (_, i) => {
    try {
      await runner(i % lanes.count);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  for (const outcome of await Promise.allSettled(runners)) if (outcome.status === "rejected") throw outcome.reason;
}

async function storeSegment(
  segment: Segment,
  lane: number,
  lanes: BackupLanes,
  sink: BlobSink,
): Promise<SegmentEntries> {
  if (segment.job === null) return { lengths: Uint32Array.of(zeroEntry(segment.length)), ids: new Uint8Array(0) };
  const { slot, lengths, ids, bytesRead } = await lanes.scan(lane, segment.job);
  sink.statistics.bytesRead += bytesRead;
  const chunkLengths = Array.from(lengths)
    .filter((value) => !isZeroEntry(value))
    .map(entryLength);
  await lanes.encode(lane, slot, sink.claimNew(ids, chunkLengths));
  return { lengths, ids };
}

async function* imageSegments(
  disk: DiskInput & { kind: "image" },
  segmentBytes: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Segment> {
  const { source, location } = disk;
  for (let number = 0; number * segmentBytes < source.sizeBytes; number++) {
    const offset = number * segmentBytes;
    const length = Math.min(segmentBytes, source.sizeBytes - offset);
    const extents = await source.extents(offset, length, { signal });
    const job = extents.every(({ zero }) => zero) ? null : { from: { source: location, offset, extents }, length };
    yield { number, length, job };
  }
}

function progressOf(options: NamedOptions): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    const { name, total } = options;
    options.onProgress?.({ operation: "backup", phase: "read", subject: name, done, total, unit: "bytes" });
  };
}

function newMap(repository: Repository, sizeBytes: number, sink: BlobSink): ImageMapWriter {
  return new ImageMapWriter(sizeBytes, repository.config.chunker, (kind, plain) => sink.storeBlob(kind, plain));
}

function archiveOf(name: string, sizeBytes: number, format: string, root: Uint8Array): Archive {
  return { name, kind: "image", sizeBytes, root: bytesToHex(root) as BlobIdHex, format, lost: [] };
}

/** Before the first byte is read: a map that cannot be written would be noticed at its end only. */
function checkSize(repository: Repository, name: string, sizeBytes: number): void {
  const most = largestImageBytes(repository.config.chunker);
  if (sizeBytes <= most) return;
  const text = `${name}: ${sizeBytes} bytes; disks of at most ${most} bytes are supported with this repository's chunks`;
  throw new RepriseError("unsupported", "IMAGE_TOO_LARGE", text, {
    data: { sizeBytes, largestBytes: most },
    hint: "make a repository with a larger --average-chunk (64 TiB at most), or back up the file systems one by one",
  });
}
