// Reading packs: the table of contents, one blob, and a pack whose trailer is destroyed. docs/format/pack.md.

import { decodeBlob } from "../codec/codec.js";
import { BlobCipher } from "../crypto/blobCipher.js";
import type { Keyring } from "../crypto/keyring.js";
import { isOurError, RepriseError } from "../errors.js";
import { equalBytes, formatError } from "../format/bytes.js";
import { bytesToHex, objectName, type PackName } from "../format/ids.js";
import { MAX_BLOB_PLAIN, MAX_BLOBS_PER_PACK } from "../format/limits.js";
import {
  BLOB_ENTRY_BYTES,
  BLOB_HEADER_BYTES,
  type BlobEntry,
  type BlobHeader,
  decodeBlobEntries,
  decodeBlobHeader,
  decodePackFooter,
  decodePackHeader,
  encodeBlobEntries,
  isBlobMagicAt,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TAIL_BYTES,
  type PackFooter,
  type PackHeader,
} from "../format/pack.js";
import type { PackContents } from "../format/packIndex.js";
import { checksum64 } from "../hash/checksum.js";
import type { ObjectReader, OperationOptions } from "../storage/backend.js";

/** One request usually brings footer and entries of a pack: 64 KiB hold 1,300 entries. */
const TRAILER_GUESS = 64 * 1024;

export type Hasher = (plain: Uint8Array) => Uint8Array;

/** The table of contents from the pack's own trailer; PACK_TRAILER_DAMAGED when it cannot be read. */
export async function readPackContents(
  backend: ObjectReader,
  name: PackName,
  sizeBytes: number,
  options?: OperationOptions,
): Promise<PackContents> {
  const key = objectName.pack(name);
  try {
    const tailBytes = Math.min(TRAILER_GUESS, sizeBytes);
    const tail = await backend.get(key, { ...options, range: { offset: -tailBytes, length: tailBytes } });
    const footer = decodePackFooter(tail.subarray(-PACK_FOOTER_BYTES), sizeBytes, key, checksum64);
    const wanted = footer.count * BLOB_ENTRY_BYTES;
    const entries =
      wanted + PACK_TAIL_BYTES <= tail.length
        ? tail.slice(tail.length - PACK_TAIL_BYTES - wanted, tail.length - PACK_TAIL_BYTES)
        : await backend.get(key, { ...options, range: { offset: footer.entriesOffset, length: wanted } });
    if (checksum64(entries) !== footer.entriesChecksum)
      throw trailerDamaged(name, "entries do not match their checksum");
    checkEntries(entries, footer, key);
    refuseOtherPack(tail.subarray(-PACK_TAIL_BYTES), name);
    return { name, sizeBytes, blobCount: footer.count, entries };
  } catch (cause) {
    if (isOurError(cause) && cause.family === "format") throw trailerDamaged(name, cause.message, cause);
    throw cause;
  }
}

/** Every blob must lie between the header and the entries. */
function checkEntries(entries: Uint8Array, footer: PackFooter, key: string): void {
  for (const { offset, storedLength } of decodeBlobEntries(entries, footer.count, key)) {
    if (offset >= PACK_HEADER_BYTES && offset + BLOB_HEADER_BYTES + storedLength <= footer.entriesOffset) continue;
    throw formatError(key, "a blob lies outside the pack", { offset });
  }
}

/** OBJECT_SWAPPED when the header names another pack; one that does not check says nothing. */
function refuseOtherPack(bytes: Uint8Array, name: PackName): void {
  try {
    readPackHeader(bytes, name);
  } catch (error) {
    if (isOurError(error, "OBJECT_SWAPPED")) throw error;
  }
}

/**
 * Table of contents of a pack in memory, by scanning blob headers: for packs whose trailer is destroyed. Blobs whose
 * header is damaged are missing from the result. `sizeBytes` in the answer is the given length.
 */
export function scanPack(name: PackName, pack: Uint8Array): PackContents & { skippedBytes: number } {
  const entries: BlobEntry[] = [];
  let skippedBytes = 0;
  let offset = PACK_HEADER_BYTES;
  while (offset + BLOB_HEADER_BYTES <= pack.length && entries.length < MAX_BLOBS_PER_PACK) {
    const header = blobHeaderAt(pack, offset, name, { refuseUnknown: false });
    const end = header ? offset + BLOB_HEADER_BYTES + header.storedLength : 0;
    if (header && end <= pack.length) {
      const { storedLength, plainLength, kind, codec } = header;
      entries.push({ id: header.id.slice(), offset, storedLength, plainLength, kind, codec });
      offset = end;
    } else {
      offset++;
      skippedBytes++;
    }
  }
  return { name, sizeBytes: pack.length, blobCount: entries.length, entries: encodeBlobEntries(entries), skippedBytes };
}

