// Where a restore may not write: into the repository that it reads.

import { realpath } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { RepriseError } from "../errors.js";
import type { Backend } from "../storage/backend.js";
import { localFolderOf } from "../storage/openBackend.js";

/** TARGET_IN_REPOSITORY when the path, links resolved, lies in the folder of a local repository (or is that folder). */
export async function refuseTargetInside(backend: Backend, path: string): Promise<void> {
  const location = localFolderOf(backend);
  if (location === null) return;
  const folder = await realpath(location);
  const target = await realPlace(resolve(path));
  if (target !== folder && !target.startsWith(folder + sep)) return;
  throw new RepriseError("usage", "TARGET_IN_REPOSITORY", `${path} lies inside the repository ${location}`, {
    data: { path, repository: location },
    hint: "restore to another folder: what is written there would damage the repository",
  });
}

/** The path with the links of its existing part resolved. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path
      ? path
      : `${await realPlace(parent)}${sep}${path.slice(parent.length).replace(/^[/\\]+/, "")}`;
  }
}
