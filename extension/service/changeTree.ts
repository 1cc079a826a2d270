// The changes of one comparison as a tree of folders with what they come to. Filled in the order in which the core tells them.

import { type FileDifference, type FileNode, formatTreePath, inertLine, type TreePath } from "../../core/index.js";
import type { ChangeData, ChangedSide, ChangeFilter, ChangeKind, ChangeTotals } from "./compareProtocol.js";

/** Of two snapshots, or of one place in each. */
export interface Comparison {
  /** Under which all changes are. */
  path: TreePath;
  tree: ChangeTree;
  complete: boolean;
}

/** What is told of a difference, without what the core has open for it. */
interface OwnChange {
  change: ChangeKind;
  before: ChangedSide | null;
  after: ChangedSide | null;
  metadata: readonly string[];
  problem: string | null;
}

export class ChangeTree {
  readonly #top = new ChangeNode("", null);
  #filtered: { key: string; top: ChangeNode } | undefined;
  size = 0;

  add(difference: FileDifference): void {
    const own = ownChangeOf(difference);
    let node = this.#top;
    node.count(own);
    for (const name of difference.path) {
      node = node.child(formatTreePath([name]));
      node.count(own);
    }
    node.own = own;
    this.size++;
  }

  get totals(): ChangeTotals {
    return this.#top.totals;
  }

  /** A part of what is in a folder; nothing when there is no such folder. */
  page(folder: TreePath, filter: ChangeFilter, offset: number, limit: number): { items: ChangeData[]; total: number } {
    let node: ChangeNode | undefined = this.#seenThrough(filter);
    for (const name of folder) node = node?.children.get(formatTreePath([name]));
    const path = folder.length === 0 ? "" : formatTreePath(folder);
    const all = node?.sorted() ?? [];
    const items = all.slice(offset, offset + limit).map((child) => child.dataIn(path));
    return { items, total: all.length };
  }

  /** One filter at a time is looked through. */
  #seenThrough(filter: ChangeFilter): ChangeNode {
    const text = filter.text.toLowerCase();
    const key = JSON.stringify([text, [...filter.kinds].sort()]);
    if (this.#filtered?.key !== key) {
      const wanted = (path: string, { change }: OwnChange) =>
        filter.kinds.includes(change) && path.toLowerCase().includes(text);
      this.#filtered = { key, top: this.#top.filtered("", wanted) ?? new ChangeNode("", null) };
    }
    return this.#filtered.top;
  }
}

class ChangeNode {
  /** With a slash in front. */
  readonly segment: string;
  own: OwnChange | null;
  readonly children = new Map<string, ChangeNode>();
  readonly totals = emptyTotals();
  #sorted: ChangeNode[] | undefined;

  constructor(segment: string, own: OwnChange | null) {
    this.segment = segment;
    this.own = own;
  }

  child(segment: string): ChangeNode {
    const known = this.children.get(segment);
    if (known !== undefined) return known;
    const made = new ChangeNode(segment, null);
    this.children.set(segment, made);
    return made;
  }

  count({ change, before, after }: OwnChange): void {
    const [was, is] = [bytesOf(before), bytesOf(after)];
    this.totals.counts[change]++;
    this.totals.addedBytes += Math.max(0, is - was);
    this.totals.removedBytes += Math.max(0, was - is);
  }

  /** Folders first; otherwise as the core sorts. */
  sorted(): readonly ChangeNode[] {
    this.#sorted ??= [...this.children.values()].sort((a, b) => Number(b.isFolder) - Number(a.isFolder));
    return this.#sorted;
  }

  get isFolder(): boolean {
    return this.children.size > 0 || (this.own?.after ?? this.own?.before)?.kind === "directory";
  }

  dataIn(folder: string): ChangeData {
    const { change = null, before = null, after = null, metadata = [], problem = null } = this.own ?? {};
    const path = `${folder}${this.segment}`;
    const name = this.segment.slice(1);
    return { name, path, isFolder: this.isFolder, change, before, after, metadata, problem, ...this.totals };
  }

  /** What of it is wanted, with the folders that lead there; undefined: nothing. */
  filtered(path: string, wanted: (path: string, own: OwnChange) => boolean): ChangeNode | undefined {
    const here = this.own !== null && wanted(path, this.own) ? this.own : null;
    const node = new ChangeNode(this.segment, here);
    if (here !== null) node.count(here);
    for (const child of this.children.values()) {
      const seen = child.filtered(`${path}${child.segment}`, wanted);
      if (seen === undefined) continue;
      node.children.set(child.segment, seen);
      addTotals(node.totals, seen.totals);
    }
    return here !== null || node.children.size > 0 ? node : undefined;
  }
}

type Totals = { counts: Record<ChangeKind, number>; addedBytes: number; removedBytes: number };

function emptyTotals(): Totals {
  const counts = { added: 0, removed: 0, changed: 0, metadata: 0, unreadable: 0 };
  return { counts, addedBytes: 0, removedBytes: 0 };
}

function addTotals(to: Totals, more: Totals): void {
  for (const kind of Object.keys(to.counts) as ChangeKind[]) to.counts[kind] += more.counts[kind];
  to.addedBytes += more.addedBytes;
  to.removedBytes += more.removedBytes;
}

/** Sizes of folders say nothing about what is in them. */
function bytesOf(side: ChangedSide | null): number {
  return side?.kind === "file" ? side.sizeBytes : 0;
}

function ownChangeOf({ change, before, after, metadata, problem }: FileDifference): OwnChange {
  const text = problem === null ? null : inertLine(problem.message);
  return { change, before: sideOf(before), after: sideOf(after), metadata, problem: text };
}

function sideOf(node: FileNode | null): ChangedSide | null {
  if (node === null) return null;
  const { kind, sizeBytes, modifiedAtNs } = node.stat;
  const modifiedAtMs = modifiedAtNs === null ? null : Number(modifiedAtNs / 1_000_000n);
  return { path: formatTreePath(node.path), kind, sizeBytes, modifiedAtMs };
}
