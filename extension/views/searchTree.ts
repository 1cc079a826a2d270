// The Search Results view: files that were found in backups, with their lines. Filled while a search goes on.

import {
  type Event,
  EventEmitter,
  env,
  l10n,
  Range,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
} from "vscode";
import { failureText, hitDescription, searchSubject, summaryText } from "../model/searchWords.js";
import { lastName } from "../model/shownName.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { FoundLine, SearchHit, SearchSummary } from "../service/searchProtocol.js";
import { type ChosenPlace, placeUri } from "./places.js";

/** What is looked for, and where. */
export interface Search {
  configured: ConfiguredRepository;
  repositoryId: string;
  machine: string;
  /** Null: in all snapshots of the machine. */
  snapshot: { snapshotId: string; timeMs: number } | null;
  path: string;
  kind: "name" | "text";
  /** The name or pattern, or the text. */
  wanted: string;
  /** Of a search for text: names of files, empty for all. */
  files: string;
}

export interface HitNode {
  kind: "hit";
  /** Of this search alone: the editor remembers of an id whether it was open. */
  id: string;
  place: ChosenPlace;
  hit: SearchHit;
}

interface LineNode {
  kind: "line";
  parent: HitNode;
  found: FoundLine;
}

export interface SearchRun {
  add(hit: SearchHit): void;
  /** Undefined: it was stopped. */
  end(summary: SearchSummary | undefined): void;
  fail(reason: string): void;
}

export type SearchNode = HitNode | LineNode;

/** Rows are drawn so often while they come. */
const REDRAW_MS = 200;

export class SearchTree implements TreeDataProvider<SearchNode> {
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData: Event<undefined> = this.#changed.event;
  #view: TreeView<SearchNode> | undefined;
  #search: Search | undefined;
  #hits: HitNode[] = [];
  #searches = 0;
  #redraw: NodeJS.Timeout | undefined;

  attach(view: TreeView<SearchNode>): void {
    this.#view = view;
  }

  dispose(): void {
    clearTimeout(this.#redraw);
    this.#changed.dispose();
  }

  get search(): Search | undefined {
    return this.#search;
  }

  /** What the search before still finds is not shown any more. */
  begin(search: Search): SearchRun {
    this.#search = search;
    this.#searches++;
    this.#hits = [];
    this.#describe(l10n.t("Searching…"));
    this.#changed.fire(undefined);
    const isShown = () => this.#search === search;
    return {
      add: (hit) => {
        if (isShown()) this.#add(search, hit);
      },
      end: (summary) => {
        if (isShown()) this.#end(search, summary);
      },
      fail: (reason) => {
        if (!isShown()) return;
        this.#describe(failureText(reason, this.#hits.length, l10n.t));
        this.#changed.fire(undefined);
      },
    };
  }

  #add(search: Search, hit: SearchHit): void {
    const { configured, repositoryId, machine } = search;
    const place = { configured, repositoryId, machine, snapshot: hit.snapshotId, path: hit.path };
    this.#hits.push({ kind: "hit", id: `${this.#searches} ${this.#hits.length}`, place, hit });
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#changed.fire(undefined);
    }, REDRAW_MS);
  }

  #end({ kind }: Search, summary: SearchSummary | undefined): void {
    const stopped = l10n.t("The search was stopped: there may be more.");
    this.#describe(summary === undefined ? stopped : summaryText(summary, kind, l10n.t));
    this.#changed.fire(undefined);
  }

  close(): void {
    this.#search = undefined;
    this.#hits = [];
    if (this.#view !== undefined) [this.#view.description, this.#view.message] = ["", undefined];
    this.#changed.fire(undefined);
  }

  getTreeItem(node: SearchNode): TreeItem {
    return node.kind === "hit" ? this.#hitItem(node) : lineItem(node);
  }

  getParent(node: SearchNode): HitNode | undefined {
    return node.kind === "line" ? node.parent : undefined;
  }

  getChildren(node?: SearchNode): SearchNode[] {
    if (node === undefined) return this.#hits;
    return node.kind === "hit" ? node.hit.lines.map((found): LineNode => ({ kind: "line", parent: node, found })) : [];
  }

  #hitItem(node: HitNode): TreeItem {
    const { hit, place } = node;
    const { Expanded, None } = TreeItemCollapsibleState;
    const item = new TreeItem(lastName(hit.path), hit.lines.length > 0 ? Expanded : None);
    item.description = hitDescription(hit, this.#search?.snapshot === null, env.language, l10n.t);
    item.id = node.id;
    item.tooltip = hit.path;
    item.resourceUri = placeUri(place);
    const isFile = hit.kind === "file";
    item.contextValue = isFile ? "hit.file" : hit.kind === "directory" ? "hit.folder" : "hit.other";
    item.iconPath = isFile ? ThemeIcon.File : hit.kind === "directory" ? ThemeIcon.Folder : new ThemeIcon("link");
    if (isFile && hit.lines.length === 0)
      item.command = { command: "vscode.open", title: l10n.t("Open"), arguments: [placeUri(place)] };
    return item;
  }

  #describe(message: string): void {
    if (this.#view === undefined || this.#search === undefined) return;
    this.#view.description = searchSubject(this.#search, env.language, l10n.t);
    this.#view.message = message;
  }
}

function lineItem({ parent, found }: LineNode): TreeItem {
  const { line, column, length, text, from, to } = found;
  const item = new TreeItem({ label: text, highlights: [[from, to]] }, TreeItemCollapsibleState.None);
  item.description = String(line + 1);
  item.contextValue = "hitLine";
  item.accessibilityInformation = { label: l10n.t("Line {0}: {1}", line + 1, text) };
  const selection = new Range(line, column, line, column + length);
  item.command = {
    command: "vscode.open",
    title: l10n.t("Open"),
    arguments: [placeUri(parent.place), { selection }],
  };
  return item;
}
