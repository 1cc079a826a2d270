// Repositories made large without the data: index objects that describe packs, and packs that are empty files of the
// right size. Listing, reading, opening and decoding are the real thing; only the packs' contents are missing.

import { randomFillSync } from "node:crypto";
import { mkdir, open, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BlobIdHex, objectName, packName, type Sid } from "../../core/format/ids.js";
import { encodeManifest, type Manifest } from "../../core/format/manifest.js";
import {
  BLOB_ENTRY_BYTES,
  BLOB_HEADER_BYTES,
  encodeBlobEntries,
  PACK_HEADER_BYTES,
  PACK_TAIL_BYTES,
} from "../../core/format/pack.js";
import { encodePackIndex, type PackContents } from "../../core/format/packIndex.js";
import { initRepository } from "../../core/repository/initRepository.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { type Repository, systemEnvironment } from "../../core/repository/repository.js";
import type { Backend } from "../../core/storage/backend.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";

export const passphrase = "scale";
const chunkBytes = 256 * 1024;
const chunksPerPack = 128;
const packBytes = 24 * 1024 * 1024;
const packsPerIndex = 64;
const environment = systemEnvironment("0.0.0");

export async function makeRepository(folder: string): Promise<Repository> {
  return await makeRepositoryAt(await openLocalBackend(folder, { create: true }));
}

export async function makeRepositoryAt(backend: Backend): Promise<Repository> {
  const empty = new Uint8Array(1);
  const chunker = { minBytes: 64 * 1024, averageBytes: chunkBytes, maxBytes: 4 << 20, segmentBytes: 16 << 20 };
  const rescue = { text: empty, program: empty };
  const { repository } = await initRepository(backend, { passphrase, chunker, rescue, environment, cacheFolder: null });
  return repository;
}

export async function reopenRepository(folder: string, cacheFolder: string | null): Promise<Repository> {
  const backend = await openLocalBackend(folder);
  const secret = async () => ({ passphrase });
  return openRepository(backend, { secret, environment, cacheFolder, onWarning: (warning) => console.error(warning) });
}

/** The table of contents of one pack, with a random id in each entry. */
function randomEntries(template: Uint8Array): Uint8Array {
  const entries = template.slice();
  for (let at = 0; at < entries.length; at += BLOB_ENTRY_BYTES) randomFillSync(entries, at, 32);
  return entries;
}

function templateEntries(): Uint8Array {
  const id = new Uint8Array(32);
  const room = packBytes - PACK_HEADER_BYTES - PACK_TAIL_BYTES - chunksPerPack * BLOB_ENTRY_BYTES;
  const storedLength = Math.floor(room / chunksPerPack) - BLOB_HEADER_BYTES;
  const entries = Array.from({ length: chunksPerPack }, (_, i) => ({
    id,
    offset: PACK_HEADER_BYTES + i * (storedLength + BLOB_HEADER_BYTES),
    storedLength,
    plainLength: chunkBytes,
    kind: "chunk" as const,
    codec: "zstd" as const,
  }));
  return encodeBlobEntries(entries);
}

async function writeEmptyPack(folder: string, key: string): Promise<void> {
  const path = join(folder, key);
  await mkdir(dirname(path), { recursive: true });
  await (await open(path, "w")).close();
  await truncate(path, packBytes);
}

/** Fills the index with `chunkCount` chunks. */
export async function addChunks(repository: Repository, folder: string, chunkCount: number): Promise<void> {
  const sid = repository.newId();
  const template = templateEntries();
  const packCount = Math.ceil(chunkCount / chunksPerPack);
  for (let first = 0, indexNumber = 0; first < packCount; first += packsPerIndex, indexNumber++) {
    const packs: PackContents[] = [];
    for (let number = first; number < Math.min(first + packsPerIndex, packCount); number++) {
      const name = packName(sid, number);
      packs.push({ name, sizeBytes: packBytes, blobCount: chunksPerPack, entries: randomEntries(template) });
      await writeEmptyPack(folder, objectName.pack(name));
    }
    await repository.objects.write(objectName.index(packName(sid, indexNumber)), "packIndex", encodePackIndex(packs));
  }
}

function manifestOf(repository: Repository, sid: Sid, number: number, machines: number): Manifest {
  const time = new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString().replace(".000Z", "Z");
  const statistics = {
    bytesRead: 4e9,
    bytesNew: 5e7,
    bytesStored: 2e7,
    chunksTotal: 4000,
    chunksNew: 120,
    durationMs: 9000,
  };
  const root = sid.repeat(2) as BlobIdHex;
  const disk = { name: "disk0", kind: "image" as const, sizeBytes: 2 ** 32, root, format: "raw", lost: [] };
  const { host, tool } = repository.environment;
  return {
    type: "snapshot",
    sid,
    namespace: "",
    group: `vm/${100 + (number % machines)}`,
    time,
    finishedAt: time,
    host,
    tool,
    mode: "snapshot",
    consistency: "filesystem",
    archives: [disk],
    notes: "",
    tags: [],
    protected: false,
    statistics,
    repairedFrom: null,
    origin: null,
  };
}

/** Adds `count` snapshots, an hour apart, of as many machines in turn. */
export async function addSnapshots(repository: Repository, count: number, machines = 40): Promise<void> {
  const width = 16;
  for (let first = 0; first < count; first += width) {
    const batch = Array.from({ length: Math.min(width, count - first) }, async (_, i) => {
      const sid = repository.newId();
      const plain = encodeManifest(manifestOf(repository, sid, first + i, machines));
      await repository.objects.writeOnce(objectName.snapshot(sid), "snapshot", plain);
    });
    await Promise.all(batch);
  }
}
