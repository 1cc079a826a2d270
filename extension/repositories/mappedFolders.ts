// The setting `reprise.machines`: which folders of this computer are folders of machines in backups.

import { ConfigurationTarget, Uri, workspace } from "vscode";
import { expandLocation } from "../model/location.js";
import { localPathOf, type MachineFolder, pathInMachine, readMachineFolders } from "../model/machineFolders.js";
import { type ConfiguredRepository, configuredRepositories } from "./configured.js";

const SECTION = "reprise.machines";

export interface MappedFile {
  /** The first configured repository that the mapping can mean. */
  repository: ConfiguredRepository;
  machine: string;
  path: string;
}

export function machineFolders(): MachineFolder[] {
  return readMachineFolders(workspace.getConfiguration().get<unknown>(SECTION));
}

/** Undefined: no folder of the settings has it, or its repository is not configured. */
export function mappedFile(local: Uri): MappedFile | undefined {
  if (local.scheme !== "file") return undefined;
  const found = pathInMachine(machineFolders(), local.path, folderPath);
  const repository = found === undefined ? undefined : repositoryOf(found.folder);
  if (found === undefined || repository === undefined) return undefined;
  return { repository, machine: found.folder.machine, path: found.path };
}

/** Where a file of a machine is on this computer, as far as the settings know. */
export function localFile(repository: ConfiguredRepository, machine: string, path: string): Uri | undefined {
  for (const folder of machineFolders()) {
    if (folder.machine !== machine || !isMeant(folder, repository)) continue;
    const local = localPathOf(folder, path, folderPath);
    if (local !== undefined) return Uri.file(local);
  }
  return undefined;
}

export async function addMachineFolder(folder: MachineFolder): Promise<void> {
  const configuration = workspace.getConfiguration();
  const known = configuration.inspect<unknown[]>(SECTION)?.globalValue;
  const entry = folder.repository === "" ? { ...folder, repository: undefined } : folder;
  const entries = [...(Array.isArray(known) ? known : []), entry];
  await configuration.update(SECTION, entries, ConfigurationTarget.Global);
}

/** Those that a configured repository is meant by, as folders of this computer. */
export function localFolders(): Uri[] {
  return machineFolders()
    .filter((folder) => repositoryOf(folder) !== undefined)
    .map((folder) => Uri.file(folderPath(folder)));
}

/** Relative ones are in the first folder of the workspace. */
function folderPath({ folder }: MachineFolder): string {
  const top = workspace.workspaceFolders?.[0]?.uri;
  const expanded = expandLocation(folder);
  if (top !== undefined && !/^(?:[/\\]|[A-Za-z]:)/.test(expanded)) return Uri.joinPath(top, expanded).path;
  return Uri.file(expanded).path;
}

function repositoryOf(folder: MachineFolder): ConfiguredRepository | undefined {
  return configuredRepositories().find((configured) => isMeant(folder, configured));
}

function isMeant({ repository }: MachineFolder, { location, name }: ConfiguredRepository): boolean {
  return repository === "" || repository === location || repository === name;
}
