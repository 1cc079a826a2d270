// Commands on what is in a snapshot: open it, a part of it, as a folder of the workspace.

import { commands, env, FileType, l10n, Uri, window, workspace } from "vscode";
import { withoutIcons } from "../model/harmlessText.js";
import { type FilePart, fromUriParts, SCHEME, toUriParts } from "../model/repriseUri.js";
import { messageText } from "../model/shownName.js";
import { sizeText } from "../model/words.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import { MAX_RANGE_BYTES } from "../service/protocol.js";
import type { Node } from "../views/nodes.js";
import { placeUri } from "../views/places.js";
import type { PlaceChooser } from "./chosenPlace.js";

const MIB = 1024 * 1024;

export class FileCommands {
  readonly #repositories: OpenRepositories;
  readonly #places: PlaceChooser;

  constructor(repositories: OpenRepositories, places: PlaceChooser) {
    this.#repositories = repositories;
    this.#places = places;
  }

  async open(given?: Node | Uri): Promise<void> {
    const uri = await this.#uriOf(given, l10n.t("Open which file? As the machine names it"));
    if (uri === undefined) return;
    // links, and what was typed, may lead to a folder
    const isFile = given !== undefined && "kind" in given && given.kind === "entry" && given.entry.kind === "file";
    if (isFile) await commands.executeCommand("vscode.open", uri);
    else await this.#openOrList(uri);
  }

  /** A window of a file, as a file of its own. */
  async openPart(given?: Node | Uri): Promise<void> {
    const uri = await this.#uriOf(given, l10n.t("Open a part of which file? As the machine names it"));
    const place = uri === undefined ? undefined : fromUriParts(uri);
    if (uri === undefined || place === undefined) return;
    const { size, type } = await workspace.fs.stat(Uri.from(toUriParts({ ...place, part: undefined })));
    if ((type & FileType.File) === 0)
      return void window.showInformationMessage(l10n.t("{0} is no file.", messageText(place.path)));
    const text = await window.showInputBox({
      title: l10n.t("Open a part of {0} ({1})", place.path, sizeText(size, env.language)),
      prompt: l10n.t("From which MiB on? {0} are shown.", sizeText(MAX_RANGE_BYTES, env.language)),
      value: "0",
      validateInput: (typed) => (partAt(typed, size) === undefined ? l10n.t("A number within the file") : undefined),
    });
    const part = text === undefined ? undefined : partAt(text, size);
    if (part !== undefined) await commands.executeCommand("vscode.open", Uri.from(toUriParts({ ...place, part })));
  }

  /** The folder, volume, disk or whole snapshot as a folder of the workspace. */
  async openInWorkspace(given?: Node): Promise<void> {
    const uri = await this.#uriOf(given, l10n.t("Add which folder? As the machine names it"), { orWhole: true });
    const place = uri === undefined ? undefined : fromUriParts(uri);
    if (uri === undefined || place === undefined) return;
    const name = `${place.machine} ${place.path}`;
    workspace.updateWorkspaceFolders(workspace.workspaceFolders?.length ?? 0, 0, { uri, name });
  }

  async goToPath(given?: Node): Promise<void> {
    const chosen = await this.#places.snapshot(given, l10n.t("Go to a path of which snapshot?"));
    if (chosen === undefined) return;
    const { configured, snapshot } = chosen;
    const typed = await window.showInputBox({
      title: l10n.t("Go to a path of {0}", snapshot.machine),
      prompt: l10n.t("A file or folder as the machine names it, or with disk and volume in front"),
      placeHolder: "/etc/hostname",
    });
    const path = typed?.trim() ?? "";
    if (path === "") return;
    const asked = path.startsWith("/") ? path : `/${path}`;
    // the same file has one place, however it is named
    const found = await this.#repositories.locate(configured, snapshot.snapshotId, asked);
    await this.#openOrList(placeUri(await this.#places.placeIn(chosen, found.path)));
  }

  /** A folder is shown by letting the user pick what is in it. */
  async #openOrList(uri: Uri): Promise<void> {
    const { type } = await workspace.fs.stat(uri);
    if ((type & FileType.Directory) === 0) {
      await commands.executeCommand("vscode.open", uri);
      return;
    }
    const entries = await workspace.fs.readDirectory(uri);
    const items = entries.map(([name, kind]) => {
      return { label: `$(${(kind & FileType.Directory) === 0 ? "file" : "folder"}) ${withoutIcons(name)}`, name };
    });
    const picked = await window.showQuickPick(items, {
      title: fromUriParts(uri)?.path ?? uri.path,
      placeHolder: l10n.t("Open which one?"),
    });
    if (picked !== undefined) await this.#openOrList(Uri.joinPath(uri, picked.name));
  }

  /** Of a row, of a tab's menu, of what is open or selected when a command came from the palette, or of what is asked for. */
  async #uriOf(given: Node | Uri | undefined, prompt: string, options = {}): Promise<Uri | undefined> {
    if (given instanceof Uri && given.scheme === SCHEME) return given;
    const place = await this.#places.place(given, prompt, options);
    return place === undefined ? undefined : placeUri(place);
  }
}

/** Undefined: not a place in the file. */
function partAt(text: string, sizeBytes: number): FilePart | undefined {
  const offset = Math.floor(Number(text.replace(",", ".")) * MIB);
  if (text.trim() === "" || !Number.isSafeInteger(offset) || offset < 0 || offset >= Math.max(1, sizeBytes))
    return undefined;
  return { offset, length: MAX_RANGE_BYTES };
}
