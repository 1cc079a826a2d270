// Which folders of this computer have files of machines, for the menus of the Explorer and of tabs: a `when` can look for a folder in a
// list, and for nothing below it, so the list has every folder below the mapped ones.

import { commands, type Disposable, FileType, Uri, window, workspace } from "vscode";
import { localFolders } from "./mappedFolders.js";

/** More folders than these are not listed: the menus then offer versions of every file. */
const MAX_FOLDERS = 5000;
const PAUSE_MS = 500;
/** Other programs make folders, too: looked for when somebody comes back to the window, this often at most. */
const AGAIN_MS = 30_000;
const LEFT_OUT = new Set([".git", "node_modules"]);

export class MappedContext implements Disposable {
  readonly #listeners: Disposable[];
  #timer: NodeJS.Timeout | undefined;
  #lookedAtMs = 0;
  #round = 0;

  constructor() {
    this.#listeners = [
      workspace.onDidChangeConfiguration((change) => {
        if (["reprise.machines", "reprise.repositories"].some((name) => change.affectsConfiguration(name)))
          this.#soon();
      }),
      workspace.onDidChangeWorkspaceFolders(() => this.#soon()),
      workspace.onDidCreateFiles(() => this.#soon()),
      workspace.onDidRenameFiles(() => this.#soon()),
      window.onDidChangeWindowState(({ focused }) => {
        if (focused && Date.now() - this.#lookedAtMs > AGAIN_MS) this.#soon();
      }),
    ];
    this.#soon();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#round++;
    for (const listener of this.#listeners) listener.dispose();
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look().catch(() => {}), PAUSE_MS);
  }

  async #look(): Promise<void> {
    const round = ++this.#round;
    this.#lookedAtMs = Date.now();
    const folders = await foldersBelow(localFolders(), () => round !== this.#round);
    if (folders === undefined) return;
    const isTooMany = folders.length > MAX_FOLDERS;
    // a window on another computer knows them by their paths
    const names = isTooMany ? [] : folders.flatMap(({ fsPath, path }) => (fsPath === path ? [path] : [fsPath, path]));
    await commands.executeCommand("setContext", "reprise.mappedFolders", names);
    await commands.executeCommand("setContext", "reprise.mapsEverything", isTooMany);
  }
}

/** Those given and all below them, links left out; one more than the limit when there are too many. Undefined: given up. */
async function foldersBelow(tops: readonly Uri[], isOld: () => boolean): Promise<Uri[] | undefined> {
  const found = new Map(tops.map((top) => [top.path, top]));
  // grows while it is gone through
  for (const folder of found.values()) {
    if (isOld()) return undefined;
    const entries = await workspace.fs.readDirectory(folder).then(undefined, () => []);
    for (const [name, type] of entries) {
      if (type !== FileType.Directory || LEFT_OUT.has(name)) continue;
      const below = Uri.joinPath(folder, name);
      found.set(below.path, below);
      if (found.size > MAX_FOLDERS) return [...found.values()];
    }
  }
  return [...found.values()];
}
