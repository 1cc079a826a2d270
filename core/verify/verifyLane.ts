// The part of a verification that runs in worker threads: read a whole pack and check every byte of it.

import { Keyring } from "../crypto/keyring.js";
import { isAbort, isOurError, type RepriseError } from "../errors.js";
import { bytesToHex, objectName, type PackName } from "../format/ids.js";
import { MAX_BLOB_PLAIN } from "../format/limits.js";
import {
  BLOB_ENTRY_BYTES,
  BLOB_HEADER_BYTES,
  BLOB_ID_BYTES,
  decodePackFooter,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TAIL_BYTES,
} from "../format/pack.js";
import { checksum64, loadChecksum } from "../hash/checksum.js";
import { makeChunkHasher } from "../hash/digest.js";
import { BlobOpener, readPackHeader, scanPack } from "../repository/packReader.js";
import type { Backend, ObjectReader } from "../storage/backend.js";
import { type LaneStorage, openLaneStorage } from "../storage/laneStorage.js";

export interface VerifyLaneInit {
  storage: LaneStorage | Backend;
  masterKey: Uint8Array | null;
}

export interface PackProblem {
  pack: PackName;
  /** Hex id of the damaged blob; null: header, table of contents or the pack as a whole. */
  id: string | null;
  code: string;
  message: string;
}

export interface PackVerdict {
  pack: PackName;
  bytes: number;
  blobs: number;
  problems: PackProblem[];
  /**
   * Null: the table of contents is whole, so `problems` names every damaged blob. Else the ids (32 bytes each) of all that
   * could still be found: whatever else an index says of this pack is lost.
   */
  foundIds: Uint8Array | null;
}

export interface VerifyLaneApi {
  verifyPack(pack: { name: PackName; sizeBytes: number }): Promise<PackVerdict>;
}

export async function createVerifyLane(init: VerifyLaneInit): Promise<VerifyLaneApi> {
  await loadChecksum();
  const backend = await openLaneStorage(init.storage);
  return new VerifyLane(backend, init.masterKey ? new Keyring(init.masterKey) : null);
}

class VerifyLane implements VerifyLaneApi {
  readonly #backend: ObjectReader;
  readonly #keyring: Keyring | null;
  /** Packs are read into the same memory again and again; as many as are read at once. */
  readonly #buffers: Uint8Array[] = [];

  constructor(backend: ObjectReader, keyring: Keyring | null) {
    this.#backend = backend;
    this.#keyring = keyring;
  }

  async verifyPack({ name, sizeBytes }: { name: PackName; sizeBytes: number }): Promise<PackVerdict> {
    const verdict: PackVerdict = { pack: name, bytes: sizeBytes, blobs: 0, problems: [], foundIds: new Uint8Array(0) };
    const note = (code: string, message: string, id: string | null = null) => {
      verdict.problems.push({ pack: name, id, code, message });
    };
    const spare = this.#buffers.pop();
    const memory = spare !== undefined && spare.length >= sizeBytes ? spare : new Uint8Array(sizeBytes);
    try {
      const range = { offset: 0, length: sizeBytes };
      const bytes = await this.#backend.get(objectName.pack(name), { range, into: memory.subarray(0, sizeBytes) });
      checkPack(name, bytes, this.#keyring, verdict, note);
      this.#buffers.push(new Uint8Array(bytes.buffer));
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || !isAboutTheBytes(error)) throw error;
      note(error.code, error.message);
    }
    return verdict;
  }
}

/** A medium that cannot read a pack has damaged it. A storage that cannot be asked, or refuses, says nothing about it. */
function isAboutTheBytes({ family, code, retry }: RepriseError): boolean {
  if (family === "corrupt" || family === "format" || family === "unsupported") return true;
  if (code === "STORAGE_FAILED") return retry === "never";
  return code === "OBJECT_NOT_FOUND" || code === "OBJECT_RANGE" || code === "STORAGE_SYMLINK";
}

