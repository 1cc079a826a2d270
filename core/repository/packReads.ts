// Turns a list of wanted blobs into few ranged reads: blobs that lie together in a pack are read together, each once.

import { bytesToHex, type PackName } from "../format/ids.js";
import { BLOB_HEADER_BYTES } from "../format/pack.js";
import type { Backend } from "../storage/backend.js";
import type { ChunkIndex } from "./chunkIndex.js";
import type { ImageEntry } from "./imageReader.js";

export interface WantedBlob {
  id: Uint8Array;
  /** Of the blob header, from the start of the pack. */
  offset: number;
  storedLength: number;
  plainLength: number;
  /** Where on the disk its bytes go; more than one when the disk repeats itself. */
  targets: number[];
}

export interface PackRead {
  pack: PackName;
  offset: number;
  length: number;
  blobs: WantedBlob[];
}

export interface ReadPlan {
  reads: PackRead[];
  zeros: { offset: number; length: number }[];
  /** Chunks that no pack holds. */
  missing: { id: Uint8Array; plainLength: number; targets: number[] }[];
}

export interface ReadLimits {
  /** One request brings at most this much; larger ones only cost memory. */
  readBytes: number;
  /** Unwanted bytes between two blobs that are cheaper to read than to ask twice. */
  gapBytes: number;
}

const NEAR: ReadLimits = { readBytes: 4 * 1024 * 1024, gapBytes: 64 * 1024 };
/** Behind a network a request costs as much as some hundred kilobytes. */
const FAR: ReadLimits = { readBytes: 8 * 1024 * 1024, gapBytes: 512 * 1024 };

export function readLimitsOf({ parallelReads }: Pick<Backend, "parallelReads">): ReadLimits {
  return parallelReads === undefined ? NEAR : FAR;
}

export function planReads(entries: readonly ImageEntry[], index: ChunkIndex, limits: ReadLimits = NEAR): ReadPlan {
  const plan: ReadPlan = { reads: [], zeros: [], missing: [] };
  const byPack = new Map<PackName, WantedBlob[]>();
  const seen = new Map<string, { targets: number[] }>();
  for (const { offset, length, id } of entries) {
    if (id === null) {
      plan.zeros.push({ offset, length });
      continue;
    }
    const hex = bytesToHex(id);
    const known = seen.get(hex);
    if (known) {
      known.targets.push(offset);
      continue;
    }
    const targets = [offset];
    seen.set(hex, { targets });
    const location = index.find(id);
    if (location === undefined) {
      plan.missing.push({ id: id.slice(), plainLength: length, targets });
      continue;
    }
    const blobs = byPack.get(location.pack) ?? [];
    byPack.set(location.pack, blobs);
    const { offset: at, storedLength } = location;
    blobs.push({ id: id.slice(), offset: at, storedLength, plainLength: length, targets });
  }
  for (const [pack, blobs] of byPack) plan.reads.push(...joinReads(pack, blobs, limits));
  return plan;
}

function joinReads(pack: PackName, blobs: WantedBlob[], limits: ReadLimits): PackRead[] {
  blobs.sort((a, b) => a.offset - b.offset);
  const reads: PackRead[] = [];
  let current: PackRead | undefined;
  for (const blob of blobs) {
    const end = blob.offset + BLOB_HEADER_BYTES + blob.storedLength;
    const fits =
      current !== undefined &&
      blob.offset - (current.offset + current.length) <= limits.gapBytes &&
      end - current.offset <= limits.readBytes;
    if (current === undefined || !fits) {
      current = { pack, offset: blob.offset, length: end - blob.offset, blobs: [blob] };
      reads.push(current);
    } else {
      current.blobs.push(blob);
      current.length = Math.max(current.length, end - current.offset);
    }
  }
  return reads;
}
