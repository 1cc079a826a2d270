// Names of disks, configuration files and folders inside a snapshot as --name gives them; the others are named by the core.

import { resolve } from "node:path";
import { isSafeId, type NamedPath, nameArchives as nameByPath, type PathToName } from "../../core/index.js";
import { usageError, wrongValue } from "./given.js";

/**
 * `names`: each `NAME=PATH`, where PATH is one of the disks or configuration files or else one more disk; or just `NAME`
 * when there is one disk or folder. Whether all names differ in the end is the core's check.
 */
export function nameArchives(
  disks: readonly string[],
  configs: readonly string[],
  names: readonly string[],
  folders: readonly string[] = [],
): ReturnType<typeof nameByPath> {
  const wanted = names.map((text) => parseName(text, [...disks, ...folders]));
  const isKnown = (path: string) => [...disks, ...configs, ...folders].some((given) => isSamePath(given, path));
  const allDisks = [...disks, ...wanted.map(({ path }) => path).filter((path) => !isKnown(path))];
  const toName = (path: string): PathToName => {
    return { path, name: wanted.find((entry) => isSamePath(entry.path, path))?.name ?? null };
  };
  return nameByPath({ disks: allDisks.map(toName), files: configs.map(toName), trees: folders.map(toName) });
}

function parseName(text: string, disks: readonly string[]): NamedPath {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  if (!isSafeId(name)) throw wrongValue("--name", text, "NAME=PATH with a name of letters, digits, . _ -");
  if (equals >= 0) return { name, path: text.slice(equals + 1) };
  if (disks.length === 1) return { name, path: disks[0] as string };
  throw usageError(`--name ${name} does not say which of the ${disks.length} disks it means`, "write --name NAME=PATH");
}

function isSamePath(a: string, b: string): boolean {
  return a === b || (a !== "-" && b !== "-" && resolve(a) === resolve(b));
}
