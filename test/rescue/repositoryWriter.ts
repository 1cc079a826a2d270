// A small writer of repositories, made from docs/format alone like the reader that it tests; only the checksum comes
// from the core. It stores whatever a test asks for, sound or not.

import { createCipheriv, createHash, createHmac, hkdfSync, scryptSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { checksum64, loadChecksum } from "../../core/hash/checksum.js";
import { noise } from "../support/sampleBytes.js";
import { packLz4 } from "./lz4Block.js";

await loadChecksum();

export type CodecName = "none" | "zstd" | "lz4";

export interface BlobInput {
  plain: Uint8Array;
  codec?: CodecName;
  /** 0 chunk, 1 page, 2 root, 3 file. */
  kind?: number;
  /** Stored like this instead, under the id and length of `plain`. */
  as?: { codec: number; stored: Uint8Array };
}

export interface StoredBlob {
  id: Buffer;
  /** Of the blob header, in the pack. */
  offset: number;
  storedLength: number;
  plainLength: number;
  kind: number;
  codec: number;
}

export interface StoredPack {
  sid: string;
  number: number;
  /** From the repository's folder. */
  name: string;
  sizeBytes: number;
  blobs: StoredBlob[];
}

const codecs = { none: 0, zstd: 1, lz4: 2 } as const;
const kinds = { config: 1, keys: 2, index: 4, snapshots: 5, forgotten: 9 } as const;

export type JsonObject = Record<string, unknown>;

export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

function fields(...values: [size: 1 | 2 | 4 | 8, value: number | bigint][]): Buffer {
  return Buffer.concat(
    values.map(([size, value]) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(value));
      return bytes.subarray(0, size);
    }),
  );
}

const checksumBytes = (bytes: Uint8Array) => fields([8, checksum64(bytes)]);
const lowChecksum = (bytes: Uint8Array) => fields([4, checksum64(bytes) & 0xffffffffn]);
const unhex = (text: string) => Buffer.from(text, "hex");

function hkdf(key: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, 32));
}

