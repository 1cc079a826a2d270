// Assembles packs in a buffer that is used again and again: docs/format/pack.md. One builder a worker.

import { randomBytes } from "node:crypto";
import { ENCODE_ROOM_BYTES, encodeBlob } from "../codec/codec.js";
import { BLOB_TAG_BYTES, BlobCipher } from "../crypto/blobCipher.js";
import type { Keyring } from "../crypto/keyring.js";
import { RepriseError } from "../errors.js";
import { SALT_BYTES } from "../format/envelope.js";
import { type PackName, packName, type Sid } from "../format/ids.js";
import { MAX_BLOB_PLAIN, MAX_BLOB_STORED } from "../format/limits.js";
import {
  BLOB_ENTRY_BYTES,
  BLOB_HEADER_BYTES,
  type BlobCodec,
  type BlobEntry,
  type BlobKind,
  decodePackFooter,
  encodeBlobEntries,
  encodePackFooter,
  encodePackHeader,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TAIL_BYTES,
  writeBlobHeader,
} from "../format/pack.js";
import { checksum64 } from "../hash/checksum.js";

export interface PackBuilderOptions {
  sid: Sid;
  /** Size at which a pack is closed. */
  packBytes: number;
  keyring: Keyring | null;
  /** Numbers used: first, first + step, first + 2·step … so that several builders share a session. */
  firstNumber: number;
  numberStep: number;
}

export interface FinishedPack {
  name: PackName;
  /** The pack: a view at the start of `buffer`. */
  bytes: Uint8Array;
  blobCount: number;
  /** Encoded entries, a copy: they go into the pack index. */
  entries: Uint8Array;
  /** Give it back with `reuse` once the pack is stored. */
  buffer: ArrayBuffer;
}

export interface CodecChoice {
  codec: BlobCodec;
  /** zstd level, 1–19. */
  level: number;
}

interface OpenPack {
  name: PackName;
  buffer: ArrayBuffer;
  bytes: Uint8Array;
  used: number;
  cipher: BlobCipher | null;
  entries: BlobEntry[];
}

export class PackBuilder {
  readonly #options: PackBuilderOptions;
  readonly #capacity: number;
  readonly #spare: ArrayBuffer[] = [];
  /** What is encoded here is encrypted or copied into the pack at once. */
  readonly #room = new Uint8Array(ENCODE_ROOM_BYTES);
  #next: number;
  #open: OpenPack | null = null;

  constructor(options: PackBuilderOptions) {
    this.#options = options;
    this.#next = options.firstNumber;
    this.#capacity = options.packBytes + MAX_BLOB_STORED + BLOB_HEADER_BYTES + BLOB_ENTRY_BYTES + PACK_TAIL_BYTES;
  }

  /** Encodes and appends one blob. Returns its stored size with header; see `isFull` for when to finish. */
  add(kind: BlobKind, id: Uint8Array, plain: Uint8Array, choice: CodecChoice): number {
    if (plain.length > MAX_BLOB_PLAIN) throw tooLarge(kind, plain.length);
    const encoded = encodeBlob(plain, { ...choice, room: this.#room });
    this.#open ??= this.#begin();
    const pack = this.#open;
    const offset = pack.used;
    const storedLength = encoded.bytes.length + (pack.cipher ? BLOB_TAG_BYTES : 0);
    const ordinal = pack.entries.length;
    const head = { kind, codec: encoded.codec, ordinal, plainLength: plain.length, storedLength, id };
    const payloadAt = offset + BLOB_HEADER_BYTES;
    if (pack.cipher) pack.cipher.encryptInto(pack.bytes, payloadAt, encoded.bytes, head);
    else pack.bytes.set(encoded.bytes, payloadAt);
    const checksum = checksum64(pack.bytes.subarray(payloadAt, payloadAt + storedLength));
    writeBlobHeader(pack.bytes, offset, { ...head, checksum }, checksum64);
    pack.used = payloadAt + storedLength;
    const { codec } = encoded;
    pack.entries.push({ id: id.slice(), offset, storedLength, plainLength: plain.length, kind, codec });
    return BLOB_HEADER_BYTES + storedLength;
  }

  /** True when the open pack has reached its size: call finish before the next add. */
  get isFull(): boolean {
    if (this.#open === null) return false;
    const { used, entries } = this.#open;
    return used + entries.length * BLOB_ENTRY_BYTES + PACK_TAIL_BYTES >= this.#options.packBytes;
  }

  /** Closes the open pack; null when there is none. */
  finish(): FinishedPack | null {
    const pack = this.#open;
    if (pack === null) return null;
    this.#open = null;
    const entries = encodeBlobEntries(pack.entries);
    const footer = encodePackFooter(
      { count: pack.entries.length, entriesOffset: pack.used, entriesChecksum: checksum64(entries) },
      checksum64,
    );
    pack.bytes.set(entries, pack.used);
    pack.bytes.set(pack.bytes.subarray(0, PACK_HEADER_BYTES), pack.used + entries.length);
    pack.bytes.set(footer, pack.used + entries.length + PACK_HEADER_BYTES);
    const sizeBytes = pack.used + entries.length + PACK_TAIL_BYTES;
    const bytes = pack.bytes.subarray(0, sizeBytes);
    checkTrailer(bytes, pack.name);
    return { name: pack.name, bytes, blobCount: pack.entries.length, entries, buffer: pack.buffer };
  }

  /** Takes back a buffer whose pack has been stored. */
  reuse(buffer: ArrayBuffer): void {
    if (buffer.byteLength >= this.#capacity) this.#spare.push(buffer);
  }

  #begin(): OpenPack {
    const { sid, keyring, numberStep } = this.#options;
    const name = packName(sid, this.#next);
    this.#next += numberStep;
    const salt = keyring ? new Uint8Array(randomBytes(SALT_BYTES)) : new Uint8Array(SALT_BYTES);
    const buffer = this.#spare.pop() ?? new ArrayBuffer(this.#capacity);
    const bytes = new Uint8Array(buffer);
    bytes.set(encodePackHeader({ name, encrypted: keyring !== null, salt }, checksum64), 0);
    const cipher = keyring ? new BlobCipher(keyring, salt) : null;
    return { name, buffer, bytes, used: PACK_HEADER_BYTES, cipher, entries: [] };
  }
}

/** Such a blob could be written, but nobody would read it. */
function tooLarge(kind: BlobKind, bytes: number): RepriseError {
  return new RepriseError("unsupported", "BLOB_TOO_LARGE", `a ${kind} of ${bytes} bytes is above the limit of 4 MiB`, {
    data: { kind, bytes },
    hint: "a disk this large needs larger chunks: make a repository with a larger --average-chunk for it",
  });
}

/** Reads the trailer back before the pack is stored. */
function checkTrailer(pack: Uint8Array, name: PackName): void {
  const footer = decodePackFooter(pack.subarray(-PACK_FOOTER_BYTES), pack.length, name, checksum64);
  const entries = pack.subarray(footer.entriesOffset, pack.length - PACK_TAIL_BYTES);
  if (checksum64(entries) !== footer.entriesChecksum) {
    throw new RepriseError("invariant", "PACK_TRAILER", `pack ${name}: trailer does not read back`, {
      data: { pack: name },
    });
  }
}
