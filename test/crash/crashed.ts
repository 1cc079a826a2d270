// A repository as a crash leaves it: what one operation has done to the storage, stopped after any of its changes.

import assert from "node:assert/strict";
import { bytesToHex, folder } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { sha256 } from "../../core/hash/digest.js";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { listKeys } from "../support/listing.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { noise, prose } from "../support/sampleBytes.js";
import type { TestRepository } from "../support/testRepository.js";

export interface Finished {
  manifest: Manifest;
  disks: Record<string, Uint8Array>;
}

/** Three disks' worth of chunks in several packs; equal seeds give equal bytes. */
export function sampleDisk(seed: number): Uint8Array {
  const disk = new Uint8Array(1_800_000);
  disk.set(noise(seed, 900_000), 0);
  disk.set(prose(seed, 300_000), 1_200_000);
  return disk;
}

/** The disk a day later: some of it is other noise, some has become zeros. */
export function nextDay(disk: Uint8Array, seed: number): Uint8Array {
  const changed = disk.slice();
  changed.set(noise(seed, 120_000), 300_000);
  changed.fill(0, 700_000, 800_000);
  return changed;
}

/** Runs `operation` on the repository's storage and returns every state that a crash could have left behind. */
export async function crashesOf(
  made: TestRepository,
  operation: (repository: TestRepository) => Promise<unknown>,
): Promise<{ count: number; after(changes: number): Promise<TestRepository>; describe(changes: number): string }> {
  const recording = new RecordingBackend(made.backend, { now: () => made.environment.nowMs });
  await operation(await made.reopen({ backend: recording }));
  const { mutations } = recording;
  return {
    count: mutations.length,
    after: async (changes) => made.reopen({ backend: await recording.replayPrefix(changes) }),
    describe: (changes) => {
      const last = mutations[changes - 1];
      return last === undefined ? "before anything" : `after ${changes}: ${last.operation} ${last.key}`;
    },
  };
}

/** Exactly these snapshots exist and every byte of their disks is right. */
export async function assertSnapshots(repository: TestRepository, expected: readonly Finished[], about: string) {
  const { snapshots, unreadable } = await repository.catalog();
  assert.deepEqual(unreadable, [], about);
  const sids = expected.map(({ manifest }) => manifest.sid).sort();
  assert.deepEqual(snapshots.map(({ sid }) => sid).sort(), sids, `${about}: which snapshots there are`);
  for (const { manifest, disks } of expected) {
    for (const [name, bytes] of Object.entries(disks)) {
      const restored = bytesToHex(sha256(await repository.restore(manifest, name)));
      assert.equal(restored, bytesToHex(sha256(bytes)), `${about}: ${manifest.group} ${name}`);
    }
  }
}

export async function assertSound(repository: TestRepository, about: string): Promise<void> {
  const report = await repository.verify();
  const problems = [...report.objects.problems, ...report.packs.problems];
  assert.deepEqual({ ok: report.ok, problems }, { ok: true, problems: [] }, `${about}: verify --read-data`);
}

/** Nothing is left of what no snapshot needs: a collection finds nothing more to do, and nobody is announced. */
export async function assertTidy(repository: TestRepository, about: string): Promise<void> {
  const report = await repository.gc();
  assert.deepEqual([report.deletedPacks, report.repackedPacks], [0, 0], `${about}: a second gc finds nothing`);
  assert.deepEqual(await listKeys(repository.backend, folder.sessions), [], `${about}: announcements`);
  const plans = (await listKeys(repository.backend, folder.gc)).filter((key) => key.endsWith(".plan"));
  assert.deepEqual(plans, [], `${about}: plans`);
}

export function packsOf(repository: TestRepository): Promise<string[]> {
  return listKeys(repository.backend, folder.packs);
}

export function stateOf(repository: TestRepository) {
  return (repository.backend as MemoryBackend).snapshotState();
}
