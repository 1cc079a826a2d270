// What a collection looks at first where the storage keeps versions: whether somebody has overwritten what counts.

import { RepriseError } from "../errors.js";
import { baseName, folder, isPackName, isSid } from "../format/ids.js";
import type { Repository } from "../repository/repository.js";
import { expiringDecisions, haveSameContents, overwrittenObjects } from "../repository/versions.js";
import type { OnWarning } from "../repository/warnings.js";

export interface VersionOptions {
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/**
 * Where the first version counts, overwriting has no effect: warns of packs for which that ends when their first version
 * expires (PACKS_OVERWRITTEN), and of decisions that may expire (VERSIONS_EXPIRE). Elsewhere, with two roles: a manifest that was
 * overwritten may have become a VOID, and its chunks garbage. Older versions show it: SNAPSHOT_OVERWRITTEN, unless the
 * latest version is the first one, brought back.
 */
export async function examineVersions(repository: Repository, options: VersionOptions): Promise<void> {
  const { backend } = repository;
  if (backend.versions === undefined) return;
  const protection = await backend.protection?.(options);
  if (protection?.versioning !== "on") return await refuseOverwritten(repository, options);
  const expiring = expiringDecisions(protection);
  if (expiring.length > 0) {
    const message = `the bucket's lifecycle rules remove older versions of decisions (${expiring.join(" ")}): print the rules anew with init --print-policy s3-lifecycle`;
    options.onWarning({ code: "VERSIONS_EXPIRE", message, data: { folders: expiring } });
  }
  const packs: string[] = [];
  for await (const versions of overwrittenObjects(backend, folder.packs, options)) {
    const [latest, first] = [versions[0], versions.at(-1)];
    if (latest === undefined || first === undefined || !isPackName(baseName(latest.key))) continue;
    if (!(await haveSameContents(backend, latest, first, options))) packs.push(latest.key);
  }
  if (packs.length === 0) return;
  const message = `somebody has overwritten ${packs.length} packs, e.g. ${packs[0]}; what was there first is used: run repair versions before it expires`;
  options.onWarning({ code: "PACKS_OVERWRITTEN", message, data: { packs: packs.length, first: packs[0] } });
}

async function refuseOverwritten(repository: Repository, options: VersionOptions): Promise<void> {
  if (repository.config.keeper === null) return;
  for await (const versions of overwrittenObjects(repository.backend, folder.snapshots, options)) {
    const [latest, first] = [versions[0], versions.at(-1)];
    if (latest === undefined || first === undefined || !isSid(baseName(latest.key))) continue;
    if (await haveSameContents(repository.backend, latest, first, options)) continue;
    throw new RepriseError("corrupt", "SNAPSHOT_OVERWRITTEN", `${latest.key}: somebody has overwritten this decision`, {
      data: { object: latest.key },
      hint: "nothing was deleted; look at reprise repair versions, bring it back with --apply, and change the writers' credentials",
    });
  }
}
