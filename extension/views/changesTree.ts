// The What changed view: one comparison of two snapshots, as a tree of folders with what they come to. The service keeps all of
// it; the view asks for a folder when it is opened, a part at a time.

import {
  type Event,
  EventEmitter,
  env,
  l10n,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
} from "vscode";
import { errorText } from "../adapt/errors.js";
import { CHANGE_ICONS, changeDescription, countsInWords, growthText } from "../model/changeWords.js";
import { dateAndTime } from "../model/words.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { CallOptions, ServiceClient } from "../service/client.js";
import { ALL_CHANGES, type ChangeData, type ChangeFilter, type ComparisonData } from "../service/compareProtocol.js";
import { MAX_PAGE } from "../service/protocol.js";
import { type ChosenPlace, placeUri } from "./places.js";

export interface ChangeNode {
  kind: "change";
  parent: ChangeNode | undefined;
  data: ChangeData;
  /** Of the newer side, unless it is gone. */
  place: ChosenPlace;
  /** How many rows below it are shown. */
  shown: number;
  /** The only one in its folder: it is opened at once. */
  isOnly: boolean;
}

export interface MoreChangesNode {
  kind: "moreChanges";
  parent: ChangeNode | undefined;
  shown: number;
  total: number;
  /** In place of rows that could not be read. */
  problem?: string;
}

export type ChangeRow = ChangeNode | MoreChangesNode;

/** A side of a comparison, with when it was made. */
export interface SnapshotSide extends ChosenPlace {
  timeMs: number;
}

export interface ComparedSnapshots {
  before: SnapshotSide;
  after: SnapshotSide;
}

const SHOWN = 1000;
const NO_FILTER: ChangeFilter = { text: "", kinds: ALL_CHANGES };

export class ChangesTree implements TreeDataProvider<ChangeRow> {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #changed = new EventEmitter<ChangeRow | undefined>();
  readonly onDidChangeTreeData: Event<ChangeRow | undefined> = this.#changed.event;
  #view: TreeView<ChangeRow> | undefined;
  #compared: ComparedSnapshots | undefined;
  #result: ComparisonData | undefined;
  #filter = NO_FILTER;
  #topShown = SHOWN;

  constructor(client: ServiceClient, repositories: OpenRepositories) {
    this.#client = client;
    this.#repositories = repositories;
  }

  attach(view: TreeView<ChangeRow>): void {
    this.#view = view;
  }

  dispose(): void {
    this.#changed.dispose();
  }

  get compared(): ComparedSnapshots | undefined {
    return this.#compared;
  }

  get filter(): ChangeFilter {
    return this.#filter;
  }

  /** Compares, and only then shows it; what was shown stays when it is cancelled. */
  async compare(compared: ComparedSnapshots, options: CallOptions): Promise<ComparisonData> {
    const result = await this.#repositories.use(compared.before.configured, ({ handle }) =>
      this.#client.call("compare", pairOf(compared, handle), options),
    );
    this.#compared = compared;
    this.#result = result;
    this.setFilter(NO_FILTER);
    return result;
  }

  close(): void {
    this.#compared = undefined;
    this.#result = undefined;
    this.setFilter(NO_FILTER);
  }

  setFilter(filter: ChangeFilter): void {
    this.#filter = filter;
    this.#topShown = SHOWN;
    this.#describe();
    this.#changed.fire(undefined);
  }

  showMore({ parent, total }: MoreChangesNode): void {
    if (parent === undefined) this.#topShown = Math.min(total, this.#topShown * 2);
    else parent.shown = Math.min(total, parent.shown * 2);
    this.#changed.fire(parent);
  }

  getTreeItem(row: ChangeRow): TreeItem {
    return row.kind === "change" ? changeItem(row) : moreItem(row);
  }

  getParent(row: ChangeRow): ChangeNode | undefined {
    return row.parent;
  }

  async getChildren(row?: ChangeRow): Promise<ChangeRow[]> {
    const [compared, result] = [this.#compared, this.#result];
    if (row?.kind === "moreChanges" || compared === undefined || result === undefined) return [];
    const folder = row?.data.path ?? topFolder(result.path);
    const shown = row?.shown ?? this.#topShown;
    try {
      const { items, total } = await this.#read(compared, folder, shown);
      const rows: ChangeRow[] = items.map((data) => changeNode(data, row, compared, total === 1));
      return items.length < total ? [...rows, { kind: "moreChanges", parent: row, shown: items.length, total }] : rows;
    } catch (error) {
      return [{ kind: "moreChanges", parent: row, shown: 0, total: 0, problem: errorText(error) }];
    }
  }

  async #read(
    compared: ComparedSnapshots,
    folder: string,
    shown: number,
  ): Promise<{ items: ChangeData[]; total: number }> {
    return await this.#repositories.use(compared.before.configured, async ({ handle }) => {
      const items: ChangeData[] = [];
      const what = { ...pairOf(compared, handle), folder, filter: this.#filter };
      for (;;) {
        const range = { offset: items.length, limit: Math.min(MAX_PAGE, shown - items.length) };
        const page = await this.#client.call("changes", { ...what, ...range });
        items.push(...page.items);
        if (page.items.length === 0 || items.length >= Math.min(shown, page.total)) return { items, total: page.total };
      }
    });
  }

  #describe(): void {
    if (this.#view === undefined) return;
    const [compared, result] = [this.#compared, this.#result];
    if (compared === undefined || result === undefined) {
      this.#view.description = "";
      this.#view.message = undefined;
      return;
    }
    const { before, after } = compared;
    const [from, to] = [before, after].map(({ timeMs }) => dateAndTime(timeMs, env.language));
    const machine = before.machine === after.machine ? after.machine : `${before.machine} → ${after.machine}`;
    this.#view.description = `${machine}: ${from} → ${to}`;
    const lines = [[countsInWords(result, l10n.t), growthText(result, env.language)].filter(Boolean).join(" · ")];
    if (!result.complete) lines.push(l10n.t("There are more changes than can be shown: compare a folder."));
    const { text, kinds } = this.#filter;
    if (text !== "" || kinds.length < ALL_CHANGES.length) lines.push(l10n.t("A filter hides some of them."));
    this.#view.message = lines.join("\n");
  }
}

