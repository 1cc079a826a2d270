// The two ways of a snapshot's disks to a machine: served straight from the repository, or restored to files first. Either
// way the machine writes to an overlay that is thrown away.

import { join } from "node:path";
import { RepriseError } from "../../errors.js";
import type { ChunkFetcher } from "../../files/snapshotDisk.js";
import { exportSnapshot } from "../../files/snapshotExport.js";
import type { AttachedDisk } from "../../hypervisor/machine.js";
import type { NbdExport } from "../../nbd/export.js";
import { startNbdServer } from "../../nbd/server.js";
import type { Snapshot } from "../../repository/catalog.js";
import { loadPresenceForReading } from "../../repository/presence.js";
import type { Repository } from "../../repository/repository.js";
import type { OnWarning } from "../../repository/warnings.js";
import { createTarget } from "../../restore/openTarget.js";
import { restoreImage } from "../../restore/restoreImage.js";

export interface TestDisks {
  /** As in the snapshot, in its order. */
  disks: readonly AttachedDisk[];
  /** Why the machine got errors when it read: the newest ones. */
  readErrors(): readonly string[];
  close(): Promise<void>;
}

const KEPT_ERRORS = 20;

/** Serves them on a unix socket. */
export async function serveDisks(
  snapshot: Snapshot,
  fetcher: ChunkFetcher,
  socketPath: string,
  signal: AbortSignal,
): Promise<TestDisks> {
  const exports = await exportSnapshot(snapshot, fetcher, [], { signal });
  const errors: string[] = [];
  const onError = (error: unknown, served: NbdExport) => {
    errors.push(`${served.name}: ${error instanceof Error ? error.message : String(error)}`);
    if (errors.length > KEPT_ERRORS) errors.shift();
  };
  const server = await startNbdServer({ address: { socketPath }, exports, onError });
  return {
    disks: exports.map(({ name }) => ({ name, way: "nbd", socketPath, exportName: name })),
    readErrors: () => errors,
    close: () => server.close(),
  };
}

export interface RestoreDisksOptions {
  signal: AbortSignal;
  onWarning: OnWarning;
}

/** Restores all disks into the folder, every chunk checked. RESTORE_DAMAGED, TARGET_FULL and the other errors of a restore. */
export async function restoreDisks(
  repository: Repository,
  snapshot: Snapshot,
  folder: string,
  options: RestoreDisksOptions,
): Promise<TestDisks> {
  const images = snapshot.manifest.archives.filter(({ kind }) => kind === "image");
  const presence = await loadPresenceForReading(repository, options);
  const disks: AttachedDisk[] = [];
  for (const archive of images) {
    const path = join(folder, `${archive.name}.raw`);
    const { sizeBytes, root } = archive;
    const target = await createTarget({
      path,
      format: "raw",
      sizeBytes,
      force: false,
      resumeKey: root,
      signal: options.signal,
    });
    try {
      await restoreImage(repository, presence, archive, target, { verify: false, skipDamaged: false, ...options });
      await target.publish({ signal: options.signal });
    } catch (error) {
      await target.discard({ keep: false });
      throw error;
    }
    disks.push({ name: archive.name, way: "file", path, format: "raw" });
  }
  return { disks, readErrors: () => [], close: async () => {} };
}

/** SNAPSHOT_WITHOUT_DISK: what was backed up file by file has nothing to boot. */
export function requireDisk(snapshot: Snapshot): void {
  if (snapshot.manifest.archives.some(({ kind }) => kind === "image")) return;
  const { group, time } = snapshot.manifest;
  throw new RepriseError("usage", "SNAPSHOT_WITHOUT_DISK", `${group}@${time} holds no disk, so nothing can be booted`, {
    hint: "test it to the level readable",
  });
}
