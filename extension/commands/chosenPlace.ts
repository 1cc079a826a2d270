// What a command is about: the row or tab that it was called on, what is open or selected when it came from the palette, or what
// the user picks when it is nothing of these.

import { env, l10n, type QuickPickItem, TabInputCustom, TabInputText, Uri, window } from "vscode";
import { fromUriParts, SCHEME } from "../model/repriseUri.js";
import { labelText } from "../model/shownName.js";
import { stateWords } from "../model/snapshotState.js";
import { ageText, dateAndTime } from "../model/words.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OpenedRepository, OpenRepositories } from "../repositories/openRepositories.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import { type EntryData, MAX_PAGE, type SnapshotData } from "../service/protocol.js";
import type { ChangeRow } from "../views/changesTree.js";
import { type MachineNode, type Node, repositoryOf } from "../views/nodes.js";
import type { ChosenPlace } from "../views/places.js";
import type { HitNode } from "../views/searchTree.js";
import type { VersionNode } from "../views/versionsTree.js";
import { pickRepository } from "./pickRepository.js";

export interface ChosenSnapshot {
  configured: ConfiguredRepository;
  snapshot: SnapshotData;
}

export type Given = Node | VersionNode | ChangeRow | HitNode | Uri | undefined;

/** Newest snapshots in a list to pick from. */
const MAX_LISTED = 2 * MAX_PAGE;

export class PlaceChooser {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #selected: () => Node | undefined;

  constructor(client: ServiceClient, repositories: OpenRepositories, selected: () => Node | undefined) {
    this.#client = client;
    this.#repositories = repositories;
    this.#selected = selected;
  }

  /**
   * A file or folder; of a whole snapshot, `prompt` asks for a path in it, unless `orWhole`. Undefined: the user gave up.
   */
  async place(given: Given, prompt: string, { orWhole = false } = {}): Promise<ChosenPlace | undefined> {
    const known = await this.knownPlace(given);
    if (known !== undefined && (orWhole || known.path !== "/")) return known;
    const chosen = known ?? (await this.#wholeSnapshot());
    if (chosen === undefined) return undefined;
    const path = (await window.showInputBox({ title: prompt, placeHolder: "/etc/hostname" }))?.trim() ?? "";
    if (path === "") return undefined;
    const asked = path.startsWith("/") ? path : `/${path}`;
    return { ...chosen, path: await this.#pathOf(chosen, asked) };
  }

  async placeIn({ configured, snapshot }: ChosenSnapshot, path: string): Promise<ChosenPlace> {
    const { repositoryId } = await this.#repositories.open(configured);
    return { configured, repositoryId, machine: snapshot.machine, snapshot: snapshot.snapshotId, path };
  }

  /** The one path that names its disk and volume. What is not there may be elsewhere: versions, other machines. */
  async #pathOf({ configured, snapshot }: ChosenPlace, path: string): Promise<string> {
    try {
      return (await this.stat(configured, snapshot, path)).path;
    } catch (error) {
      if (error instanceof ServiceError && error.family === "not-found") return path;
      throw error;
    }
  }

  /** Of the row or place, or one that is picked. */
  async snapshot(given: Given, title: string): Promise<ChosenSnapshot | undefined> {
    const node = given ?? this.#selected();
    if (isTreeNode(node)) {
      const snapshot = node.kind === "snapshot" ? node : node.kind === "entry" ? node.snapshot : undefined;
      if (snapshot !== undefined) return { configured: snapshot.repository.configured, snapshot: snapshot.snapshot };
    }
    const place = await this.knownPlace(given);
    if (place !== undefined) return { configured: place.configured, snapshot: await this.snapshotOf(place) };
    const machine = await this.machine(node, title);
    return machine === undefined ? undefined : await this.pickSnapshot(machine.configured, machine.machine, title);
  }

  async machine(
    given: Given,
    title: string,
  ): Promise<{ configured: ConfiguredRepository; machine: string } | undefined> {
    const known = this.knownMachine(given);
    if (known !== undefined) return known;
    const configured = await this.#repository(given, title);
    return configured === undefined ? undefined : await this.pickMachine(configured, title);
  }

  /** The one that the row, or what is selected, is of, without a question. */
  knownMachine(given: Given): { configured: ConfiguredRepository; machine: string } | undefined {
    const node = given ?? this.#selected();
    const row = isTreeNode(node) ? machineOf(node) : undefined;
    // a row of another view has none
    return row?.repository && { configured: row.repository.configured, machine: row.machine.machine };
  }

  async pickMachine(
    configured: ConfiguredRepository,
    title: string,
    except?: string,
  ): Promise<{ configured: ConfiguredRepository; machine: string } | undefined> {
    const { machines } = await this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("catalog", { repository: handle }),
    );
    const items = machines
      .filter(({ machine }) => machine !== except)
      .map(({ machine, snapshots, newest }) => {
        const count = snapshots === 1 ? l10n.t("1 snapshot") : l10n.t("{0} snapshots", snapshots);
        const description = `${count} · ${ageText(newest.timeMs, Date.now(), env.language)}`;
        return { label: labelText(machine), description, machine };
      });
    if (items.length === 0)
      return void window.showInformationMessage(
        l10n.t("{0} has no machine to choose from.", labelText(configured.name)),
      );
    const picked = await window.showQuickPick(items, { title, placeHolder: l10n.t("Which machine?") });
    return picked === undefined ? undefined : { configured, machine: picked.machine };
  }