function pairOf<H>({ before, after }: ComparedSnapshots, repository: H) {
  const side = ({ snapshot, path }: SnapshotSide) => ({ snapshot, path });
  return { repository, before: side(before), after: side(after) };
}

/** What is compared is itself a row, so that a single file can be one. */
function topFolder(path: string): string {
  return path === "/" ? "/" : path.slice(0, path.lastIndexOf("/")) || "/";
}

function changeNode(
  data: ChangeData,
  parent: ChangeNode | undefined,
  compared: ComparedSnapshots,
  isOnly: boolean,
): ChangeNode {
  const isGone = data.after === null && data.before !== null;
  const { timeMs: _, ...side } = isGone ? compared.before : compared.after;
  const path = (data.after ?? data.before)?.path ?? data.path;
  return { kind: "change", parent, data, place: { ...side, path }, shown: SHOWN, isOnly };
}

function changeItem(node: ChangeNode): TreeItem {
  const { data, place } = node;
  const { change, isFolder } = data;
  const { Collapsed, Expanded, None } = TreeItemCollapsibleState;
  const hasChanges =
    isFolder && Object.values(data.counts).reduce((sum, count) => sum + count, 0) > (change === null ? 0 : 1);
  const item = new TreeItem(data.name, hasChanges ? (node.isOnly ? Expanded : Collapsed) : None);
  item.description = changeDescription(data, env.language, l10n.t);
  item.contextValue = isFolder ? "changedFolder" : `changed.${change}`;
  const icon = change === null ? undefined : CHANGE_ICONS[change];
  if (isFolder && icon === undefined) item.iconPath = ThemeIcon.Folder;
  else if (icon !== undefined) item.iconPath = new ThemeIcon(icon.id, new ThemeColor(icon.color));
  item.resourceUri = placeUri(place);
  const lines = [data.path, countsInWords(data, l10n.t), data.problem ?? ""];
  item.tooltip = lines.filter((line) => line !== "").join("\n");
  item.accessibilityInformation = {
    label: `${data.name}, ${isFolder ? countsInWords(data, l10n.t) : item.description}`,
  };
  if (!isFolder && change !== "unreadable")
    item.command = { command: "reprise.openChange", title: l10n.t("Open Changes"), arguments: [node] };
  return item;
}

function moreItem(row: MoreChangesNode): TreeItem {
  const { shown, total, problem } = row;
  const label = problem ?? l10n.t("Show more… ({0} of {1} shown)", shown, total);
  const item = new TreeItem(label, TreeItemCollapsibleState.None);
  item.iconPath = new ThemeIcon(problem === undefined ? "ellipsis" : "error");
  item.contextValue = "moreChanges";
  if (problem === undefined)
    item.command = { command: "reprise.openChange", title: l10n.t("Show more"), arguments: [row] };
  return item;
}
