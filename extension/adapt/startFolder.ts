// Where dialogs for files begin: the first folder of the workspace that is on a disk, or the home folder.

import { homedir } from "node:os";
import { Uri, workspace } from "vscode";

export function startFolder(): Uri {
  const local = workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file");
  return local?.uri ?? Uri.file(homedir());
}
