// Which folders of this computer are folders of a machine that is backed up: the setting `reprise.machines`. Paths have slashes,
// also those of this computer (as in URIs).

export interface MachineFolder {
  /** Name or location of a configured repository; empty: any that has the machine. */
  repository: string;
  /** As commands take it: `prod:vm/web1`. */
  machine: string;
  /** On this computer, as the settings spell it. */
  folder: string;
  /** In the machine, as in `/etc` or `/sda/p2/etc`. */
  path: string;
}

const MAX_FOLDERS = 256;

/** What has the wrong shape is left out: the settings editor shows what is wrong with it. */
export function readMachineFolders(raw: unknown): MachineFolder[] {
  const entries = Array.isArray(raw) ? raw.slice(0, MAX_FOLDERS) : [];
  return entries.flatMap((entry): MachineFolder[] => {
    const { repository = "", machine, folder, path } = (entry ?? {}) as Partial<Record<keyof MachineFolder, unknown>>;
    const isSound =
      typeof repository === "string" &&
      [machine, folder, path].every((text) => typeof text === "string" && text !== "") &&
      String(path).startsWith("/");
    return isSound ? [{ repository, machine, folder, path } as MachineFolder] : [];
  });
}

/** The path in the machine of a local one; the innermost folder decides. `folderPath`: of a mapping, as a URI has it. */
export function pathInMachine(
  folders: readonly MachineFolder[],
  localPath: string,
  folderPath: (folder: MachineFolder) => string,
): { folder: MachineFolder; path: string } | undefined {
  const candidates = folders
    .map((folder) => ({ folder, rest: restBelow(withoutSlash(folderPath(folder)), localPath) }))
    .filter((candidate): candidate is { folder: MachineFolder; rest: string } => candidate.rest !== undefined)
    .sort((a, b) => a.rest.length - b.rest.length);
  const [best] = candidates;
  if (best === undefined) return undefined;
  // a backslash of a local name is no escape
  const path = `${withoutSlash(best.folder.path)}${best.rest.replaceAll("\\", "\\\\")}`;
  return { folder: best.folder, path: path || "/" };
}

/** Where a path of the machine is on this computer; undefined: nowhere, or no local name can say it. */
export function localPathOf(
  folder: MachineFolder,
  path: string,
  folderPath: (folder: MachineFolder) => string,
): string | undefined {
  const withoutVolume = path.replace(/^\/[^/]*\/[^/]*/, "");
  const top = withoutSlash(folder.path);
  const rest = restBelow(top, path) ?? restBelow(top, withoutVolume);
  if (rest === undefined || /\\x/.test(rest.replaceAll("\\\\", ""))) return undefined;
  return `${withoutSlash(folderPath(folder))}${rest.replaceAll("\\\\", "\\")}`;
}

/** With its slash; empty for the folder itself; undefined when it is not below. */
function restBelow(folder: string, path: string): string | undefined {
  if (path === folder) return "";
  return path.startsWith(`${folder}/`) ? path.slice(folder.length) : undefined;
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}
