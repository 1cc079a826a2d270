// Rebuilding the pack index from the packs themselves: their tables of contents, or a scan where those are destroyed.

import { isAbort, isOurError } from "../errors.js";
import { folder, objectName, type PackName, packName } from "../format/ids.js";
import { encodePackIndex, type PackContents } from "../format/packIndex.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { OnProgress } from "../platform/progress.js";
import { readPackContents, scanPack } from "../repository/packReader.js";
import { listPacks, readIndexObject } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";

export interface RepairOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}

export interface IndexRepairPlan {
  /** Packs whose own table of contents is read. */
  fromTrailer: PackName[];
  /** Packs that had to be scanned blob by blob; `blobs` were found, `skippedBytes` belong to none. */
  scanned: { pack: PackName; blobs: number; skippedBytes: number }[];
  /** Packs that cannot be read at all. */
  unreadable: { pack: PackName; message: string }[];
  /** Index objects that will be replaced. */
  replaced: string[];
  /** True when the present index says exactly what the packs say. */
  upToDate: boolean;
  contents: PackContents[];
}

/** Reads every pack's table of contents; changes nothing. */
export async function planRepairIndex(repository: Repository, options: RepairOptions): Promise<IndexRepairPlan> {
  const replaced: string[] = [];
  for await (const { key } of repository.backend.list(folder.index, options)) replaced.push(key);
  const packs = [...(await listPacks(repository, options)).values()];
  const names = [...(await listPacks(repository, options)).keys()];
  const plan: IndexRepairPlan = {
    fromTrailer: [],
    scanned: [],
    unreadable: [],
    replaced,
    upToDate: false,
    contents: [],
  };
  let done = 0;
  await mapConcurrent(names, async (name, i) => {
    await readContents(repository, name, packs[i]?.sizeBytes ?? 0, plan, options);
    options.onProgress?.({ operation: "repair", phase: "read", done: ++done, total: names.length, unit: "objects" });
  });
  plan.upToDate = await isUpToDate(repository, plan, options);
  return plan;
}

/** Writes the new index objects, then deletes the old ones: readers always find one or the other. */
export async function applyRepairIndex(
  repository: Repository,
  plan: IndexRepairPlan,
  options: RepairOptions,
): Promise<void> {
  const writer = repository.newId();
  for (let start = 0; start < plan.contents.length; start += PACKS_PER_INDEX) {
    const name = objectName.index(packName(writer, start / PACKS_PER_INDEX));
    const part = plan.contents.slice(start, start + PACKS_PER_INDEX);
    await repository.objects.write(name, "packIndex", encodePackIndex(part), options);
  }
  for (const name of plan.replaced) {
    await repository.backend.delete(name, options);
    await repository.cache.delete(name);
  }
}

const PACKS_PER_INDEX = 256;

async function readContents(
  repository: Repository,
  name: PackName,
  sizeBytes: number,
  plan: IndexRepairPlan,
  options: RepairOptions,
): Promise<void> {
  try {
    plan.contents.push(await readPackContents(repository.backend, name, sizeBytes, options));
    plan.fromTrailer.push(name);
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    if (error.family === "backend") {
      plan.unreadable.push({ pack: name, message: error.message });
      return;
    }
    const { skippedBytes, ...contents } = scanPack(name, await repository.backend.get(objectName.pack(name), options));
    plan.contents.push(contents);
    plan.scanned.push({ pack: name, blobs: contents.blobCount, skippedBytes });
  }
}

async function isUpToDate(repository: Repository, plan: IndexRepairPlan, options: RepairOptions): Promise<boolean> {
  const described = new Map<PackName, PackContents>();
  for (const name of plan.replaced) {
    const contents = await readIndexObject(repository, name, options);
    if (contents === undefined) return false;
    for (const pack of contents) described.set(pack.name, pack);
  }
  return (
    described.size === plan.contents.length &&
    plan.contents.every(({ name, sizeBytes, blobCount }) => {
      const known = described.get(name);
      return known !== undefined && known.sizeBytes === sizeBytes && known.blobCount === blobCount;
    })
  );
}
