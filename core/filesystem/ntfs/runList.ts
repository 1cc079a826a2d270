// Where the clusters of a non-resident attribute are: runs of neighbours, some of them holes. Stored as pairs of a length and
// a signed distance from the run before, 1 to 8 bytes each.

import { damaged, unsupported } from "../filesystemErrors.js";

export const HOLE = -1;

export interface Run {
  /** Place in the attribute, in clusters. */
  vcn: number;
  /** Place on the volume, or HOLE. */
  lcn: number;
  length: number;
}

/** 96 MiB of memory. */
const MAX_RUNS = 4 * 1024 * 1024;

function signedNumber(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  const isNegative = width > 0 && (bytes[at + width - 1] as number) >= 0x80;
  return isNegative ? value - 2 ** (8 * width) : value;
}

/** Runs in ascending order without gaps from cluster 0 on; grows at its end. */
export class RunList {
  readonly #vcns: number[] = [];
  readonly #lcns: number[] = [];
  readonly #clusterCount: number;
  readonly #where: string;
  #end = 0;

  /** `clusterCount`: of the volume. */
  constructor(clusterCount: number, where: string) {
    this.#clusterCount = clusterCount;
    this.#where = where;
  }

  /** The first cluster without a run. */
  get end(): number {
    return this.#end;
  }

  get runCount(): number {
    return this.#vcns.length;
  }

  at(index: number): Run {
    const vcn = this.#vcns[index] as number;
    return { vcn, lcn: this.#lcns[index] as number, length: (this.#vcns[index + 1] ?? this.#end) - vcn };
  }

  /** The number of the run that holds a cluster, which must be before the end. */
  indexOf(vcn: number): number {
    let low = 0;
    let high = this.#vcns.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#vcns[middle] as number) <= vcn) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Adds an encoded list that begins at `lowestVcn` and must end with `highestVcn`. Throws FILESYSTEM_DAMAGED. */
  append(encoded: Uint8Array, lowestVcn: number, highestVcn: number): void {
    if (lowestVcn !== this.#end) this.#refuse(`begins at cluster ${lowestVcn}, not ${this.#end}`);
    let lcn = 0;
    for (let at = 0; ; ) {
      const header = encoded[at++] ?? 0;
      if (header === 0) break;
      const lengthBytes = header & 0x0f;
      const distanceBytes = header >> 4;
      if (lengthBytes < 1 || lengthBytes > 8 || distanceBytes > 8) this.#refuse("has a malformed run");
      if (at + lengthBytes + distanceBytes > encoded.length) this.#refuse("is cut off");
      const length = signedNumber(encoded, at, lengthBytes);
      lcn += signedNumber(encoded, at + lengthBytes, distanceBytes);
      this.#push(length, distanceBytes === 0 ? HOLE : lcn);
      at += lengthBytes + distanceBytes;
    }
    if (this.#end !== highestVcn + 1) this.#refuse(`ends at cluster ${this.#end - 1}, not ${highestVcn}`);
  }

  #push(length: number, lcn: number): void {
    if (length < 1 || !Number.isSafeInteger(this.#end + length)) this.#refuse(`has a run of ${length} clusters`);
    if (lcn !== HOLE && (lcn < 0 || lcn + length > this.#clusterCount)) this.#refuse("leads outside the volume");
    if (this.#vcns.length >= MAX_RUNS) throw unsupported("ntfs", `a file in more than ${MAX_RUNS} pieces`);
    this.#vcns.push(this.#end);
    this.#lcns.push(lcn);
    this.#end += length;
  }

  #refuse(problem: string): never {
    throw damaged("ntfs", this.#where, `the run list ${problem}`);
  }
}
