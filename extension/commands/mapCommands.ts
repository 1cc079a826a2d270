// Says which folder of this computer is which folder of a machine, and writes it to the setting `reprise.machines`.

import { commands, l10n, type QuickPickItem, Uri, window, workspace } from "vscode";
import { labelText, messageText } from "../model/shownName.js";
import { addMachineFolder, mappedFile } from "../repositories/mappedFolders.js";
import type { PlaceChooser } from "./chosenPlace.js";

const MAX_OFFERED = 12;

export class MapCommands {
  readonly #places: PlaceChooser;

  constructor(places: PlaceChooser) {
    this.#places = places;
  }

  /** Of a file or folder, of what is open, or of a folder that is chosen. */
  async mapFolder(given?: unknown): Promise<void> {
    const local = given instanceof Uri ? given : window.activeTextEditor?.document.uri;
    const folder = await pickFolder(local?.scheme === "file" ? local : undefined);
    if (folder === undefined) return;
    const title = l10n.t("Whose folder is {0}?", labelText(folder.fsPath));
    const machine = await this.#places.machine(undefined, title);
    if (machine === undefined) return;
    const path = await window.showInputBox({
      title,
      prompt: l10n.t("Which folder of {0} is it? As the machine names it", machine.machine),
      placeHolder: "/etc",
      ignoreFocusOut: true,
      validateInput: (text) => (text.startsWith("/") ? undefined : l10n.t("It begins with a slash, as in /etc")),
    });
    if (path === undefined) return;
    const { location } = machine.configured;
    await addMachineFolder({ repository: location, machine: machine.machine, folder: folder.fsPath, path });
    const text = l10n.t("Files below {0} are files of {1} now.", messageText(folder.fsPath), machine.machine);
    const [versions, setting] = [l10n.t("Show All Versions of File"), l10n.t("Open Setting")];
    const isMapped = local !== undefined && mappedFile(local) !== undefined;
    // the command is done; the answer may take long
    window.showInformationMessage(text, ...(isMapped ? [versions] : []), setting).then((chosen) => {
      if (chosen === versions) void commands.executeCommand("reprise.showVersions", local);
      if (chosen === setting) void commands.executeCommand("workbench.action.openSettings", "reprise.machines");
    });
  }
}

/** When a file is asked about that no folder of the setting has. */
export async function tellUnmapped(local: Uri): Promise<void> {
  const map = l10n.t("Map Folder…");
  const text = l10n.t(
    "{0} is in no folder of the setting reprise.machines. It says which folder of this computer is which folder of a machine in a backup.",
    messageText(local.fsPath),
  );
  if ((await window.showInformationMessage(text, map)) === map)
    await commands.executeCommand("reprise.mapFolder", local);
}

/** The folder of the file and those above it, up to that of the workspace. */
async function pickFolder(local: Uri | undefined): Promise<Uri | undefined> {
  const title = l10n.t("Which folder of this computer is in a backup?");
  type Choice = QuickPickItem & { folder?: Uri };
  const tops = (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri);
  const offered = local === undefined ? tops : await foldersOf(local, tops);
  const other = l10n.t("Choose Another Folder…");
  const items: Choice[] = offered.map((folder) => ({ label: `$(folder) ${labelText(folder.fsPath)}`, folder }));
  const picked = await window.showQuickPick([...items, { label: other } as Choice], { title });
  if (picked === undefined || picked.folder !== undefined) return picked?.folder;
  const options = { title, canSelectFiles: false, canSelectFolders: true, openLabel: l10n.t("Map Folder") };
  return (await window.showOpenDialog(options))?.find(({ scheme }) => scheme === "file");
}

async function foldersOf(local: Uri, tops: readonly Uri[]): Promise<Uri[]> {
  const isFolder = ((await workspace.fs.stat(local)).type & 2) !== 0;
  const folders: Uri[] = [];
  for (let folder = isFolder ? local : above(local); folders.length < MAX_OFFERED; folder = above(folder)) {
    folders.push(folder);
    if (folder.path === "/" || tops.some(({ path }) => path === folder.path)) break;
  }
  return folders;
}

function above(uri: Uri): Uri {
  return Uri.joinPath(uri, "..");
}
