// Names of disks and configuration files inside a snapshot: what --name says, else what the path says. Pure.

import { basename, dirname, extname, resolve } from "node:path";
import { isSafeId } from "../../core/index.js";
import { usageError, wrongValue } from "./given.js";

export interface NamedPath {
  name: string;
  /** `-`: standard input. */
  path: string;
}

const IMAGE_EXTENSIONS = new Set([
  ".raw",
  ".img",
  ".qcow2",
  ".qcow",
  ".vmdk",
  ".vhdx",
  ".vhd",
  ".vdi",
  ".iso",
  ".bin",
  ".dd",
]);
const MAX_NAME_CHARS = 128;

/**
 * `names`: each `NAME=PATH`, where PATH is one of the disks or configuration files or else one more disk; or just `NAME`
 * when there is one disk or folder. Paths that would get the same name also get the name of their folder. Whether all names differ
 * in the end is the core's check.
 */
export function nameArchives(
  disks: readonly string[],
  configs: readonly string[],
  names: readonly string[],
  folders: readonly string[] = [],
): { disks: NamedPath[]; files: NamedPath[]; trees: NamedPath[] } {
  const wanted = names.map((text) => parseName(text, [...disks, ...folders]));
  const isKnown = (path: string) => [...disks, ...configs, ...folders].some((given) => isSamePath(given, path));
  const allDisks = [...disks, ...wanted.map(({ path }) => path).filter((path) => !isKnown(path))];
  const byPath = (path: string) => wanted.find((entry) => isSamePath(entry.path, path))?.name;
  const taken = [...allDisks.map(diskName), ...configs.map(fileName), ...folders.map(folderName)];
  const distinct = (name: string, path: string) =>
    path === "-" || taken.filter((other) => other === name).length < 2 ? name : withFolder(name, path);
  return {
    disks: allDisks.map((path) => ({ name: byPath(path) ?? distinct(diskName(path), path), path })),
    files: configs.map((path) => ({ name: byPath(path) ?? distinct(fileName(path), path), path })),
    trees: folders.map((path) => ({ name: byPath(path) ?? distinct(folderName(path), path), path })),
  };
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

function diskName(path: string): string {
  if (path === "-") return "stdin";
  const base = basename(resolve(path));
  const extension = extname(base);
  return safeName(IMAGE_EXTENSIONS.has(extension.toLowerCase()) ? base.slice(0, -extension.length) : base);
}

function fileName(path: string): string {
  return safeName(basename(resolve(path)));
}

function folderName(path: string): string {
  return resolve(path) === dirname(resolve(path)) ? "root" : fileName(path);
}

function withFolder(name: string, path: string): string {
  return safeName(`${basename(dirname(resolve(path)))}-${name}`);
}

/** The nearest name that a snapshot can hold. */
function safeName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9_.-]/g, "_")
    .replace(/^[.-]/, "_")
    .slice(0, MAX_NAME_CHARS);
  return name === "" ? "disk" : name;
}
