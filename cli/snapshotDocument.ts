// Snapshots as --json shows them. `prune --simulate` takes a list of these as it is.

import type { Archive, Snapshot } from "../core/index.js";

export function snapshotDocument(snapshot: Snapshot): Record<string, unknown> {
  const { sid, manifest, digest, notes, tags, verification, restoreTest } = snapshot;
  const { namespace, group, time, finishedAt, host, tool, mode, consistency, archives, statistics } = manifest;
  return {
    snapshotId: sid,
    namespace,
    group,
    time,
    finishedAt,
    host,
    tool,
    mode,
    consistency,
    sizeBytes: sizeOf(archives),
    archives: archives.map(archiveDocument),
    ...statistics,
    digest,
    notes,
    tags,
    protected: snapshot.protected,
    verification,
    restoreTest,
    repairedFrom: manifest.repairedFrom,
    origin: manifest.origin,
  };
}

/** The few members that name a snapshot in other documents. */
export function snapshotReference({ sid, manifest }: Snapshot): Record<string, unknown> {
  const { namespace, group, time } = manifest;
  return { snapshotId: sid, namespace, group, time };
}

export function archiveDocument({ name, kind, sizeBytes, format, lost }: Archive): Record<string, unknown> {
  return { name, kind, sizeBytes, format, lost: lost.map(([offset, length]) => ({ offset, length })) };
}

export function sizeOf(archives: readonly Archive[]): number {
  return archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
