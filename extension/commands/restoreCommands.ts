// Commands that restore: a file or folder, one disk, a whole machine. They ask where to; restoreRuns.ts does the rest.

import { env, l10n, Uri, window, workspace } from "vscode";
import { startFolder } from "../adapt/startFolder.js";
import { commandLine } from "../model/commandLine.js";
import { expandLocation } from "../model/location.js";
import { restoreFolderName } from "../model/restoreReport.js";
import { lastName, shortened } from "../model/shownName.js";
import { dateAndTime, sizeText } from "../model/words.js";
import type { ServiceClient } from "../service/client.js";
import type { SnapshotData } from "../service/protocol.js";
import type { DiskFormat } from "../service/restoreProtocol.js";
import type { ChosenPlace } from "../views/places.js";
import type { ChosenSnapshot, Given, PlaceChooser } from "./chosenPlace.js";
import type { RestoreRun, RestoreRuns } from "./restoreRuns.js";
import { copyWithWord } from "./runningThings.js";

export class RestoreCommands {
  readonly #client: ServiceClient;
  readonly #places: PlaceChooser;
  readonly #runs: RestoreRuns;

  constructor(client: ServiceClient, places: PlaceChooser, runs: RestoreRuns) {
    this.#client = client;
    this.#places = places;
    this.#runs = runs;
  }

  async toFolder(given: Given): Promise<void> {
    const place = await this.#filePlace(given);
    if (place === undefined) return;
    const title = l10n.t("Restore {0} into which folder?", shortened(subjectOf(place)));
    const to = await pickFolder(title, l10n.t("Restore Here"));
    if (to !== undefined) await this.#restoreFiles(place, to);
  }

  async toWorkspace(given: Given): Promise<void> {
    const folders = (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    if (folders.length === 0)
      return void window.showInformationMessage(l10n.t("No folder of this computer is open: use Restore to Folder."));
    const place = await this.#filePlace(given);
    if (place === undefined) return;
    const items = folders.map(({ name, uri }) => ({ label: name, description: uri.fsPath, uri }));
    const title = l10n.t("Restore {0} into which folder?", shortened(subjectOf(place)));
    const picked = items.length === 1 ? items[0] : await window.showQuickPick(items, { title });
    if (picked !== undefined) await this.#restoreFiles(place, picked.uri);
  }

  /** As raw or qcow2; the name of the file says which. */
  async disk(given: Given): Promise<void> {
    const chosen = await this.#places.snapshot(given, l10n.t("Restore a disk of which snapshot?"));
    // machines that are backed up as folders have no disks
    const name = given !== undefined && "kind" in given && given.kind === "entry" ? given.entry.name : undefined;
    if (chosen?.snapshot.disks.some((disk) => disk.name === name && disk.kind === "tree")) return this.toFolder(given);
    const disk = chosen === undefined ? undefined : await pickDisk(chosen.snapshot, given);
    if (chosen === undefined || disk === undefined) return;
    const to = await window.showSaveDialog({
      title: l10n.t("Restore disk {0} to which file?", disk),
      saveLabel: l10n.t("Restore"),
      defaultUri: Uri.joinPath(startFolder(), `${restoreFolderName(chosen.snapshot)}-${disk}.qcow2`),
      filters: { qcow2: ["qcow2"], [l10n.t("Raw disk image")]: ["raw", "img"] },
    });
    const format = to === undefined ? undefined : await formatOf(to);
    if (to === undefined || format === undefined) return;
    const title = l10n.t("Restoring disk {0}", disk);
    await this.#runs.run(this.#diskRun(chosen, { title, disk, to, format }));
  }

  /** All disks and configuration files, into a new folder below the one that is chosen. */
  async machine(given: Given): Promise<void> {
    const chosen = await this.#places.snapshot(given, l10n.t("Restore which snapshot?"));
    if (chosen === undefined) return;
    const { snapshot } = chosen;
    const name = restoreFolderName(snapshot);
    const format = await pickFormat(l10n.t("Disks of {0}: in which format?", snapshot.machine));
    if (format === undefined) return;
    const parent = await pickFolder(l10n.t("In which folder shall {0} be made?", name), l10n.t("Restore Here"));
    if (parent === undefined) return;
    const title = l10n.t("Restoring {0}", snapshot.machine);
    await this.#runs.run(this.#diskRun(chosen, { title, disk: null, to: Uri.joinPath(parent, name), format }));
  }

  async copyCommandLine(given: Given): Promise<void> {
    const place = await this.#filePlace(given, { orWhole: true });
    if (place === undefined) return;
    const { configured, snapshot, path } = place;
    const [, disk = "", rest] = path.split("/");
    const data = await this.#places.snapshotOf(place);
    const isDisk = rest === undefined && data.disks.some(({ name, kind }) => name === disk && kind === "image");
    const args =
      path === "/"
        ? [snapshot, "--to", `${restoreFolderName(data)}/`]
        : isDisk
          ? [snapshot, "--disk", disk, "--to", `${disk}.raw`]
          : [`${snapshot}:${path}`, "--to", "restored"];
    await copyWithWord(commandLine(expandLocation(configured.location), ["restore", ...args]));
  }

  async #filePlace(given: Given, options = {}): Promise<ChosenPlace | undefined> {
    return await this.#places.place(given, l10n.t("Restore which file or folder? As the machine names it"), options);
  }

