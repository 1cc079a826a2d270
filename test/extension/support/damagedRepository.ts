// Real damage of a real repository on disk: bytes of the pack that holds a known file, packs, manifests and indexes.

import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { objectName } from "../../../core/format/ids.js";
import { loadChecksum } from "../../../core/hash/checksum.js";
import { loadCatalog } from "../../../core/repository/catalog.js";
import { openRepository } from "../../../core/repository/openRepository.js";
import { systemEnvironment } from "../../../core/repository/repository.js";
import { openLocalBackend } from "../../../core/storage/localBackend.js";
import { findNeeds, listBlobs, type StoredBlob } from "../../support/damageSample.js";
import { flipped } from "../../support/objectChanges.js";
import { SAMPLE_PASSPHRASE, type SampleRepository } from "./sampleRepository.js";

/** A second repository that was damaged after it was copied; it goes with the sample. */
export async function damagedCopy(
  { folder, location }: SampleRepository,
  name: string,
  damage: (location: string) => Promise<unknown>,
): Promise<string> {
  const copy = join(folder, name);
  await cp(location, copy, { recursive: true });
  await damage(copy);
  return copy;
}

/** The chunks of a snapshot's disk that hold the bytes `from`–`to` of it, by the packs' own tables. */
export async function chunksAt(location: string, snapshot: string, from: number, to: number): Promise<StoredBlob[]> {
  await loadChecksum();
  const backend = await openLocalBackend(location);
  try {
    const onWarning = () => {};
    const repository = await openRepository(backend, {
      secret: async () => ({ passphrase: SAMPLE_PASSPHRASE }),
      environment: systemEnvironment("0.0.0"),
      cacheFolder: null,
      onWarning,
    });
    const { snapshots } = await loadCatalog(repository, { onWarning });
    const manifests = snapshots.map(({ manifest }) => manifest).filter(({ sid }) => sid === snapshot);
    const needs = await findNeeds(repository, manifests);
    const touches = (id: string) =>
      (needs.get(id) ?? []).some(({ offset, length }) => offset < to && offset + length > from);
    return (await listBlobs(repository)).filter(({ id, kind }) => kind === "chunk" && touches(id));
  } finally {
    await backend.close();
  }
}

/** One byte of the stored chunk is another one. */
export async function flipIn(location: string, { pack, end }: StoredBlob): Promise<void> {
  const path = join(location, objectName.pack(pack));
  await writeFile(path, flipped(await readFile(path), end - 1));
}
