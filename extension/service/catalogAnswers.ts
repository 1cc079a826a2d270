// Machines and snapshots as the editor's side gets them.

import { type Catalog, inertLine, qualifiedGroup, type Snapshot } from "../../core/index.js";
import type { CatalogData, DiskData, MachineData, SnapshotData } from "./protocol.js";

/** Machines by name; what cannot be read is told, never left out silently. */
export function catalogDataOf({ snapshots, unreadable }: Catalog, encrypted: boolean): CatalogData {
  const byMachine = new Map<string, { newest: Snapshot; snapshots: number }>();
  for (const snapshot of snapshots) {
    const name = machineOf(snapshot);
    const known = byMachine.get(name);
    // the catalog is oldest first
    byMachine.set(name, { newest: snapshot, snapshots: (known?.snapshots ?? 0) + 1 });
  }
  const machines = [...byMachine].map(([machine, { newest, snapshots }]): MachineData => {
    const { namespace, group } = newest.manifest;
    return { machine, namespace, group, snapshots, newest: snapshotDataOf(newest, encrypted) };
  });
  return {
    machines: machines.sort((a, b) => compareTexts(a.machine, b.machine)),
    snapshots: snapshots.length,
    unreadable: unreadable.map(({ object, message }) => ({ object, message: inertLine(message) })),
  };
}

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

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
