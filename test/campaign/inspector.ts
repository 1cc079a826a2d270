// Looks at a campaign's repository through the core, in this process: much faster than the command line, and without its
// cache.

import { createHash } from "node:crypto";
import { loadChecksum } from "../../core/hash/checksum.js";
import { loadCatalog, type Snapshot } from "../../core/repository/catalog.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { type Repository, systemEnvironment } from "../../core/repository/repository.js";
import type { OnWarning } from "../../core/repository/warnings.js";
import { restoreStream } from "../../core/restore/restoreStream.js";
import type { Backend } from "../../core/storage/backend.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { campaignPassphrase } from "./commandLine.js";

export async function openCampaignRepository(
  place: string | Backend,
  onWarning: OnWarning = () => {},
): Promise<Repository> {
  await loadChecksum();
  const backend = typeof place === "string" ? await openLocalBackend(place) : place;
  return openRepository(backend, {
    secret: async () => ({ passphrase: campaignPassphrase }),
    environment: systemEnvironment("0.0.0"),
    cacheFolder: null,
    onWarning,
  });
}

export async function listSnapshots(repository: Repository): Promise<Snapshot[]> {
  const { snapshots, unreadable } = await loadCatalog(repository, { onWarning: () => {} });
  if (unreadable.length > 0) throw new Error(`unreadable: ${JSON.stringify(unreadable)}`);
  return snapshots;
}

/** SHA-256 of a disk of a snapshot, restored. */
export async function digestOfRestore(repository: Repository, snapshot: Snapshot, disk?: string): Promise<string> {
  const { archives } = snapshot.manifest;
  const archive = disk === undefined ? archives[0] : archives.find(({ name }) => name === disk);
  if (archive === undefined) throw new Error(`snapshot ${snapshot.sid} has no disk ${disk}`);
  const presence = await loadPresenceForReading(repository, { onWarning: () => {} });
  const hash = createHash("sha256");
  for await (const part of restoreStream(repository, presence, archive, { lanes: 0 })) hash.update(part);
  return hash.digest("hex");
}

export async function storedBytes(repository: Repository, prefix = ""): Promise<number> {
  let sum = 0;
  for await (const { sizeBytes } of repository.backend.list(prefix)) sum += sizeBytes;
  return sum;
}

export async function countObjects(repository: Repository, prefix: string): Promise<number> {
  let count = 0;
  for await (const _ of repository.backend.list(prefix)) count++;
  return count;
}
