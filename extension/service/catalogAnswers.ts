// Snapshots as the editor's side gets them.

import { inertLine, qualifiedGroup, type Snapshot } from "../../core/index.js";
import type { DiskData, SnapshotData } from "./protocol.js";

export function machineOf({ manifest }: Snapshot): string {
  return qualifiedGroup(manifest.namespace, manifest.group);
}

export function snapshotDataOf(snapshot: Snapshot, encrypted: boolean): SnapshotData {
  const { manifest, verification, restoreTest } = snapshot;
  const { archives, statistics } = manifest;
  return {
    snapshotId: snapshot.sid,
    machine: machineOf(snapshot),
    timeMs: snapshot.timeMs,
    finishedAtMs: Date.parse(manifest.finishedAt),
    host: inertLine(manifest.host),
    mode: manifest.mode,
    consistency: manifest.consistency,
    notes: snapshot.notes,
    tags: snapshot.tags,
    protected: snapshot.protected,
    encrypted,
    sizeBytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    newBytes: statistics.bytesNew,
    storedBytes: statistics.bytesStored,
    disks: archives.map(({ name, kind, sizeBytes, lost }): DiskData => {
      return { name, kind, sizeBytes, lostRanges: lost.length };
    }),
    verification: verification === null ? null : { ...pick(verification), atMs: Date.parse(verification.at) },
    restoreTest:
      restoreTest === null
        ? null
        : { outcome: restoreTest.outcome, provenLevel: restoreTest.provenLevel, atMs: Date.parse(restoreTest.at) },
    repairedFrom: manifest.repairedFrom,
  };
}

function pick({ result, level, damagedRanges }: NonNullable<Snapshot["verification"]>) {
  return { result, level, damagedRanges };
}
