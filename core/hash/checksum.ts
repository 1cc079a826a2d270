// xxHash64, seed 0: finds damage cheaply; never identity (that is digest.ts). The only importer of xxhash-wasm.
// Its WebAssembly starts asynchronously and the bundles are CommonJS, so there is no top-level await: whoever starts
// the program or a worker awaits loadChecksum() once, everything else calls synchronously.

import xxhash, { type XXHashAPI } from "xxhash-wasm";
import { RepriseError } from "../errors.js";

/** The checksum of some bytes. Reads them once, keeps nothing. */
export type Checksum = (bytes: Uint8Array) => bigint;

let loading: Promise<Checksum> | undefined;
let loaded: XXHashAPI | undefined;

/** Makes checksum64 usable in this thread; call it as often as you like. Resolves to checksum64. */
export function loadChecksum(): Promise<Checksum> {
  loading ??= xxhash().then((api) => {
    loaded = api;
    return checksum64;
  });
  return loading;
}

/** Throws `CHECKSUM_NOT_LOADED` (invariant) before loadChecksum() has resolved in this thread. */
export function checksum64(bytes: Uint8Array): bigint {
  return ready().h64Raw(bytes);
}

function ready(): XXHashAPI {
  if (loaded !== undefined) return loaded;
  throw new RepriseError("invariant", "CHECKSUM_NOT_LOADED", "a checksum was asked for before loadChecksum() resolved");
}
