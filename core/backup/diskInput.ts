// One disk to back up, as a caller hands it in.

import type { BlockSource, SourceLocation } from "../source/blockSource.js";

export type DiskInput =
  | {
      kind: "image";
      /** Name inside the snapshot. */
      name: string;
      /** For people: raw, qcow2 … */
      format: string;
      source: BlockSource;
      location: SourceLocation;
    }
  | {
      kind: "stream";
      name: string;
      /** Read once, to its end; at most 2^46 bytes. */
      stream: AsyncIterable<Uint8Array>;
    };
