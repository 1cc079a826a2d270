// Recognising a snapshot and its copies, in whatever repository they are.

import type { SnapshotOrigin } from "../format/manifest.js";
import type { Snapshot } from "./catalog.js";
import type { Repository } from "./repository.js";

/** What the snapshot is a copy of; itself when it was made in this repository. */
export function originOf(
  snapshot: Pick<Snapshot, "sid" | "manifest" | "digest">,
  repository: Repository,
): SnapshotOrigin {
  const { sid, manifest, digest } = snapshot;
  return manifest.origin ?? { repositoryId: repository.config.repositoryId, snapshot: sid, digest };
}

/** Whether ids of blobs are made with the same key, so that equal bytes have equal ids in both. */
export function haveEqualIds(a: Repository, b: Repository): boolean {
  const [first, second] = [a.keyring?.chunkIdKey, b.keyring?.chunkIdKey];
  if (first === undefined || second === undefined) return first === second;
  return first.length === second.length && first.every((byte, i) => byte === second[i]);
}
