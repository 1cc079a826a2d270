// How tables of contents are spread over index objects, each of which has to stay below the limit of an envelope.

import type { PackContents } from "../format/packIndex.js";

/** Packs described by one index object; about 2 GiB of data at the default pack size. */
export const PACKS_PER_INDEX = 64;
/** About 12 MiB; one pack more can bring it to 60 MiB at most. Packs of data that compresses well hold very many blobs. */
export const BLOBS_PER_INDEX = 250_000;

/** Parts that fit an index object each, in the order given. */
export function splitForIndex(contents: readonly PackContents[], packsPerPart = PACKS_PER_INDEX): PackContents[][] {
  const parts: PackContents[][] = [];
  let blobs = 0;
  for (const pack of contents) {
    const part = parts.at(-1);
    const fits = part !== undefined && part.length < packsPerPart && blobs + pack.blobCount <= BLOBS_PER_INDEX;
    blobs = fits ? blobs + pack.blobCount : pack.blobCount;
    if (fits) part.push(pack);
    else parts.push([pack]);
  }
  return parts;
}