function seal(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(additional);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

export class RepositoryWriter {
  readonly folder: string;
  /** Null: not encrypted. */
  readonly master: Buffer | null;
  readonly repositoryId: string;
  readonly packs: StoredPack[] = [];
  #sessions = 0;
  #drawn = 0;

  constructor(folder: string, options: { encrypted: boolean }) {
    this.folder = folder;
    this.repositoryId = this.#random(16).toString("hex");
    this.master = options.encrypted ? this.#random(32) : null;
    mkdirSync(folder, { recursive: true });
    this.writeConfig();
  }

  /** The same in every run: a byte that a test changes must not have been the same by chance. */
  #random(count: number): Buffer {
    return Buffer.from(noise(++this.#drawn, count));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, bytes: Uint8Array): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), bytes);
  }

  /** Lets a test damage what is stored. */
  change(name: string, edit: (bytes: Buffer) => Buffer | undefined): void {
    const bytes = readFileSync(this.path(name));
    this.write(name, edit(bytes) ?? bytes);
  }

  #derive(use: string): Buffer {
    return hkdf(this.master!, Buffer.alloc(0), `reprise/${use}/1`);
  }

  get keyId(): Buffer {
    return this.master === null ? Buffer.alloc(8) : this.#derive("key-id").subarray(0, 8);
  }

  writeConfig(changes: JsonObject = {}, macKey?: Uint8Array): void {
    const config: JsonObject = {
      version: 1,
      repositoryId: this.repositoryId,
      createdAt: "2026-01-01T00:00:00Z",
      encryption: this.master === null ? "none" : "aes-256-gcm",
      keyId: this.master === null ? null : this.keyId.toString("hex"),
      chunker: {
        algorithm: "gear64-nc1",
        minBytes: 65536,
        averageBytes: 262144,
        maxBytes: 2 ** 22,
        segmentBytes: 2 ** 24,
      },
      packBytes: 2 ** 20,
      ...changes,
    };
    const key = macKey ?? (this.master === null ? undefined : this.#derive("config"));
    const mac = key === undefined ? null : createHmac("sha256", key).update(canonical(config)).digest("hex");
    this.writeObject("config", canonical({ ...config, mac }), { open: true });
  }

  addPassphrase(passphrase: string): void {
    const kdf = { name: "scrypt", n: 1024, r: 8, p: 1, salt: this.#random(32).toString("hex") };
    const key = scryptSync(Buffer.from(passphrase.normalize("NFKC")), unhex(kdf.salt), 32, {
      N: kdf.n,
      r: kdf.r,
      p: kdf.p,
    });
    this.addSlot("passphrase", kdf, key);
  }

  addRecoveryKey(recovery: Uint8Array): void {
    const kdf = { name: "hkdf-sha256", salt: this.#random(32).toString("hex") };
    this.addSlot("recovery", kdf, hkdf(recovery, unhex(kdf.salt), "reprise/recovery/1"));
  }

  addSlot(type: string, kdf: JsonObject, key: Uint8Array): void {
    const [slotId, nonce] = [this.#random(16).toString("hex"), this.#random(12)];
    const additional = ["reprise/key-slot/1", this.repositoryId, slotId, canonical(kdf)].join("\0");
    const wrapped = seal(key, nonce, Buffer.from(additional), this.master!).toString("hex");
    const keyId = this.keyId.toString("hex");
    const slot = { version: 1, slotId, repositoryId: this.repositoryId, keyId, type, label: "", kdf, wrapped };
    const createdAt = "2026-01-01T00:00:00Z";
    this.writeObject(`keys/${slotId}`, canonical({ ...slot, createdAt, nonce: nonce.toString("hex") }), { open: true });
  }

  /** An envelope under a name; the kind follows from the folder. `sealedAs`: encrypted for another name. */
  writeObject(
    name: string,
    contents: string | Uint8Array,
    options: { open?: boolean; zstd?: boolean; sealedAs?: string; plainLength?: number; kind?: number } = {},
  ): void {
    const plain = Buffer.from(contents);
    const encrypted = this.master !== null && options.open !== true;
    const salt = encrypted ? this.#random(24) : Buffer.alloc(24);
    const packed = options.zstd ? zstdCompressSync(plain) : plain;
    const sealedAs = Buffer.from(options.sealedAs ?? name);
    const header = Buffer.concat([
      Buffer.from("RPRSOBJ1"),
      fields([1, 1], [1, options.kind ?? kinds[name.split("/")[0] as keyof typeof kinds]]),
      fields([1, encrypted ? 1 : 0], [1, options.zstd ? 1 : 0], [4, packed.length + (encrypted ? 16 : 0)]),
      fields([4, options.plainLength ?? plain.length]),
      lowChecksum(sealedAs),
      encrypted ? this.keyId : Buffer.alloc(8),
      salt,
    ]);
    const additional = Buffer.concat([header, sealedAs]);
    const payload = encrypted
      ? seal(hkdf(this.master!, salt, "reprise/object/1"), Buffer.alloc(12), additional, packed)
      : packed;
    this.write(name, Buffer.concat([header, checksumBytes(Buffer.concat([header, payload])), payload]));
  }

  id(plain: Uint8Array): Buffer {
    const hash = this.master === null ? createHash("sha256") : createHmac("sha256", this.#derive("chunk-id"));
    return hash.update(plain).digest();
  }

  newSid(): string {
    this.#sessions += 1;
    return createHash("md5").update(`${this.folder} ${this.#sessions}`).digest("hex");
  }

  writePack(inputs: BlobInput[], sid = this.newSid(), number = 0): StoredPack {
    const salt = this.master === null ? Buffer.alloc(24) : this.#random(24);
    const start = [fields([1, 1], [1, this.master === null ? 0 : 1], [2, 0], [4, number]), unhex(sid), salt];
    const unchecked = Buffer.concat([Buffer.from("RPRSPAK1"), ...start]);
    const header = Buffer.concat([unchecked, checksumBytes(unchecked)]);
    const key = this.master === null ? null : hkdf(this.master, salt, "reprise/pack/1");
    const parts: Buffer[] = [header];
    const blobs: StoredBlob[] = [];
    let offset = header.length;
    for (const [ordinal, input] of inputs.entries()) {
      const { bytes, blob } = this.#encodeBlob(input, ordinal, key);
      blobs.push({ ...blob, offset });
      parts.push(bytes);
      offset += bytes.length;
    }
    const entries = Buffer.concat(blobs.map(encodeEntry));
    const footer = Buffer.concat([
      Buffer.from("RPRSEND1"),
      fields([4, blobs.length], [4, offset]),
      checksumBytes(entries),
    ]);
    const bytes = Buffer.concat([...parts, entries, header, footer, checksumBytes(footer)]);
    const n = number.toString(16).padStart(8, "0");
    const pack = { sid, number, name: `packs/${n.slice(-2)}/${sid}-${n}`, sizeBytes: bytes.length, blobs };
    this.write(pack.name, bytes);
    this.packs.push(pack);
    return pack;
  }

  #encodeBlob({ plain, codec: name = "none", kind = 0, as }: BlobInput, ordinal: number, key: Buffer | null) {
    const pack = { none: () => plain, zstd: () => zstdCompressSync(plain), lz4: () => packLz4(plain) }[name];
    const packed = Buffer.from(as?.stored ?? pack());
    const codec = as?.codec ?? codecs[name];
    const id = this.id(plain);
    const storedLength = packed.length + (key === null ? 0 : 16);
    const head = Buffer.concat([
      Buffer.from("BLOB"),
      fields([1, kind], [1, codec], [2, 0], [4, ordinal], [4, plain.length], [4, storedLength]),
    ]);
    const stored = key === null ? packed : this.#sealBlob(head, id, ordinal, key, packed);
    const unchecked = Buffer.concat([head, checksumBytes(stored), id]);
    const blob = { id, offset: 0, storedLength, plainLength: plain.length, kind, codec };
    return { bytes: Buffer.concat([unchecked, lowChecksum(unchecked), stored]), blob };
  }

  #sealBlob(head: Buffer, id: Buffer, ordinal: number, key: Buffer, packed: Buffer): Buffer {
    return seal(key, fields([4, ordinal], [8, 0]), Buffer.concat([head, id]), packed);
  }

  /** Removes what was stored in packs so far. */
  forgetPacks(): void {
    rmSync(this.path("packs"), { recursive: true });
    this.packs.length = 0;
  }

  /** A pack with other bytes at `at`, and the checksums of its first blob header and its footer right again. */
  withChecksums(pack: Buffer, at: number, bytes: Uint8Array): Buffer {
    const changed = Buffer.from(pack);
    changed.set(bytes, at);
    lowChecksum(changed.subarray(64, 124)).copy(changed, 124);
    const footer = changed.length - 32;
    checksumBytes(changed.subarray(footer, footer + 24)).copy(changed, footer + 24);
    return changed;
  }

  writeIndex(packs: StoredPack[] = this.packs, name = `${this.newSid()}-0`): void {
    const parts = packs.map((pack) => {
      const head = fields([4, pack.number], [4, pack.sizeBytes], [4, pack.blobs.length]);
      return Buffer.concat([unhex(pack.sid), head, ...pack.blobs.map(encodeEntry)]);
    });
    this.writeObject(`index/${name}`, Buffer.concat([fields([4, 1], [4, packs.length]), ...parts]));
  }

  /** Returns the snapshot's id. */
  writeSnapshot(archives: JsonObject[], changes: JsonObject = {}): string {
    const sid = (changes.sid as string | undefined) ?? this.newSid();
    const manifest = {
      version: 1,
      type: "snapshot",
      sid,
      namespace: "",
      group: "vm/a",
      time: "2026-01-01T00:00:00Z",
      finishedAt: "2026-01-01T00:00:09Z",
      host: "here",
      tool: { name: "test", version: "0" },
      mode: "offline",
      consistency: "crash",
      archives,
      notes: "",
      tags: [],
      protected: false,
      statistics: {},
      repairedFrom: null,
      origin: null,
      ...changes,
    };
    this.writeObject(`snapshots/${sid}`, canonical(manifest), { zstd: true });
    return sid;
  }
}

function encodeEntry(blob: StoredBlob): Buffer {
  const lengths = fields([4, blob.offset], [4, blob.storedLength], [4, blob.plainLength]);
  return Buffer.concat([blob.id, lengths, fields([1, blob.kind], [1, blob.codec], [2, 0])]);
}
