// Whether a repository stands where the change that is judged could have put it: inside of the checked out work tree. Such a repository says
// whatever the change wants, and no gate may ask it.

import { realpath } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { locationOf } from "../config/openConfigured.js";
import type { RepositoryConfig } from "../config/repriseConfig.js";
import type { GitRepository } from "../git/gitRepository.js";

/** `folder`: where relative locations start. A place that only leads into the work tree, or out of it by a link, counts as well. */
export async function isInWorkTree(
  git: Pick<GitRepository, "folder">,
  repository: Pick<RepositoryConfig, "name" | "location">,
  surroundings: { env: Readonly<Record<string, string | undefined>>; folder: string },
): Promise<boolean> {
  const path = localPath(locationOf(repository, surroundings));
  if (path === null) return false;
  const top = await realpath(git.folder);
  const places = [path, await realParent(path)];
  return places.some((place) => isBelow(git.folder, place) || isBelow(top, place));
}

/** Null: behind a network. */
function localPath(location: string): string | null {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(location);
  if (scheme !== "file") return null;
  try {
    return fileURLToPath(location);
  } catch {
    // no path, and nothing that could be opened
    return null;
  }
}

/** As far as it is there, with links followed. */
async function realParent(path: string): Promise<string> {
  for (let there = path; ; there = resolve(there, "..")) {
    const real = await realpath(there).catch(() => null);
    if (real !== null) return resolve(real, relative(there, path));
    if (there === resolve(there, "..")) return path;
  }
}

function isBelow(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside === "" || (inside.split(sep)[0] !== ".." && resolve(inside) !== inside);
}
