// Names of disks, configuration files and folders inside a snapshot, for those that nobody has named: what the path says.

import { basename, dirname, extname, resolve } from "node:path";

export interface NamedPath {
  name: string;
  /** `-`: standard input. */
  path: string;
}

export interface PathToName {
  path: string;
  /** Null: after its path. */
  name: string | null;
}

export interface ArchivePaths<Path> {
  disks: readonly Path[];
  files: readonly Path[];
  trees: readonly Path[];
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

/** Paths that would get the same name also get the name of their folder. Whether all names differ in the end is checked by backUp. */
export function nameArchives({ disks, files, trees }: ArchivePaths<PathToName>): ArchivePaths<NamedPath> {
  const kinds = [
    { paths: disks, nameOf: diskName },
    { paths: files, nameOf: fileName },
    { paths: trees, nameOf: folderName },
  ] as const;
  const taken = kinds.flatMap(({ paths, nameOf }) => paths.map(({ path }) => nameOf(path)));
  const named = ({ paths, nameOf }: (typeof kinds)[number]): NamedPath[] =>
    paths.map(({ path, name }) => ({ path, name: name ?? distinct(nameOf(path), path, taken) }));
  return { disks: named(kinds[0]), files: named(kinds[1]), trees: named(kinds[2]) };
}

function distinct(name: string, path: string, taken: readonly string[]): string {
  if (path === "-" || taken.filter((other) => other === name).length < 2) return name;
  return safeName(`${basename(dirname(resolve(path)))}-${name}`);
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

/** The nearest name that a snapshot can hold. */
function safeName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9_.-]/g, "_")
    .replace(/^[.-]/, "_")
    .slice(0, MAX_NAME_CHARS);
  return name === "" ? "disk" : name;
}