/** The header of the pack, which must carry the pack's own name. */
export function readPackHeader(bytes: Uint8Array, name: PackName): PackHeader {
  const header = decodePackHeader(bytes, objectName.pack(name), checksum64);
  if (header.name !== name) {
    throw new RepriseError("corrupt", "OBJECT_SWAPPED", `pack ${name}: the contents are those of pack ${header.name}`, {
      data: { object: objectName.pack(name), actual: header.name },
      hint: "somebody copied or renamed objects in the repository; repair index gives packs their names back",
    });
  }
  return header;
}

/** Fetches the header, or its second copy when the first is damaged. */
export async function fetchPackHeader(
  backend: ObjectReader,
  name: PackName,
  options?: OperationOptions,
): Promise<PackHeader> {
  const key = objectName.pack(name);
  const first = await backend.get(key, { ...options, range: { offset: 0, length: PACK_HEADER_BYTES } });
  try {
    return readPackHeader(first, name);
  } catch (error) {
    // One changed byte can look like another version, too.
    if (!isOurError(error) || (error.family !== "format" && error.family !== "unsupported")) throw error;
    const tail = await backend.get(key, { ...options, range: { offset: -PACK_TAIL_BYTES, length: PACK_TAIL_BYTES } });
    return readPackHeader(tail.subarray(0, PACK_HEADER_BYTES), name);
  }
}

/** Opens blobs of packs; keeps the ciphers of the packs it has met. Not shared between threads. */
export class BlobOpener {
  readonly #keyring: Keyring | null;
  readonly #hash: Hasher;
  readonly #ciphers = new Map<PackName, BlobCipher | null>();

  constructor(keyring: Keyring | null, hash: Hasher) {
    this.#keyring = keyring;
    this.#hash = hash;
  }

  /** True when `open` can be called for this pack. */
  knows(pack: PackName): boolean {
    const cipher = this.#ciphers.get(pack);
    if (cipher === undefined) return false;
    // Moves to the young end: whoever asks is about to open a blob of this pack.
    this.#ciphers.delete(pack);
    this.#ciphers.set(pack, cipher);
    return true;
  }

