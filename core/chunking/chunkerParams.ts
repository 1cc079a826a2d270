// How a repository cuts its disks: the numbers of docs/format/chunking.md and their limits. Pure.

import { RepriseError } from "../errors.js";

export interface ChunkerParams {
  /** No chunk is shorter, except the last one of a span. 4 KiB – 1 MiB. */
  minBytes: number;
  /** Aimed at; a power of two, 16 KiB – 4 MiB, at least twice minBytes. */
  averageBytes: number;
  /** No chunk is longer. At most 4 MiB, at least twice averageBytes. */
  maxBytes: number;
  /** Segments are cut independently of each other. A power of two, 64 KiB – 16 MiB. */
  segmentBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_CHUNKER: Readonly<ChunkerParams> = Object.freeze({
  minBytes: 64 * KIB,
  averageBytes: 128 * KIB,
  maxBytes: 4 * MIB,
  segmentBytes: 16 * MIB,
});

/** Throws `CHUNKER_INVALID` (usage), naming the first member that breaks a limit. */
export function checkChunkerParams(params: ChunkerParams): void {
  const { minBytes, averageBytes, maxBytes, segmentBytes } = params;
  for (const member of ["minBytes", "averageBytes", "maxBytes", "segmentBytes"] as const) {
    if (!Number.isSafeInteger(params[member])) throw invalid(member, params, "is not an integer");
  }
  if (minBytes < 4 * KIB || minBytes > MIB) throw invalid("minBytes", params, "is not within 4 KiB – 1 MiB");
  if (!isPowerOfTwo(averageBytes) || averageBytes < 16 * KIB || averageBytes > 4 * MIB)
    throw invalid("averageBytes", params, "is not a power of two within 16 KiB – 4 MiB");
  if (averageBytes < 2 * minBytes) throw invalid("averageBytes", params, "is less than twice minBytes");
  if (maxBytes > 4 * MIB) throw invalid("maxBytes", params, "is more than 4 MiB");
  if (maxBytes < 2 * averageBytes) throw invalid("maxBytes", params, "is less than twice averageBytes");
  if (!isPowerOfTwo(segmentBytes) || segmentBytes < 64 * KIB || segmentBytes > 16 * MIB)
    throw invalid("segmentBytes", params, "is not a power of two within 64 KiB – 16 MiB");
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && 2 ** Math.round(Math.log2(value)) === value;
}

function invalid(member: keyof ChunkerParams, params: ChunkerParams, reason: string): RepriseError {
  return new RepriseError("usage", "CHUNKER_INVALID", `chunker: ${member} ${params[member]} ${reason}`, {
    data: { member, value: params[member] },
    hint: "see the limits in docs/format/chunking.md",
  });
}