/** Checks every byte of a pack that is in memory. */
export function checkPackBytes(name: PackName, bytes: Uint8Array, keyring: Keyring | null): PackVerdict {
  const verdict: PackVerdict = {
    pack: name,
    bytes: bytes.length,
    blobs: 0,
    problems: [],
    foundIds: new Uint8Array(0),
  };
  checkPack(name, bytes, keyring, verdict, (code, message, id = null) => {
    verdict.problems.push({ pack: name, id, code, message });
  });
  return verdict;
}

type Note = (code: string, message: string, id?: string | null) => void;

function checkPack(name: PackName, bytes: Uint8Array, keyring: Keyring | null, verdict: PackVerdict, note: Note): void {
  const opener = new BlobOpener(keyring, makeChunkHasher(keyring?.chunkIdKey ?? null));
  if (!introduce(opener, name, bytes, note)) return;
  const { entries, scanned } = tableOfContents(name, bytes, note);
  const count = entries.length / BLOB_ENTRY_BYTES;
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const plain = new Uint8Array(MAX_BLOB_PLAIN);
  let expectedOffset = PACK_HEADER_BYTES;
  verdict.foundIds = scanned ? idsOf(entries) : null;
  for (let i = 0; i < count; i++) {
    const at = i * BLOB_ENTRY_BYTES;
    const id = entries.subarray(at, at + BLOB_ID_BYTES);
    const offset = view.getUint32(at + 32, true);
    verdict.blobs++;
    if (offset !== expectedOffset && !scanned)
      note("PACK_GAP", `pack ${name}: bytes ${expectedOffset} to ${offset} belong to no blob`);
    try {
      const { header } = opener.open(name, bytes, offset, id, plain);
      const same = header.ordinal === i && header.storedLength === view.getUint32(at + 36, true);
      if (!same && !scanned)
        note("BLOB_SWAPPED", `pack ${name}: blob ${i} differs from the table of contents`, bytesToHex(id));
    } catch (error) {
      if (!isOurError(error)) throw error;
      note(error.code, error.message, bytesToHex(id));
    }
    expectedOffset = offset + BLOB_HEADER_BYTES + view.getUint32(at + 36, true);
  }
}

/** Both copies of the header must be whole; one is enough to go on. */
function introduce(opener: BlobOpener, name: PackName, bytes: Uint8Array, note: Note): boolean {
  let introduced = false;
  for (const start of [0, Math.max(0, bytes.length - PACK_TAIL_BYTES)]) {
    try {
      opener.introduce(name, readPackHeader(bytes.subarray(start, start + PACK_HEADER_BYTES), name));
      introduced = true;
    } catch (error) {
      if (!isOurError(error)) throw error;
      note(error.code === "FORMAT_INVALID" ? "PACK_HEADER_DAMAGED" : error.code, error.message);
    }
  }
  return introduced;
}

function idsOf(entries: Uint8Array): Uint8Array {
  const ids = new Uint8Array((entries.length / BLOB_ENTRY_BYTES) * BLOB_ID_BYTES);
  for (let at = 0, to = 0; at < entries.length; at += BLOB_ENTRY_BYTES, to += BLOB_ID_BYTES) {
    ids.set(entries.subarray(at, at + BLOB_ID_BYTES), to);
  }
  return ids;
}

/** The entries; when they are damaged, what a scan of the blobs finds. */
function tableOfContents(name: PackName, bytes: Uint8Array, note: Note): { entries: Uint8Array; scanned: boolean } {
  try {
    const footer = decodePackFooter(bytes.subarray(-PACK_FOOTER_BYTES), bytes.length, `pack ${name}`, checksum64);
    const entries = bytes.subarray(footer.entriesOffset, bytes.length - PACK_TAIL_BYTES);
    if (checksum64(entries) === footer.entriesChecksum) return { entries, scanned: false };
    note("PACK_TRAILER_DAMAGED", `pack ${name}: the table of contents does not match its checksum`);
  } catch (error) {
    if (!isOurError(error)) throw error;
    note("PACK_TRAILER_DAMAGED", error.message);
  }
  return { entries: scanPack(name, bytes).entries, scanned: true };
}