  /** Makes the pack's blobs openable. */
  introduce(pack: PackName, header: PackHeader): void {
    if (header.encrypted !== (this.#keyring !== null)) {
      throw forged(pack, "", header.encrypted ? "pack is encrypted, the repository is not" : "pack is not encrypted");
    }
    const [oldest] = this.#ciphers.keys();
    if (this.#ciphers.size >= MAX_CIPHERS && oldest !== undefined) this.#ciphers.delete(oldest);
    this.#ciphers.set(pack, this.#keyring ? new BlobCipher(this.#keyring, header.salt) : null);
  }

  /**
   * The plain bytes of the blob whose header starts at `at` in `bytes`. Errors: BLOB_DAMAGED (bytes changed after they
   * were written), BLOB_SWAPPED (another blob than `expectedId`), BLOB_FORGED (undamaged, but not what its id says).
   * With `into` (4 MiB) the bytes are valid until it is used again.
   */
  open(
    pack: PackName,
    bytes: Uint8Array,
    at: number,
    expectedId?: Uint8Array,
    into?: Uint8Array,
  ): { header: BlobHeader; plain: Uint8Array } {
    const header = blobHeaderAt(bytes, at, pack, { refuseUnknown: true });
    if (!header) throw damaged(pack, expectedId, "its header does not check", "header");
    const stored = bytes.subarray(at + BLOB_HEADER_BYTES, at + BLOB_HEADER_BYTES + header.storedLength);
    if (stored.length !== header.storedLength) throw damaged(pack, header.id, "it ends outside the pack");
    if (checksum64(stored) !== header.checksum) throw damaged(pack, header.id, "its checksum does not match");
    if (expectedId && !equalBytes(header.id, expectedId)) throw swapped(pack, expectedId, header.id);
    return { header, plain: this.#openStored(pack, stored, header, into) };
  }

  /**
   * The plain bytes of a blob by its line in the pack's table of contents, whose own header is destroyed. `ordinal`: its
   * position there. Nothing but its digest (and its tag, where it is encrypted) says that the bytes are right.
   */
  openEntry(pack: PackName, entry: BlobEntry, ordinal: number, stored: Uint8Array, into?: Uint8Array): Uint8Array {
    if (stored.length !== entry.storedLength) throw damaged(pack, entry.id, "it ends outside the pack");
    return this.#openStored(pack, stored, { ...entry, ordinal, checksum: 0n }, into);
  }

  #openStored(pack: PackName, stored: Uint8Array, header: BlobHeader, into: Uint8Array | undefined): Uint8Array {
    const cipher = this.#ciphers.get(pack);
    if (cipher === undefined) throw new RepriseError("invariant", "PACK_UNKNOWN", `pack ${pack} was not introduced`);
    const encoded = cipher ? cipher.decrypt(stored, header) : stored;
    const id = bytesToHex(header.id);
    if (encoded === null) throw forged(pack, id, "authentication failed although it is undamaged");
    const plain = decode(pack, id, encoded, header, into);
    if (!equalBytes(this.#hash(plain), header.id)) throw forged(pack, id, "its contents do not have this digest");
    return plain;
  }
}

const MAX_CIPHERS = 4096;

function decode(pack: PackName, id: string, encoded: Uint8Array, header: BlobHeader, into?: Uint8Array): Uint8Array {
  try {
    return decodeBlob(encoded, header.codec, header.plainLength, MAX_BLOB_PLAIN, into);
  } catch (cause) {
    throw forged(pack, id, "it does not decompress", cause);
  }
}

/** Null when there is none, or a damaged one. `refuseUnknown`: UNSUPPORTED_VERSION for one of a later release. */
function blobHeaderAt(
  bytes: Uint8Array,
  at: number,
  pack: PackName,
  { refuseUnknown }: { refuseUnknown: boolean },
): BlobHeader | null {
  if (!isBlobMagicAt(bytes, at)) return null;
  try {
    return decodeBlobHeader(bytes.subarray(at, at + BLOB_HEADER_BYTES), `pack ${pack}`, checksum64);
  } catch (error) {
    if (refuseUnknown && isOurError(error, "UNSUPPORTED_VERSION")) throw error;
    return null;
  }
}

function trailerDamaged(name: PackName, problem: string, cause?: unknown): RepriseError {
  return new RepriseError("corrupt", "PACK_TRAILER_DAMAGED", `pack ${name}: ${problem}`, {
    data: { object: objectName.pack(name), pack: name },
    hint: "run repair index: it scans the pack blob by blob",
    cause,
  });
}

/** True when a blob could not be opened because of its header; its contents may be whole. See blobSalvage.ts. */
export function isHeaderDamage(error: unknown): boolean {
  return isOurError(error, "BLOB_DAMAGED") && error.data.part === "header";
}

function damaged(
  pack: PackName,
  id: Uint8Array | undefined,
  problem: string,
  part: "header" | "contents" = "contents",
): RepriseError {
  const hex = id ? bytesToHex(id) : "unknown";
  return new RepriseError("corrupt", "BLOB_DAMAGED", `chunk ${hex} in pack ${pack}: damaged, ${problem}`, {
    data: { object: objectName.pack(pack), pack, id: hex, part },
    hint: "run verify --read-data, then back up the same disk again: that stores the chunk anew",
  });
}

function swapped(pack: PackName, expected: Uint8Array, actual: Uint8Array): RepriseError {
  return new RepriseError(
    "corrupt",
    "BLOB_SWAPPED",
    `chunk ${bytesToHex(expected)} in pack ${pack}: another chunk stands there`,
    {
      data: { object: objectName.pack(pack), pack, expected: bytesToHex(expected), actual: bytesToHex(actual) },
      hint: "the pack index is wrong; run repair index",
    },
  );
}

function forged(pack: PackName, id: string, problem: string, cause?: unknown): RepriseError {
  return new RepriseError("corrupt", "BLOB_FORGED", `chunk ${id} in pack ${pack}: ${problem}`, {
    data: { object: objectName.pack(pack), pack, id },
    hint: "it was written with another key or by somebody who wants to deceive; treat the repository as tampered with",
    cause,
  });
}
