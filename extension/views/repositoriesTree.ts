// The Repositories view: repository, namespace, machine, days, snapshots, disks, volumes, folders and files. Everything is asked
// for when its row is opened, a part at a time; what fails is a row that says why.

import { type Disposable, type Event, EventEmitter, l10n, type TreeDataProvider, type TreeItem } from "vscode";
import { errorText } from "../adapt/errors.js";
import { groupByDay } from "../model/snapshotDays.js";
import { configuredRepositories } from "../repositories/configured.js";
import { isLocked, type OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { CatalogData, EntryData, MachineData } from "../service/protocol.js";
import { type RepositoryState, treeItem } from "./nodeItems.js";
import {
  type DayNode,
  ENTRIES_SHOWN,
  type EntryNode,
  type MachineNode,
  type MoreNode,
  type NamespaceNode,
  type Node,
  type ProblemNode,
  type RepositoryNode,
  SNAPSHOTS_SHOWN,
  type SnapshotNode,
} from "./nodes.js";

/** One page of a list; a list that shows more is made of several. */
const PAGE = 1000;
/** The editor has to have drawn an answer before it is told that the row above has changed. */
const REDRAW_MS = 200;

export class RepositoriesTree implements TreeDataProvider<Node> {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #changed = new EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData: Event<Node | undefined> = this.#changed.event;
  readonly #states = new Map<string, RepositoryState>();
  readonly #rows = new Map<string, NamespaceNode | MachineNode>();
  /** Rows of repositories stay the same objects, so that one can be refreshed. */
  #roots: RepositoryNode[] = [];
  readonly #listener: Disposable;

  constructor(client: ServiceClient, repositories: OpenRepositories) {
    this.#client = client;
    this.#repositories = repositories;
    this.#listener = repositories.onDidChangeContents((location) => {
      this.redraw(this.#roots.find(({ configured }) => configured.location === location));
    });
  }

  dispose(): void {
    this.#listener.dispose();
    this.#changed.dispose();
  }

  /** Draws a row and what is below it again; without one, everything. */
  redraw(node?: Node): void {
    this.#changed.fire(node);
  }

  /** Reads the catalogs of open repositories again, then draws. */
  async refresh(node?: RepositoryNode): Promise<void> {
    const wanted = node === undefined ? this.#roots : [node];
    for (const { configured } of wanted) {
      if (this.#states.get(configured.location)?.state !== "open") continue;
      const refreshed = this.#repositories.use(configured, ({ handle }) =>
        this.#client.call("catalog", { repository: handle, refresh: true }),
      );
      // what fails is shown by its row
      await refreshed.catch(() => {});
      this.#repositories.changedContents(configured.location);
    }
    this.redraw(node);
  }

  showMore({ parent, total }: MoreNode): void {
    const step = parent.kind === "machine" ? SNAPSHOTS_SHOWN : ENTRIES_SHOWN;
    parent.shown = Math.min(total, parent.shown * 2 + step);
    this.redraw(parent);
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
      return [this.#problemRow(node, error)];
    }
  }

  #rootRows(): Node[] {
    const known = new Map(this.#roots.map((root) => [root.configured.location, root]));
    this.#roots = configuredRepositories().map((configured) => {
      const same = known.get(configured.location);
      if (same !== undefined) same.configured = configured;
      return same ?? { kind: "repository", configured };
    });
    return this.#roots;
  }

  async #childrenOf(node: Node): Promise<Node[]> {
    switch (node.kind) {
      case "repository":
        return await this.#machineRows(node);
      case "namespace":
        return node.machines.map((machine) => this.#machineRow(node, node.parent, machine));
      case "machine":
        return await this.#dayRows(node);
      case "day":
        return node.snapshots.map((snapshot): SnapshotNode => {
          return { kind: "snapshot", parent: node, repository: node.parent.repository, snapshot };
        });
      case "snapshot":
        return await this.#entryRows(node, "/", ENTRIES_SHOWN);
      case "entry":
        return await this.#entryRows(node, node.entry.path, node.shown);
      default:
        return [];
    }
  }

  async #machineRows(node: RepositoryNode): Promise<Node[]> {
    const { location } = node.configured;
    const before = this.#stateOf(location).state;
    const catalog = await this.#repositories.use(node.configured, async ({ handle, encrypted }) => {
      this.#states.set(location, { state: "open", encrypted });
      return await this.#client.call("catalog", { repository: handle });
    });
    if (before !== "open") this.#redrawItemLater(node);
    return [...unreadableRows(node, catalog), ...this.#groupedRows(node, catalog)];
  }

  /** Machines without a namespace first, then a row for each namespace. */
  #groupedRows(node: RepositoryNode, { machines }: CatalogData): Node[] {
    const byNamespace = Map.groupBy(machines, ({ namespace }) => namespace);
    const loose = byNamespace.get("") ?? [];
    const namespaces = [...byNamespace].filter(([namespace]) => namespace !== "");
    return [
      ...loose.map((machine) => this.#machineRow(node, node, machine)),
      ...namespaces.map(([namespace, machines]): Node => this.#namespaceRow(node, namespace, machines)),
    ];
  }

  /** Rows keep their identity when what they show is read again: they stay open, and show as much as before. */
  #namespaceRow(parent: RepositoryNode, namespace: string, machines: readonly MachineData[]): NamespaceNode {
    return this.#kept(`${parent.configured.location}\n${namespace}:`, {
      kind: "namespace",
      parent,
      namespace,
      machines,
    });
  }

  #machineRow(parent: RepositoryNode | NamespaceNode, repository: RepositoryNode, machine: MachineData): MachineNode {
    const key = `${repository.configured.location}\n${machine.machine}`;
    const known = this.#rows.get(key);
    const shown = known?.kind === "machine" ? known.shown : SNAPSHOTS_SHOWN;
    return this.#kept(key, { kind: "machine", parent, repository, machine, shown });
  }

  #kept<T extends NamespaceNode | MachineNode>(key: string, row: T): T {
    const known = this.#rows.get(key);
    if (known?.kind === row.kind) return Object.assign(known, row) as T;
    this.#rows.set(key, row);
    return row;
  }

  async #dayRows(node: MachineNode): Promise<Node[]> {
    const { machine } = node.machine;
    const { items, total } = await this.#repositories.use(node.repository.configured, ({ handle }) =>
      pages(node.shown, (offset, limit) =>
        this.#client.call("snapshots", { repository: handle, machine, offset, limit }),
      ),
    );
    const rows: Node[] = groupByDay(items).map(({ day, snapshots }, i): DayNode => {
      return { kind: "day", parent: node, day, snapshots, newest: i === 0 };
    });
    return withMore(rows, node, items.length, total);
  }

  async #entryRows(node: SnapshotNode | EntryNode, path: string, shown: number): Promise<Node[]> {
    const snapshot = node.kind === "snapshot" ? node : node.snapshot;
    const { repositoryId, items, total } = await this.#repositories.use(
      snapshot.repository.configured,
      async ({ handle, repositoryId }) => {
        const place = { repository: handle, snapshot: snapshot.snapshot.snapshotId, path };
        const list = (offset: number, limit: number) => this.#client.call("list", { ...place, offset, limit });
        return { repositoryId, ...(await pages(shown, list)) };
      },
    );
    const rows: Node[] = items.map((entry: EntryData): EntryNode => {
      return { kind: "entry", parent: node, snapshot, repositoryId, entry, shown: ENTRIES_SHOWN };
    });
    return node.kind === "snapshot" ? rows : withMore(rows, node, items.length, total);
  }

  #problemRow(parent: Node, error: unknown): ProblemNode {
    if (!isLocked(error) || parent.kind !== "repository")
      return { kind: "problem", parent, message: errorText(error), locked: false };
    this.#states.set(parent.configured.location, { state: "locked", encrypted: true });
    this.#redrawItemLater(parent);
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

/** The first `shown` of a list. */
async function pages<T>(
  shown: number,
  ask: (offset: number, limit: number) => Promise<{ items: readonly T[]; total: number }>,
): Promise<{ items: T[]; total: number }> {
  const items: T[] = [];
  for (;;) {
    const page = await ask(items.length, Math.min(PAGE, shown - items.length));
    items.push(...page.items);
    if (page.items.length === 0 || items.length >= Math.min(shown, page.total)) return { items, total: page.total };
  }
}

function unreadableRows(parent: RepositoryNode, { unreadable }: CatalogData): Node[] {
  if (unreadable.length === 0) return [];
  const message = l10n.t("{0} snapshots cannot be read: {1}", unreadable.length, unreadable[0]?.message ?? "");
  return [{ kind: "problem", parent, message, locked: false }];
}

function withMore(rows: Node[], parent: MachineNode | EntryNode, shown: number, total: number): Node[] {
  return shown < total ? [...rows, { kind: "more", parent, shown, total }] : rows;
}
