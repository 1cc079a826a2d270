// Commands that compare: a file with another version, machine or local file, and two snapshots as a whole.

import { env, l10n, ProgressLocation, type QuickPickItem, Uri, window, workspace } from "vscode";
import { withSignal } from "../adapt/cancellation.js";
import { spanText, type VersionRow, versionWords } from "../model/fileVersions.js";
import { labelText, lastName, messageText, shortened } from "../model/shownName.js";
import { dateAndTime } from "../model/words.js";
import { localFile, mappedFile } from "../repositories/mappedFolders.js";
import type { ServiceClient } from "../service/client.js";
import type { SnapshotData } from "../service/protocol.js";
import { type ChosenPlace, placeUri } from "../views/places.js";
import { type VersionNode, type VersionSubject, type VersionsTree, versionNodes } from "../views/versionsTree.js";
import type { Given, PlaceChooser } from "./chosenPlace.js";
import { tellUnmapped } from "./mapCommands.js";
import type { DiffSide, SideDocuments } from "./sideDocuments.js";

export class CompareCommands {
  readonly #client: ServiceClient;
  readonly #places: PlaceChooser;
  readonly #versions: VersionsTree;
  readonly #sides: SideDocuments;

  constructor(client: ServiceClient, places: PlaceChooser, versions: VersionsTree, sides: SideDocuments) {
    this.#client = client;
    this.#places = places;
    this.#versions = versions;
    this.#sides = sides;
  }

  /** In the File versions view. Also of a local file that the settings map to a machine. */
  async showVersions(given: Given): Promise<void> {
    const subject = await this.#subject(given);
    if (subject === undefined) return;
    this.#versions.refresh(subject);
    await this.#versions.reveal();
  }

  async withPrevious(given: Given): Promise<void> {
    if (isVersion(given)) return await this.#withRow(given, given.row.previous);
    const place = await this.#file(given);
    if (place === undefined) return;
    const [nodes, snapshot] = await Promise.all([this.#history(place), this.#places.snapshotOf(place)]);
    const node = nodes.find(({ row: { period } }) => contains(period, snapshot));
    if (node === undefined || node.row.version === null) return this.#tellMissing(place);
    await this.#withRow({ ...node, place }, node.row.previous);
  }

  /** One of all versions is picked. */
  async withVersion(given: Given): Promise<void> {
    const place = await this.#file(given);
    if (place === undefined) return;
    const [nodes, snapshot] = await Promise.all([this.#history(place), this.#places.snapshotOf(place)]);
    const others = nodes.filter(({ row: { version, period } }) => version !== null && !contains(period, snapshot));
    if (others.length === 0) return this.#tellNoOther(place);
    const items = others.map((node): QuickPickItem & { node: VersionNode } => {
      const label = `$(history) ${labelText(spanText(node.row.period, Date.now(), env.language))}`;
      return { label, description: versionWords(node.row, env.language, l10n.t), node };
    });
    const title = l10n.t("Compare {0} with which version?", shortened(lastName(place.path)));
    const picked = await window.showQuickPick(items, { title, matchOnDescription: true });
    if (picked === undefined) return;
    const other = { place: picked.node.place, label: timeLabel(picked.node.row.period.last) };
    const own = { place, label: timeLabel(snapshot) };
    const isOlder = picked.node.row.period.last.timeMs <= snapshot.timeMs;
    await (isOlder ? this.#sides.open(other, own) : this.#sides.open(own, other));
  }

  /** The file at the same path of another machine. */
  async withMachine(given: Given): Promise<void> {
    const place = await this.#file(given);
    if (place === undefined) return;
    const title = l10n.t("Compare {0} with which machine?", shortened(lastName(place.path)));
    const machine = await this.#places.pickMachine(place.configured, title, place.machine);
    if (machine === undefined) return;
    const other = await this.#places.pickSnapshot(place.configured, machine.machine, title);
    if (other === undefined) return;
    const { snapshot, path } = place;
    const found = await this.#places.use(place.configured, ({ handle }) =>
      this.#client.call("counterpart", { repository: handle, snapshot, path, other: other.snapshot.snapshotId }),
    );
    if (found === null) {
      const message = l10n.t("{0} is not in this snapshot of {1}.", messageText(path), machine.machine);
      return void window.showInformationMessage(message);
    }
    const left = { place: await this.#places.placeIn(other, found.path), label: machine.machine };
    await this.#sides.open(left, { place, label: place.machine });
  }

  /** The file that the settings map it to, or one that is chosen. */
  async withLocal(given: Given): Promise<void> {
    const open = given ?? window.activeTextEditor?.document.uri;
    const isLocal = open instanceof Uri && open.scheme === "file";
    if (isLocal && (given !== undefined || mappedFile(open) !== undefined)) return await this.#newestWithLocal(open);
    const place = await this.#file(given);
    if (place === undefined) return;
    const local = await this.#localOf(place);
    if (local === undefined) return;
    const snapshot = await this.#places.snapshotOf(place);
    const title = `${shortened(lastName(place.path), 80)} (${timeLabel(snapshot)} ↔ ${l10n.t("local file")})`;
    await this.#sides.openUris(placeUri(place), local, title);
  }

  /** From the Explorer: the newest backup of a local file against the file itself. */
  async #newestWithLocal(local: Uri): Promise<void> {
    const mapped = mappedFile(local);
    if (mapped === undefined) return await tellUnmapped(local);
    const { repository: configured, machine, path } = mapped;
    const nodes = await this.#search({ configured, machine, path });
    const newest = nodes.find(({ row }) => row.version !== null);
    if (newest === undefined) return this.#tellMissing({ machine, path });
    const title = `${shortened(lastName(path), 80)} (${timeLabel(newest.row.period.last)} ↔ ${l10n.t("local file")})`;
    await this.#sides.openUris(placeUri(newest.place), local, title);
  }

  async #localOf({ configured, machine, path }: ChosenPlace): Promise<Uri | undefined> {
    const mapped = localFile(configured, machine, path);
    if (mapped !== undefined && (await isFile(mapped))) return mapped;
    const title = l10n.t("Compare {0} with which local file?", shortened(lastName(path)));
    return (await window.showOpenDialog({ title, openLabel: l10n.t("Compare") }))?.[0];
  }

  async #withRow({ row, place }: VersionNode, previous: VersionRow | null): Promise<void> {
    if (previous === null || previous.version === null) return this.#tellNoEarlier(place);
    const { last } = previous.period;
    const before = { ...place, snapshot: last.snapshotId, path: previous.version.path };
    const after: DiffSide | null = row.version === null ? null : { place, label: timeLabel(row.period.first) };
    await this.#sides.open({ place: before, label: timeLabel(last) }, after);
  }

  async #file(given: Given): Promise<ChosenPlace | undefined> {
    return await this.#places.place(given, l10n.t("Which file? As the machine names it"));
  }

  async #subject(given: Given): Promise<VersionSubject | undefined> {
    const local =
      given instanceof Uri ? given : given === undefined ? window.activeTextEditor?.document.uri : undefined;
    if (local?.scheme === "file") {
      const mapped = mappedFile(local);
      if (mapped !== undefined) return { configured: mapped.repository, machine: mapped.machine, path: mapped.path };
      if (given !== undefined) return void (await tellUnmapped(local));
    }
    const place = await this.#file(given);
    return place === undefined ? undefined : { ...place };
  }