  /** Newest first; `except` is not offered. */
  async pickSnapshot(
    configured: ConfiguredRepository,
    machine: string,
    title: string,
    except?: string,
  ): Promise<ChosenSnapshot | undefined> {
    const { snapshots, total } = await this.#newest(configured, machine);
    const items = snapshots.filter(({ snapshotId }) => snapshotId !== except).map(snapshotPick);
    if (items.length === 0)
      return void window.showInformationMessage(l10n.t("{0} has no other snapshot to choose from.", machine));
    const placeHolder =
      snapshots.length < total
        ? l10n.t(
            "Which snapshot? The newest {0} of {1}; older ones are in the Backups view",
            ...[snapshots.length, total].map((number) => number.toLocaleString(env.language)),
          )
        : l10n.t("Which snapshot?");
    const picked = await window.showQuickPick(items, {
      ...{ title, placeHolder, matchOnDescription: true, matchOnDetail: true },
    });
    return picked === undefined ? undefined : { configured, snapshot: picked.snapshot };
  }

  /** Newest first, as many as can be picked from, of so many. */
  async #newest(
    configured: ConfiguredRepository,
    machine: string,
  ): Promise<{ snapshots: SnapshotData[]; total: number }> {
    return await this.#repositories.use(configured, async ({ handle }) => {
      const snapshots: SnapshotData[] = [];
      for (;;) {
        const page = { repository: handle, machine, offset: snapshots.length, limit: MAX_PAGE };
        const { items, total } = await this.#client.call("snapshots", page);
        snapshots.push(...items);
        const isAll = items.length === 0 || snapshots.length >= total;
        if (isAll || snapshots.length >= MAX_LISTED) return { snapshots, total };
      }
    });
  }

  /** Of the same machine; null: it is the first. */
  async snapshotBefore({ configured, snapshot }: ChosenPlace): Promise<SnapshotData | null> {
    return await this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("snapshotBefore", { repository: handle, snapshot }),
    );
  }

  async snapshotOf({ configured, snapshot }: ChosenPlace): Promise<SnapshotData> {
    return await this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("snapshot", { repository: handle, snapshot }),
    );
  }

  async stat(configured: ConfiguredRepository, snapshot: string, path: string): Promise<EntryData> {
    return await this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("stat", { repository: handle, snapshot, path }),
    );
  }

  async use<T>(configured: ConfiguredRepository, call: (opened: OpenedRepository) => Promise<T>): Promise<T> {
    return await this.#repositories.use(configured, call);
  }

  /** Whether what is open is in a backup. */
  hasOpenPlace(): boolean {
    return activeUri()?.scheme === SCHEME;
  }

  /** What a row or a tab stands for, without a question. */
  async knownPlace(given: Given): Promise<ChosenPlace | undefined> {
    const uri = given instanceof Uri ? given : given === undefined ? activeUri() : undefined;
    const place = uri?.scheme === SCHEME ? fromUriParts(uri) : undefined;
    if (place !== undefined) {
      const { configured, repositoryId } = await this.#repositories.byId(place.repositoryId);
      return { configured, repositoryId, machine: place.machine, snapshot: place.snapshot, path: place.path };
    }
    if (given instanceof Uri) return undefined;
    const node = given ?? this.#selected();
    if (node === undefined) return undefined;
    if (node.kind === "version" || node.kind === "change" || node.kind === "hit") return node.place;
    if (node.kind === "snapshot")
      return await this.placeIn({ configured: node.repository.configured, snapshot: node.snapshot }, "/");
    if (node.kind !== "entry") return undefined;
    const { snapshot, repository } = node.snapshot;
    return await this.placeIn({ configured: repository.configured, snapshot }, node.entry.path);
  }

  async #wholeSnapshot(): Promise<ChosenPlace | undefined> {
    const chosen = await this.snapshot(undefined, l10n.t("Which snapshot?"));
    return chosen === undefined ? undefined : await this.placeIn(chosen, "/");
  }

  async #repository(given: Given, title: string): Promise<ConfiguredRepository | undefined> {
    return isTreeNode(given) ? repositoryOf(given).configured : await pickRepository(title);
  }
}

export function snapshotPick(snapshot: SnapshotData): QuickPickItem & { snapshot: SnapshotData } {
  return {
    label: labelText(dateAndTime(snapshot.timeMs, env.language)),
    description: [ageText(snapshot.timeMs, Date.now(), env.language), ...stateWords(snapshot, l10n.t)].join(" · "),
    detail: [snapshot.notes, ...snapshot.tags.map((tag) => `#${tag}`)]
      .filter((text) => text !== "")
      .map(labelText)
      .join(" "),
    snapshot,
  };
}

/** Also of tabs that show no text: images, hex editors. */
function activeUri(): Uri | undefined {
  const input = window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof TabInputText || input instanceof TabInputCustom ? input.uri : undefined;
}

/** The machine that a row is of; undefined above machines. */
function machineOf(node: Node): MachineNode | undefined {
  let row = node;
  while (row.kind !== "machine") {
    if (row.kind === "repository" || row.parent === undefined) return undefined;
    row = row.parent;
  }
  return row;
}

export function isTreeNode(given: Given): given is Node {
  return (
    given !== undefined &&
    !(given instanceof Uri) &&
    given.kind !== "version" &&
    given.kind !== "hit" &&
    given.kind !== "change" &&
    given.kind !== "moreChanges"
  );
}