  async #restoreFiles(place: ChosenPlace, to: Uri): Promise<void> {
    const { configured, snapshot, path } = place;
    const { timeMs } = await this.#places.snapshotOf(place);
    await this.#runs.run({
      title: l10n.t("Restoring {0}", shortened(lastName(path), 80)),
      subject: subjectOf(place),
      name: path,
      time: dateAndTime(timeMs, env.language),
      ...{ to, canKeep: true },
      run: async ({ existing }, options) => {
        const files = await this.#places.use(configured, ({ handle }) =>
          this.#client.call("restoreFiles", { repository: handle, snapshot, path, to: to.fsPath, existing }, options),
        );
        return { files, disks: [] };
      },
    });
  }

  #diskRun(
    { configured, snapshot }: ChosenSnapshot,
    { title, disk, to, format }: { title: string; disk: string | null; to: Uri; format: DiskFormat },
  ): RestoreRun {
    return {
      title,
      name: disk ?? snapshot.machine,
      subject: disk === null ? snapshot.machine : `${snapshot.machine} ${disk}`,
      time: dateAndTime(snapshot.timeMs, env.language),
      ...{ to, canKeep: false },
      run: async ({ existing, skipDamaged }, options) => {
        const what = { snapshot: snapshot.snapshotId, disk, to: to.fsPath, format };
        const { disks, files } = await this.#places.use(configured, ({ handle }) => {
          const argument = { ...what, repository: handle, replace: existing === "replace", skipDamaged };
          return this.#client.call("restoreDisks", argument, options);
        });
        return { disks, files };
      },
      giveUp: async (paths) => void (await this.#client.call("removeUnfinished", { paths })),
    };
  }
}

async function pickFolder(title: string, openLabel: string): Promise<Uri | undefined> {
  const options = { title, openLabel, canSelectFiles: false, canSelectFolders: true, defaultUri: startFolder() };
  const [folder] = (await window.showOpenDialog(options)) ?? [];
  if (folder === undefined || folder.scheme === "file") return folder;
  return void window.showInformationMessage(l10n.t("Only folders of this computer can be restored to."));
}

async function pickDisk({ disks }: SnapshotData, given: Given): Promise<string | undefined> {
  if (given !== undefined && "kind" in given && given.kind === "entry" && given.entry.kind === "disk")
    return given.entry.name;
  const images = disks.filter(({ kind }) => kind === "image");
  if (images.length === 0) return void window.showInformationMessage(l10n.t("This snapshot has no disks."));
  if (images.length === 1) return images[0]?.name;
  const items = images.map(({ name, sizeBytes }) => ({ label: name, description: sizeText(sizeBytes, env.language) }));
  return (await window.showQuickPick(items, { title: l10n.t("Restore which disk?") }))?.label;
}

async function formatOf({ path }: Uri): Promise<DiskFormat | undefined> {
  const [, ending = ""] = /\.([a-z0-9]+)$/i.exec(path) ?? [];
  if (ending.toLowerCase() === "qcow2") return "qcow2";
  if (["raw", "img"].includes(ending.toLowerCase())) return "raw";
  return await pickFormat(l10n.t("In which format?"));
}

async function pickFormat(title: string): Promise<DiskFormat | undefined> {
  const items: { label: string; detail: string; format: DiskFormat }[] = [
    { label: "qcow2", detail: l10n.t("Takes up what is in it; for QEMU and libvirt"), format: "qcow2" },
    { label: "raw", detail: l10n.t("The disk byte for byte, as a sparse file; for everything"), format: "raw" },
  ];
  return (await window.showQuickPick(items, { title }))?.format;
}

function subjectOf({ machine, path }: ChosenPlace): string {
  return `${machine} ${path}`;
}
