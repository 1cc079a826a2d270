// Commands on what is in a snapshot: open it, a part of it, as a folder of the workspace, and copy how to name it.

import { commands, env, FileType, l10n, Uri, window, workspace } from "vscode";
import { commandLine } from "../model/commandLine.js";
import { withoutIcons } from "../model/harmlessText.js";
import { type FilePart, fromUriParts, SCHEME, type SnapshotPlace, toUriParts } from "../model/repriseUri.js";
import { sizeText } from "../model/words.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import { MAX_RANGE_BYTES } from "../service/protocol.js";
import { uriOf } from "../views/nodeItems.js";
import { type EntryNode, type Node, repositoryOf, type SnapshotNode } from "../views/nodes.js";

const MIB = 1024 * 1024;

export class FileCommands {
  readonly #repositories: OpenRepositories;
  readonly #selected: () => Node | undefined;

  constructor(repositories: OpenRepositories, selected: () => Node | undefined) {
    this.#repositories = repositories;
    this.#selected = selected;
  }

  async open(given?: Node | Uri): Promise<void> {
    const uri = await this.#uriOf(given);
    if (uri === undefined) return;
    const isLink = given !== undefined && "kind" in given && given.kind === "entry" && given.entry.kind === "symlink";
    if (isLink) await this.#openOrList(uri);
    else await commands.executeCommand("vscode.open", uri);
  }

  /** A window of a file, as a file of its own. */
  async openPart(given?: Node | Uri): Promise<void> {
    const uri = await this.#uriOf(given);
    const place = uri === undefined ? undefined : fromUriParts(uri);
    if (uri === undefined || place === undefined) return;
    const { size } = await workspace.fs.stat(Uri.from(toUriParts({ ...place, part: undefined })));
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
    const uri = await this.#uriOf(given);
    const place = uri === undefined ? undefined : fromUriParts(uri);
    if (uri === undefined || place === undefined) return;
    const name = `${place.machine} ${place.path}`;
    workspace.updateWorkspaceFolders(workspace.workspaceFolders?.length ?? 0, 0, { uri, name });
  }

  async goToPath(given?: Node): Promise<void> {
    const node = given ?? this.#selected();
    const snapshot = node === undefined ? undefined : snapshotOf(node);
    if (snapshot === undefined) {
      void window.showInformationMessage(l10n.t("Select a snapshot in the Backups view first."));
      return;
    }
    const path = await window.showInputBox({
      title: l10n.t("Go to a path of {0}", snapshot.snapshot.machine),
      prompt: l10n.t("A file or folder as the machine names it, or with disk and volume in front"),
      placeHolder: "/etc/hostname",
    });
    if (path === undefined || path === "") return;
    const { configured } = snapshot.repository;
    const asked = path.startsWith("/") ? path : `/${path}`;
    // the same file has one place, however it is named
    const found = await this.#repositories.locate(configured, snapshot.snapshot.snapshotId, asked);
    await this.#openOrList(await this.#uriIn(snapshot, found.path));
  }

  async copyPath(given?: Node | Uri): Promise<void> {
    const place = await this.#placeOf(given);
    if (place !== undefined) await env.clipboard.writeText(place.path);
  }

  async copyCommandLine(given?: Node | Uri): Promise<void> {
    const node = given === undefined || given instanceof Uri ? undefined : given;
    if (node !== undefined && ["repository", "namespace", "machine", "day"].includes(node.kind)) {
      await env.clipboard.writeText(commandLine(repositoryOf(node).configured.location, snapshotsArguments(node)));
      return;
    }
    const place = await this.#placeOf(given);
    if (place === undefined) return;
    const { configured } = await this.#repositories.byId(place.repositoryId);
    const isFile = node?.kind === "entry" ? node.entry.kind === "file" : given instanceof Uri || node === undefined;
    const what = `${place.snapshot}:${place.path}`;
    await env.clipboard.writeText(commandLine(configured.location, [isFile ? "cat" : "ls", what]));
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
    const picked = await window.showQuickPick(items, { title: uri.path, placeHolder: l10n.t("Open which one?") });
    if (picked !== undefined) await this.#openOrList(Uri.joinPath(uri, picked.name));
  }

  async #placeOf(given: Node | Uri | undefined): Promise<SnapshotPlace | undefined> {
    const uri = await this.#uriOf(given);
    return uri === undefined ? undefined : fromUriParts(uri);
  }

  /** Of a row, of a tab's menu, or of what is open or selected when a command came from the palette. */
  async #uriOf(given: Node | Uri | undefined): Promise<Uri | undefined> {
    if (given instanceof Uri) return given;
    const active = window.activeTextEditor?.document.uri;
    if (given === undefined && active?.scheme === SCHEME) return active;
    const node = given ?? this.#selected();
    if (node?.kind === "entry") return uriOf(node);
    return node?.kind === "snapshot" ? await this.#uriIn(node, "/") : undefined;
  }

  async #uriIn({ repository, snapshot }: SnapshotNode, path: string): Promise<Uri> {
    const { repositoryId } = await this.#repositories.open(repository.configured);
    return Uri.from(toUriParts({ repositoryId, machine: snapshot.machine, snapshot: snapshot.snapshotId, path }));
  }
}

function snapshotOf(node: Node): SnapshotNode | undefined {
  if (node.kind === "snapshot") return node;
  return node.kind === "entry" ? (node as EntryNode).snapshot : undefined;
}

function snapshotsArguments(node: Node): string[] {
  if (node.kind === "machine") return ["snapshots", "--group", node.machine.machine];
  return node.kind === "day" ? snapshotsArguments(node.parent) : ["snapshots"];
}

/** Undefined: not a place in the file. */
function partAt(text: string, sizeBytes: number): FilePart | undefined {
  const offset = Math.floor(Number(text.replace(",", ".")) * MIB);
  if (text.trim() === "" || !Number.isSafeInteger(offset) || offset < 0 || offset >= Math.max(1, sizeBytes))
    return undefined;
  return { offset, length: MAX_RANGE_BYTES };
}
