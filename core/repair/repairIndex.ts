// Rebuilding the pack index from the packs themselves: their tables of contents, or a scan where those are destroyed.

import { isAbort, isOurError, type RepriseError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { isPackName, objectName, type PackName, packName } from "../format/ids.js";
import { encodePackIndex, type PackContents } from "../format/packIndex.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { OnProgress } from "../platform/progress.js";
import { splitForIndex } from "../repository/indexParts.js";
import { fetchPackHeader, readPackContents, scanPack } from "../repository/packReader.js";
import { listIndex, listPacks, readIndexObject } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { applySwapped, planSwapped, type SwappedPack } from "./swappedPacks.js";

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
  /** Packs that cannot be read at all, and that nothing in `swapped` will bring back. */
  unreadable: { pack: PackName; message: string; holds?: PackName }[];
  /** Packs that lie under another pack's name, and what is done about it. */
  swapped: SwappedPack[];
  /** Index objects that will be replaced. */
  replaced: string[];
  /** True when the present index says exactly what the packs say. */
  upToDate: boolean;
  contents: PackContents[];
}

/** Reads every pack's table of contents; changes nothing. */
export async function planRepairIndex(repository: Repository, options: RepairOptions): Promise<IndexRepairPlan> {
  const replaced = (await listIndex(repository, options)).map(({ key }) => key);
  const packs = [...(await listPacks(repository, options))];
  const plan: IndexRepairPlan = {
    fromTrailer: [],
    scanned: [],
    unreadable: [],
    swapped: [],
    replaced,
    upToDate: false,
    contents: [],
  };
  let done = 0;
  await mapConcurrent(packs, async ([name, { sizeBytes }]) => {
    await readContents(repository, name, sizeBytes, plan, options);
    options.onProgress?.({ operation: "repair", phase: "read", done: ++done, total: packs.length, unit: "objects" });
  });
  await addSwapped(repository, plan, new Set(packs.map(([name]) => name)), options);
  plan.upToDate = await isUpToDate(repository, plan, options);
  return plan;
}

/** Swapped packs were noted as unreadable, with the name that their header has. */
async function addSwapped(
  repository: Repository,
  plan: IndexRepairPlan,
  listed: ReadonlySet<PackName>,
  options: RepairOptions,
): Promise<void> {
  const unfit = new Set(plan.unreadable.map(({ pack }) => pack));
  const wrong = plan.unreadable.flatMap(({ pack, holds }) => (holds ? [{ object: objectName.pack(pack), holds }] : []));
  plan.swapped = await planSwapped(repository, wrong, { unfit, listed }, options);
  const healed = new Set(plan.swapped.flatMap(({ action, holds }) => (action === "copy" ? [holds] : [])));
  plan.unreadable = plan.unreadable.filter(({ pack }) => !healed.has(pack));
}

/** Puts swapped packs under their right names, writes the new index objects, then deletes the old ones: readers always find one or the other. */
export async function applyRepairIndex(
  repository: Repository,
  plan: IndexRepairPlan,
  options: RepairOptions,
): Promise<void> {
  const brought = plan.swapped.length > 0 ? await applySwapped(repository, plan.swapped, options) : [];
  const writer = repository.newId();
  for (const [number, part] of splitForIndex([...plan.contents, ...brought], PACKS_PER_INDEX).entries()) {
    const name = objectName.index(packName(writer, number));
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
    if (error.code === "PACK_TRAILER_DAMAGED") await scanContents(repository, name, plan, options);
    // Gone since it was listed: a collector has deleted it.
    else if (error.code !== "OBJECT_NOT_FOUND") plan.unreadable.push(unreadable(name, error));
  }
}

function unreadable(pack: PackName, error: RepriseError): IndexRepairPlan["unreadable"][number] {
  const { actual } = error.data;
  const isSwapped = error.code === "OBJECT_SWAPPED" && typeof actual === "string" && isPackName(actual);
  return { pack, message: error.message, ...(isSwapped ? { holds: actual } : {}) };
}

async function scanContents(
  repository: Repository,
  name: PackName,
  plan: IndexRepairPlan,
  options: RepairOptions,
): Promise<void> {
  try {
    // Without a header of its own no blob of the pack can be opened.
    await fetchPackHeader(repository.backend, name, options);
    const { skippedBytes, ...contents } = scanPack(name, await repository.backend.get(objectName.pack(name), options));
    plan.contents.push(contents);
    plan.scanned.push({ pack: name, blobs: contents.blobCount, skippedBytes });
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    if (error.code !== "OBJECT_NOT_FOUND") plan.unreadable.push(unreadable(name, error));
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
    plan.contents.every(({ name, sizeBytes, entries }) => {
      const known = described.get(name);
      return known !== undefined && known.sizeBytes === sizeBytes && equalBytes(known.entries, entries);
    })
  );
}
