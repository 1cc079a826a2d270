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
import type { FoundLine, HitTimes, SearchHit, SearchSummary } from "../service/searchProtocol.js";
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
  /** Of a search of all snapshots; null: not known, for it is going on or was not complete. Else undefined. */
  times: HitTimes | null | undefined;
}

export interface MoreHitsNode {
  kind: "moreHits";
  shown: number;
  total: number;
}

interface LineNode {
  kind: "line";
  parent: HitNode;
  found: FoundLine;
}

export interface SearchRun {
  /** Aborted when nobody can see any more what is found. */
  signal: AbortSignal;
  add(hit: SearchHit): void;
  /** Undefined: it was stopped. */
  end(summary: SearchSummary | undefined): void;
  fail(reason: string): void;
}

export type SearchNode = HitNode | LineNode | MoreHitsNode;

/** Rows are drawn while they come: soon at first, then less and less often, for it is all of them each time. */
const FIRST_REDRAW_MS = 200;
const LAST_REDRAW_MS = 3000;
const SHOWN = 500;

export class SearchTree implements TreeDataProvider<SearchNode> {
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData: Event<undefined> = this.#changed.event;
  #view: TreeView<SearchNode> | undefined;
  #search: Search | undefined;
  #hits: HitNode[] = [];
  #shown = SHOWN;
  #searches = 0;
  #running: AbortController | undefined;
  #redraw: NodeJS.Timeout | undefined;
  #redrawMs = FIRST_REDRAW_MS;

  attach(view: TreeView<SearchNode>): void {
    this.#view = view;
  }

  dispose(): void {
    this.#stop();
    this.#changed.dispose();
  }

  get search(): Search | undefined {
    return this.#search;
  }

  /** Ends the search before. */
  begin(search: Search): SearchRun {
    this.#stop();
    const running = new AbortController();
    this.#running = running;
    this.#search = search;
    this.#searches++;
    this.#hits = [];
    this.#shown = SHOWN;
    this.#describe(l10n.t("Searching…"));
    this.#changed.fire(undefined);
    const isShown = () => this.#running === running;
    return {
      signal: running.signal,
      add: (hit) => {
        if (isShown()) this.#add(search, hit);
      },
      end: (summary) => {
        if (isShown()) this.#end(search, summary);
      },
      fail: (reason) => {
        if (!isShown()) return;
        this.#describe(failureText(reason, this.#hits.length, l10n.t));
        this.#drawNow();
      },
    };
  }

  #add(search: Search, hit: SearchHit): void {
    const { configured, repositoryId, machine } = search;
    const place = { configured, repositoryId, machine, snapshot: hit.snapshotId, path: hit.path };
    const times = search.snapshot === null ? null : undefined;
    this.#hits.push({ kind: "hit", id: `${this.#searches} ${this.#hits.length}`, place, hit, times });
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#redrawMs = Math.min(LAST_REDRAW_MS, this.#redrawMs * 1.5);
      this.#changed.fire(undefined);
    }, this.#redrawMs);
  }

  #end({ kind, snapshot }: Search, summary: SearchSummary | undefined): void {
    const stopped = l10n.t("The search was stopped: there may be more.");
    this.#describe(summary === undefined ? stopped : summaryText(summary, kind, l10n.t));
    for (const [i, hit] of this.#hits.entries()) hit.times = summary?.times?.[i] ?? hit.times;
    // versions of a file come one after the other, the newest first
    if (snapshot === null) this.#hits.sort((a, b) => compareText(a.hit.path, b.hit.path));
    this.#drawNow();
  }

  #drawNow(): void {
    clearTimeout(this.#redraw);
    this.#redraw = undefined;
    this.#changed.fire(undefined);
  }

  #stop(): void {
    clearTimeout(this.#redraw);
    this.#redraw = undefined;
    this.#redrawMs = FIRST_REDRAW_MS;
    this.#running?.abort();
    this.#running = undefined;
  }

  showMore({ total }: MoreHitsNode): void {
    this.#shown = Math.min(total, this.#shown * 2 + SHOWN);
    this.#changed.fire(undefined);
  }

  /** Ends the search, too. */
  close(): void {
    this.#stop();
    this.#search = undefined;
    this.#hits = [];
    if (this.#view !== undefined) [this.#view.description, this.#view.message] = ["", undefined];
    this.#changed.fire(undefined);
  }

  getTreeItem(node: SearchNode): TreeItem {
    if (node.kind === "moreHits") return moreItem(node);
    return node.kind === "hit" ? hitItem(node) : lineItem(node);
  }

  getParent(node: SearchNode): HitNode | undefined {
    return node.kind === "line" ? node.parent : undefined;
  }

  getChildren(node?: SearchNode): SearchNode[] {
    if (node === undefined) return this.#rows();
    return node.kind === "hit" ? node.hit.lines.map((found): LineNode => ({ kind: "line", parent: node, found })) : [];
  }

  #rows(): SearchNode[] {
    const total = this.#hits.length;
    if (total <= this.#shown) return this.#hits;
    return [...this.#hits.slice(0, this.#shown), { kind: "moreHits", shown: this.#shown, total }];
  }

  #describe(message: string): void {
    if (this.#view === undefined || this.#search === undefined) return;
    this.#view.description = searchSubject(this.#search, env.language, l10n.t);
    this.#view.message = message;
  }
}

function hitItem(node: HitNode): TreeItem {
  const { hit, place, times } = node;
  const { Expanded, None } = TreeItemCollapsibleState;
  const item = new TreeItem(lastName(hit.path), hit.lines.length > 0 ? Expanded : None);
  item.description = hitDescription(hit, times, env.language, l10n.t);
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

function moreItem(node: MoreHitsNode): TreeItem {
  const { shown, total } = node;
  const item = new TreeItem(l10n.t("Show more… ({0} of {1} shown)", shown, total), TreeItemCollapsibleState.None);
  item.iconPath = new ThemeIcon("ellipsis");
  item.contextValue = "moreHits";
  item.command = { command: "reprise.showMoreHits", title: l10n.t("Show more"), arguments: [node] };
  return item;
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

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
