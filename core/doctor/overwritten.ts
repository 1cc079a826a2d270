// Which objects somebody has overwritten, as the older versions of a storage tell: the traces of a thief. Announcements are not
// looked at, because their writers put them again and again. docs/roles.md, "After a theft".

import { equalBytes } from "../format/bytes.js";
import { baseName, folder, isPackName, isSid } from "../format/ids.js";
import type { Repository } from "../repository/repository.js";
import { haveSameContents, overwrittenObjects } from "../repository/versions.js";
import type { Backend, ObjectVersion, OperationOptions } from "../storage/backend.js";

export interface OverwrittenReport {
  /** "first": overwriting has no effect. "last": readers get what was put last. */
  counts: "first" | "last";
  /** How many objects, by folder: `packs/`. Folders without one are absent. */
  objects: Record<string, number>;
  /** The first names, at most 10, packs and index objects before others. */
  first: string[];
  /** The storage's time of the latest overwriting. */
  lastAtMs: number;
}

/** Folders whose names are written once. First those in which first versions expire. */
const EXPIRING = [folder.packs, folder.index];
const OTHERS = [folder.snapshots, folder.forgotten, folder.records, folder.quarantine, folder.keys];
const MOST_NAMES = 10;

/** Null where the storage keeps no versions, or shows none. */
export async function findOverwritten(
  repository: Repository,
  firstCounts: boolean,
  options: OperationOptions,
): Promise<OverwrittenReport | null> {
  const { backend } = repository;
  if (backend.versions === undefined || backend.getVersion === undefined) return null;
  const report: OverwrittenReport = { counts: firstCounts ? "first" : "last", objects: {}, first: [], lastAtMs: 0 };
  for (const prefix of [...EXPIRING, ...OTHERS]) {
    for await (const versions of overwrittenObjects(backend, prefix, options)) {
      const [latest] = versions;
      if (latest === undefined || !isOurs(latest.key)) continue;
      if (!(await (firstCounts ? isHidden(backend, latest, options) : isOther(backend, versions, options)))) continue;
      report.objects[prefix] = (report.objects[prefix] ?? 0) + 1;
      if (report.first.length < MOST_NAMES) report.first.push(latest.key);
      report.lastAtMs = Math.max(report.lastAtMs, latest.modifiedAtMs);
    }
  }
  return report;
}

/** Whether an overwriting waits for the first version of a pack or of an index object to expire. */
export function isAwaitingExpiry({ objects }: OverwrittenReport): boolean {
  return EXPIRING.some((prefix) => objects[prefix] !== undefined);
}

function isOurs(key: string): boolean {
  const name = baseName(key);
  return isSid(name) || isPackName(name);
}

/** Whether readers get something else than the latest version. A repair deletes first, and then they do get it. */
async function isHidden(backend: Backend, latest: ObjectVersion, options: OperationOptions): Promise<boolean> {
  const { sizeBytes } = await backend.stat(latest.key, options);
  if (sizeBytes !== latest.sizeBytes) return true;
  const counting = await backend.get(latest.key, options);
  const put = await backend.getVersion?.(latest.key, latest.versionId, options);
  return put !== undefined && !equalBytes(counting, put);
}

async function isOther(
  backend: Backend,
  versions: readonly ObjectVersion[],
  options: OperationOptions,
): Promise<boolean> {
  const [latest, first] = [versions[0], versions.at(-1)];
  return latest !== undefined && first !== undefined && !(await haveSameContents(backend, latest, first, options));
}
