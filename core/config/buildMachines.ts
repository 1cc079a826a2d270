// The machines of a configuration, and what a backup of each reads.

import { nameArchives } from "../backup/archiveNames.js";
import { type Building, entriesAt, membersAt } from "./building.js";
import { asList, type RawConfig, type RawDisk, type RawFolder, type RawMachineEntry } from "./rawConfig.js";
import type { DiskConfig, FolderConfig, MachineConfig } from "./repriseConfig.js";

export function buildMachines({ machines }: RawConfig, building: Building): MachineConfig[] {
  return entriesAt(machines, "/machines").map(({ name, raw, at }) => buildMachine(name, raw ?? {}, at, building));
}

/** Whether this file says what a backup of it reads. */
export function hasSources({ disks, folders, configFiles }: MachineConfig): boolean {
  return disks.length + folders.length + configFiles.length > 0;
}

function buildMachine(machine: string, raw: RawMachineEntry, at: string, building: Building): MachineConfig {
  checkParts(machine, raw, at, building);
  return {
    machine,
    description: raw.description ?? "",
    owner: raw.owner ?? "",
    criticality: raw.criticality ?? "",
    disks: asList(raw.disks).map(buildDisk),
    folders: asList(raw.folders).map(buildFolder),
    configFiles: asList(raw["config-files"]).map((given) =>
      typeof given === "string" ? { name: null, path: given } : { name: given.name ?? null, path: given.path },
    ),
    tags: checkTags(raw.tags ?? [], `${at}/tags`, building),
    notes: raw.notes ?? "",
    line: building.problems.lineOfKey(at),
  };
}

function buildDisk(given: string | RawDisk): DiskConfig {
  if (typeof given === "string") return { name: null, path: given, format: null, allowBackingFile: false };
  const { name = null, path, format = null, "allow-backing-file": allowBackingFile = false } = given;
  return { name, path, format, allowBackingFile };
}

function buildFolder(given: string | RawFolder): FolderConfig {
  if (typeof given === "string") return { name: null, path: given, exclude: [], oneFileSystem: false };
  const { name = null, path, exclude, "one-file-system": oneFileSystem = false } = given;
  return { name, path, exclude: asList(exclude), oneFileSystem };
}

/** No part twice, and no two of the same name: names that are left out are made of the paths, as a backup makes them. */
function checkParts(machine: string, raw: RawMachineEntry, at: string, { problems }: Building): void {
  const problemsBefore = problems.problems.length;
  for (const field of ["disks", "folders", "config-files"] as const) {
    const paths = new Set<string>();
    for (const { value, at: place } of membersAt<string | { path: string }>(raw[field], `${at}/${field}`)) {
      const path = typeof value === "string" ? value : value.path;
      if (paths.has(path)) problems.add(place, `${path} is listed twice for ${machine}`);
      if (path.includes("\0")) problems.add(place, "a path has no NUL");
      paths.add(path);
    }
  }
  if (problems.problems.length === problemsBefore) checkNames(machine, raw, at, problems);
}

function checkNames(machine: string, raw: RawMachineEntry, at: string, problems: Building["problems"]): void {
  const parts = (["disks", "config-files", "folders"] as const).map((field) =>
    membersAt<string | { path: string; name?: string }>(raw[field], `${at}/${field}`).map(({ value, at: place }) =>
      typeof value === "string"
        ? { path: value, name: null, place }
        : { path: value.path, name: value.name ?? null, place },
    ),
  );
  const [disks, files, trees] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
  const named = nameArchives({ disks, files, trees });
  const names = [...named.disks, ...named.files, ...named.trees].map(({ name }) => name);
  [...disks, ...files, ...trees].forEach(({ place, name: given }, i) => {
    if (names.indexOf(names[i]!) === i) return;
    const remedy = given === null ? "; give it a name of its own" : "";
    problems.add(
      given === null ? place : `${place}/name`,
      `two parts of ${machine} have the name ${names[i]}${remedy}`,
    );
  });
}

function checkTags(tags: readonly string[], path: string, { problems }: Building): string[] {
  tags.forEach((tag, i) => {
    if (/[\p{Cc}\p{Cs}]/u.test(tag) || tag.trim() !== tag)
      problems.add(`${path}/${i}`, "a tag is one line without a blank at either end");
    else if (tags.indexOf(tag) < i) problems.add(`${path}/${i}`, `the tag ${tag} is listed twice`);
  });
  return [...tags];
}
