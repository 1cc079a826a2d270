// Repositories of different kinds, and replication between them, on this thread.

import assert from "node:assert/strict";
import type { ChunkerConfig } from "../../core/format/config.js";
import { bytesToHex } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { sha256 } from "../../core/hash/digest.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { applySync, planRepositorySync } from "../../core/sync/sync.js";
import type { SyncReport, SyncRequest } from "../../core/sync/syncReport.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { SMALL_CHUNKS, TestRepository, type TestRepositoryOptions } from "../support/testRepository.js";

export const LARGER_CHUNKS: ChunkerConfig = {
  minBytes: 16384,
  averageBytes: 32768,
  maxBytes: 131072,
  segmentBytes: 262144,
};

/** Kinds of repositories that differ in everything that could matter: key, chunk sizes, page spans. */
export const KINDS: Record<string, TestRepositoryOptions> = {
  open: { encrypted: false },
  sealed: { encrypted: true, chunker: SMALL_CHUNKS },
  "open, larger chunks": { encrypted: false, chunker: LARGER_CHUNKS },
  "sealed, larger chunks": { encrypted: true, chunker: LARGER_CHUNKS },
};

let seeds = 100;

/** With ids of its own, on a storage in memory whose clock is that of the test. */
export async function makeReplica(options: TestRepositoryOptions = {}): Promise<TestRepository> {
  const seed = seeds++;
  let nowMs = () => 0;
  const backend = new MemoryBackend({ location: `memory:replica-${seed}`, now: () => nowMs() });
  const made = await TestRepository.make({ seed, backend, ...options });
  nowMs = () => made.environment.nowMs;
  return made;
}

export const ALL: SyncRequest = {
  includes: () => true,
  transferLast: null,
  removeVanished: false,
  encryptedOnly: false,
  codec: { codec: "zstd", level: 3 },
  lanes: 0,
};

export async function sync(
  from: TestRepository,
  to: TestRepository,
  request: Partial<SyncRequest> = {},
): Promise<SyncReport> {
  const plan = await planRepositorySync(from.repository, to.repository, { ...ALL, ...request }, to.options);
  return applySync(plan, to.options);
}

/** The report, and every operation that the run did on both sides. */
export async function recordedSync(
  from: TestRepository,
  to: TestRepository,
  request: Partial<SyncRequest> = {},
): Promise<{ report: SyncReport; fromOperations: RecordingBackend; toOperations: RecordingBackend }> {
  const fromOperations = new RecordingBackend(from.backend);
  const toOperations = new RecordingBackend(to.backend);
  const report = await sync(
    await from.reopen({ backend: fromOperations }),
    await to.reopen({ backend: toOperations }),
    request,
  );
  return { report, fromOperations, toOperations };
}

/** Machine, time and the digest of each disk, of every snapshot: equal for equal contents, whatever the keys. */
export async function contentsOf(repository: TestRepository): Promise<string[]> {
  const contents: string[] = [];
  for (const { manifest } of (await repository.catalog()).snapshots) {
    const disks = [];
    for (const { name, kind, sizeBytes } of manifest.archives) {
      if (kind === "file") disks.push(`${name}:${sizeBytes}`);
      else disks.push(`${name}:${bytesToHex(sha256(await repository.restore(manifest, name)))}`);
    }
    contents.push(`${manifest.namespace}:${manifest.group}@${manifest.time} ${disks.join(" ")}`);
  }
  return contents.sort();
}

export async function snapshotOf(repository: TestRepository, original: Manifest): Promise<Manifest> {
  const { snapshots } = await repository.catalog();
  const found = snapshots.find(({ manifest }) => (manifest.origin?.snapshot ?? manifest.sid) === original.sid);
  assert.ok(found, `a copy of ${original.sid}`);
  return found.manifest;
}

export async function assertClean(repository: TestRepository, about: string): Promise<void> {
  const report = await repository.verify();
  assert.deepEqual(
    { ok: report.ok, objects: report.objects.problems, packs: report.packs.problems },
    { ok: true, objects: [], packs: [] },
    `${about}: verify --read-data`,
  );
}

export function putsOf(recording: RecordingBackend): string[] {
  return recording.operations.filter(({ operation }) => /put|delete/.test(operation)).map(({ key }) => key);
}

/** Bytes of packs that were read. */
export function packReads(recording: RecordingBackend): number {
  return recording.operations.filter(({ operation, key }) => operation === "get" && key.startsWith("packs/")).length;
}