  async #history(place: ChosenPlace): Promise<VersionNode[]> {
    return await this.#search({ configured: place.configured, machine: place.machine, path: place.path });
  }

  /** Through all snapshots of the machine, with progress. */
  async #search(subject: VersionSubject): Promise<VersionNode[]> {
    const title = l10n.t("Looking for versions of {0}", messageText(lastName(subject.path)));
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    return await window.withProgress(options, (progress, token) =>
      withSignal(token, async (signal) => {
        let before = 0;
        const history = await this.#versions.history(subject, {
          signal,
          onProgress: ({ done, total = 0 }) => {
            const message = l10n.t("Looked into {0} of {1} snapshots…", done, total);
            progress.report({ message, increment: total === 0 ? 0 : ((done - before) / total) * 100 });
            before = done;
          },
        });
        const { repositoryId } = await this.#places.use(subject.configured, async (opened) => opened);
        return versionNodes(history, subject, repositoryId);
      }),
    );
  }

  #tellMissing({ machine, path }: Pick<ChosenPlace, "machine" | "path">): void {
    const message = l10n.t("No snapshot of {0} has {1}.", machine, messageText(path));
    void window.showInformationMessage(message);
  }

  #tellNoEarlier({ path }: ChosenPlace): void {
    const message = l10n.t("No earlier snapshot has another version of {0}.", messageText(lastName(path)));
    void window.showInformationMessage(message);
  }

  #tellNoOther({ path }: ChosenPlace): void {
    const message = l10n.t("{0} is the same in all snapshots.", messageText(lastName(path)));
    void window.showInformationMessage(message);
  }
}

async function isFile(uri: Uri): Promise<boolean> {
  try {
    return ((await workspace.fs.stat(uri)).type & 1) !== 0;
  } catch {
    return false;
  }
}

function contains({ first, last }: VersionRow["period"], { timeMs }: SnapshotData): boolean {
  return first.timeMs <= timeMs && timeMs <= last.timeMs;
}

function timeLabel({ timeMs }: SnapshotData): string {
  return dateAndTime(timeMs, env.language);
}

function isVersion(given: Given): given is VersionNode {
  return given !== undefined && !(given instanceof Uri) && given.kind === "version";
}
