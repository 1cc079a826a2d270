// The Repositories view: repository, namespace, machine, days, snapshots, disks, volumes, folders and files. Everything is asked
// for when its row is opened, a part at a time; what fails is a row that says why.

import { type Disposable, type Event, EventEmitter, l10n, type TreeDataProvider, type TreeItem } from "vscode";
import { errorText } from "../adapt/errors.js";
import { problemReason } from "../model/problemWords.js";
import { groupByDay } from "../model/snapshotDays.js";
import { configuredRepositories } from "../repositories/configured.js";
import { isLocked, type OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import { ServiceError } from "../service/client.js";
import type { EntryData, MachinePage } from "../service/protocol.js";
import { type FilterCount, FilterCounts } from "./filterCounts.js";
import { KeptRows } from "./keptRows.js";
import { type RepositoryState, treeItem } from "./nodeItems.js";
import {
  type DayNode,
  ENTRIES_SHOWN,
  type EntryNode,
  MACHINES_SHOWN,
  type MachineNode,
  type MoreNode,
  type NamespaceNode,
  type Node,
  type PagedNode,
  type ProblemNode,
  type RepositoryNode,
  repositoryNode,
  SNAPSHOTS_SHOWN,
  type SnapshotNode,
} from "./nodes.js";
import { ReadingPace } from "./readingPace.js";
import { ShownFolders } from "./shownFolders.js";
import { TreeLists } from "./treeLists.js";

/** The editor has to have drawn an answer before it is told that the row above has changed. */
const REDRAW_MS = 200;

export class RepositoriesTree implements TreeDataProvider<Node> {
  readonly #repositories: OpenRepositories;
  readonly #changed = new EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData: Event<Node | undefined> = this.#changed.event;
  readonly #counts = new FilterCounts();
  readonly onDidFilter: Event<FilterCount | undefined> = this.#counts.onDidFilter;
  readonly #states = new Map<string, RepositoryState>();
  readonly #rows = new KeptRows();
  readonly #folders = new ShownFolders();
  readonly #pace = new ReadingPace((node) => this.#changed.fire(node));
  readonly #lists: TreeLists;
  /** Rows of repositories stay the same objects, so that one can be refreshed. */
  #roots: RepositoryNode[] = [];
  readonly #listeners: readonly Disposable[];

  constructor(client: ServiceClient, repositories: OpenRepositories) {
    this.#repositories = repositories;
    this.#lists = new TreeLists(client, repositories, this.#pace);
    const rootOf = (location: string) => this.#roots.find(({ configured }) => configured.location === location);
    this.#listeners = [
      repositories.onDidChangeContents((location) => this.redraw(rootOf(location))),
      // unlocked here or from another view
      repositories.onDidChange(() => {
        for (const [location, { state }] of this.#states)
          if (state === "locked" && repositories.isOpen(location)) this.redraw(rootOf(location));
      }),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
    this.#pace.dispose();
    this.#changed.dispose();
    this.#counts.dispose();
  }

  /** Draws a row and what is below it again; without one, everything. */
  redraw(node?: Node): void {
    this.#changed.fire(node);
  }

  /** Reads the catalogs of open repositories again, then draws. */
  async refresh(node?: RepositoryNode): Promise<void> {
    const wanted = node === undefined ? this.#roots : [node];
    for (const root of wanted) {
      const { location } = root.configured;
      if (this.#states.get(location)?.state !== "open") continue;
      await this.#lists.readAgain(root);
      this.#repositories.changedContents(location);
    }
    this.redraw(node);
  }

  showMore({ parent, total }: MoreNode): void {
    parent.shown = Math.min(total, parent.shown * 2 + stepOf(parent));
    if (parent.kind === "entry") this.#folders.remember(parent);
    this.redraw(parent);
  }

  get filter(): string {
    return this.#lists.filter;
  }

  /** Of machines and snapshots, as catalogFilter.ts understands it; the empty text shows everything. */
  setFilter(filter: string): void {
    this.#lists.filter = filter.trim();
    this.#counts.clear();
    for (const root of this.#roots) root.shown = MACHINES_SHOWN;
    this.#rows.reset();
    this.redraw();
  }

  filterFolder(node: EntryNode, filter: string): void {
    node.filter = filter.trim();
    node.shown = ENTRIES_SHOWN;
    this.#folders.remember(node);
    this.redraw(node);
  }

  getTreeItem(node: Node): TreeItem {
    return treeItem(node, ({ configured }) => this.#stateOf(configured.location));
  }

  getParent(node: Node): Node | undefined {
    return node.kind === "repository" ? undefined : node.parent;
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node === undefined) return this.#rootRows();
    try {
      return await this.#childrenOf(node);
    } catch (error) {
      if (node.kind === "repository") {
        this.#pace.stop(node);
        this.#count(node.configured.location, undefined);
      }
      return [this.#problemRow(node, error)];
    }
  }

  #rootRows(): Node[] {
    const known = new Map(this.#roots.map((root) => [root.configured.location, root]));
    this.#roots = configuredRepositories().map((configured) => {
      const same = known.get(configured.location);
      if (same !== undefined) same.configured = configured;
      const isNew = this.#repositories.isOpen(configured.location);
      return same ?? repositoryNode(configured, isNew);
    });
    return this.#roots;
  }

  async #childrenOf(node: Node): Promise<Node[]> {
    switch (node.kind) {
      case "repository":
        return await this.#machineRows(node);
      case "namespace":
        return await this.#namespaceRows(node);
      case "machine":
        return await this.#dayRows(node);
      case "day":
        return node.snapshots.map((snapshot): SnapshotNode => {
          const { repository, isReading } = node.parent;
          return { kind: "snapshot", parent: node, repository, snapshot, isReading };
        });
      case "snapshot":
        return await this.#topRows(node);
      case "entry":
        return await this.#entryRows(node);
      default:
        return [];
    }
  }

  async #machineRows(node: RepositoryNode): Promise<Node[]> {
    const { location } = node.configured;
    const before = this.#stateOf(location).state;
    const page = await this.#lists.machines(node, "", node.shown);
    this.#states.set(location, { state: "open", encrypted: page.encrypted });
    if (before !== "open") this.#redrawItemLater(node);
    const { reading, matching, namespaces, items, total } = page;
    this.#count(location, { ...matching, isReading: reading !== null });
    this.#pace.next(node, reading, () => this.#lists.untilRead(node));
    const machines = items.map((machine) => this.#rows.machine(node, node, machine, reading !== null));
    const rows = [
      ...withMore(machines, node, items.length, total),
      ...namespaces.map((namespace): Node => this.#rows.namespace(node, namespace, namespaces.length)),
    ];
    if (reading !== null) return [{ kind: "reading", parent: node, ...reading }, ...rows];
    if (this.filter === "" || matching.machines > 0) return [...unreadableRows(node, page), ...rows];
    return [{ kind: "filtered", parent: node, filter: this.filter, matching: 0, all: null }];
  }

  async #namespaceRows(node: NamespaceNode): Promise<Node[]> {
    const { items, total, reading } = await this.#lists.machines(node.parent, node.namespace, node.shown);
    const rows = items.map((machine) => this.#rows.machine(node, node.parent, machine, reading !== null));
    return withMore(rows, node, items.length, total);
  }

  async #dayRows(node: MachineNode): Promise<Node[]> {
    const { items, total, reading } = await this.#lists.snapshots(node);
    node.isReading = reading !== null;
    const days = groupByDay(items).map(({ day, snapshots }, i): DayNode => {
      return { kind: "day", parent: node, day, snapshots, newest: i === 0 };
    });
    const rows = withMore(days, node, items.length, total);
    return reading === null ? rows : [{ kind: "reading", parent: node, ...reading }, ...rows];
  }

  /** Disks and folders of a snapshot: few. */
  async #topRows(node: SnapshotNode): Promise<Node[]> {
    const { repositoryId, items } = await this.#lists.entries(node, "/", { filter: "", shown: ENTRIES_SHOWN });
    return items.map((entry) => this.#entryRow(node, node, repositoryId, entry));
  }

  async #entryRows(node: EntryNode): Promise<Node[]> {
    const { filter, snapshot, entry } = node;
    const { repositoryId, items, total, all } = await this.#lists.entries(snapshot, entry.path, node);
    const entries = items.map((each) => this.#entryRow(node, snapshot, repositoryId, each));
    const rows = withMore(entries, node, items.length, total);
    return filter === "" ? rows : [{ kind: "filtered", parent: node, filter, matching: total, all }, ...rows];
  }

  #entryRow(
    parent: SnapshotNode | EntryNode,
    snapshot: SnapshotNode,
    repositoryId: string,
    entry: EntryData,
  ): EntryNode {
    const row = { kind: "entry", parent, snapshot, repositoryId, entry } as const;
    return { ...row, ...this.#folders.of(row) };
  }

  #count(location: string, count: FilterCount | undefined): void {
    this.#counts.set(location, count);
    if (this.filter !== "") this.#counts.tell(this.#roots.map(({ configured }) => configured.location));
  }

  #problemRow(parent: Node, error: unknown): ProblemNode {
    if (!isLocked(error) || parent.kind !== "repository") {
      const reason = error instanceof ServiceError ? { reason: problemReason(error, l10n.t) } : {};
      return { kind: "problem", parent, message: errorText(error), locked: false, ...reason };
    }
    const { location } = parent.configured;
    // once: drawn again it asks again
    if (this.#stateOf(location).state !== "locked") this.#redrawItemLater(parent);
    this.#states.set(location, { state: "locked", encrypted: true });
    const message =
      error.code === "PASSPHRASE_MISSING" ? l10n.t("Enter the passphrase…") : l10n.t("Enter the right passphrase…");
    return { kind: "problem", parent, message, locked: true };
  }

  #stateOf(location: string): RepositoryState {
    return this.#states.get(location) ?? { state: "closed", encrypted: false };
  }

  /** Its icon and menus have changed; after the answer that is being given. */
  #redrawItemLater(node: RepositoryNode): void {
    setTimeout(() => this.#changed.fire(node), REDRAW_MS);
  }
}

function stepOf({ kind }: PagedNode): number {
  if (kind === "machine") return SNAPSHOTS_SHOWN;
  return kind === "entry" ? ENTRIES_SHOWN : MACHINES_SHOWN;
}

function unreadableRows(parent: RepositoryNode, { unreadable }: MachinePage): Node[] {
  if (unreadable.length === 0) return [];
  const message = l10n.t("{0} snapshots cannot be read: {1}", unreadable.length, unreadable[0]?.message ?? "");
  return [{ kind: "problem", parent, message, locked: false }];
}

function withMore(rows: Node[], parent: PagedNode, shown: number, total: number): Node[] {
  return shown < total ? [...rows, { kind: "more", parent, shown, total }] : rows;
}
