// The bytes of one attribute: inside its file record, in runs of clusters, or in compression units.

import type { BlockReader } from "../blockReader.js";
import type { DataRange } from "../fileSystem.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import type { NtfsGeometry } from "./bootSector.js";
import { CompressedRuns } from "./compressedRuns.js";
import { ATTRIBUTE_FLAG, type AttributePart, type NonResidentHeader } from "./fileRecord.js";
import { RunList } from "./runList.js";
import { type NtfsStream, RunStream } from "./runStream.js";

class ResidentStream implements NtfsStream {
  readonly sizeBytes: number;
  readonly allocatedBytes = 0;
  readonly runCount = 0;
  readonly #value: Uint8Array;

  constructor(value: Uint8Array) {
    this.#value = value;
    this.sizeBytes = value.length;
  }

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    buffer.set(this.#value.subarray(offset, offset + buffer.length));
  }

  *dataRanges(): Iterable<DataRange> {
    if (this.sizeBytes > 0) yield { offset: 0, length: this.sizeBytes };
  }
}

/** Joins the parts of one attribute, which come in order. Throws FILESYSTEM_DAMAGED, FILESYSTEM_UNSUPPORTED. */
export function openStream(
  reader: BlockReader,
  geometry: NtfsGeometry,
  parts: readonly AttributePart[],
  where: string,
): NtfsStream {
  const [first] = parts;
  if (first === undefined) throw damaged("ntfs", where, "is missing");
  if (first.flags & ATTRIBUTE_FLAG.encrypted) throw unsupported("ntfs", "an encrypted file", { where });
  if (first.value !== null && parts.length === 1) return new ResidentStream(first.value);
  const runs = new RunList(geometry.clusterCount, where);
  for (const { nonResident, lowestVcn } of parts) {
    if (nonResident === null) throw damaged("ntfs", where, "is inside and outside of its record at once");
    runs.append(nonResident.runs, lowestVcn, nonResident.highestVcn);
  }
  const header = first.nonResident as NonResidentHeader;
  const { clusterBytes } = geometry;
  if (header.sizeBytes > runs.end * clusterBytes) throw damaged("ntfs", where, "is longer than its clusters");
  const method = first.flags & ATTRIBUTE_FLAG.compressionMask;
  if (method === 0) return new RunStream(reader, clusterBytes, header, runs, where);
  if (method !== ATTRIBUTE_FLAG.lznt1) throw unsupported("ntfs", `compression method ${method}`, { where });
  return new CompressedRuns(reader, clusterBytes, header, runs, where);
}
