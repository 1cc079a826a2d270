// What the Search Results view shows of many hits and how often, and what ends a search, with an editor that only counts.

import assert from "node:assert/strict";
import type { SearchHit, SearchSummary } from "../../../extension/service/searchProtocol.js";
import type { Search, SearchNode, SearchTree } from "../../../extension/views/searchTree.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/viewEditor.js";

class TreeItem {
  readonly label: unknown;
  constructor(label: unknown) {
    this.label = label;
  }
}

const ThemeIcon = class {};

const l10n = { t: (text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, n) => String(values[n])) };
const uri = (parts: object) => parts;
const editor = {
  ...{ EventEmitter: PlainEmitter, TreeItem, ThemeIcon, l10n, env: { language: "en" }, Uri: { from: uri } },
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
};

const search: Search = {
  ...{ configured: { location: "/nowhere", name: "Nowhere" } as Search["configured"], repositoryId: "0".repeat(32) },
  ...{ machine: "vm/web1", snapshot: null, path: "/", kind: "name", wanted: "x", files: "" },
};
const hit = (path: string, snapshotMs = 0): SearchHit => ({
  ...{ path, kind: "file", sizeBytes: 1, modifiedAtMs: null, snapshotId: "1".repeat(32), snapshotMs, lines: [] },
});
const summary: SearchSummary = {
  ...{ hits: 3, lines: 0, complete: true, times: null, unreadable: 0, tooLarge: 0, binary: 0 },
};

describe("the view of what was found", () => {
  let tree: SearchTree;
  let drawn: number;
  const view = { description: "", message: "" as string | undefined };
  const rows = () => tree.getChildren();
  const paths = () => rows().flatMap((row) => (row.kind === "hit" ? [row.hit.path] : []));

  beforeEach(async () => {
    const { SearchTree } = await importWithEditor<typeof import("../../../extension/views/searchTree.js")>(
      "views/searchTree.js",
      editor,
    );
    tree = new SearchTree();
    tree.attach(view as unknown as Parameters<SearchTree["attach"]>[0]);
    drawn = 0;
    tree.onDidChangeTreeData(() => drawn++);
  });
  afterEach(() => tree.dispose());

  it("ends a search when another begins, when it is closed, and with the window", () => {
    const first = tree.begin(search);
    const second = tree.begin({ ...search });
    assert.deepEqual([first.signal.aborted, second.signal.aborted], [true, false]);
    first.add(hit("/late"));
    first.end(undefined);
    assert.deepEqual([rows(), view.message], [[], "Searching…"]);
    tree.close();
    assert.deepEqual([second.signal.aborted, view.message], [true, undefined]);
    second.end(summary);
    assert.equal(view.message, undefined);
    const third = tree.begin(search);
    tree.dispose();
    assert.equal(third.signal.aborted, true);
  });

  it("shows many hits a part at a time", () => {
    const run = tree.begin(search);
    for (let n = 0; n < 10_000; n++) run.add(hit(`/${n}`));
    run.end({ ...summary, hits: 10_000 });
    assert.equal(rows().length, 501);
    const more = rows().at(-1) as Extract<SearchNode, { kind: "moreHits" }>;
    assert.equal(tree.getTreeItem(more).label, "Show more… (500 of 10000 shown)");
    tree.showMore(more);
    assert.equal(rows().length, 1501);
    for (let times = 0; times < 3; times++) tree.showMore(rows().at(-1) as typeof more);
    assert.deepEqual([rows().length, paths().length], [10_000, 10_000]);
    tree.begin(search).add(hit("/one"));
    assert.equal(rows().length, 1);
  });

  it("draws less and less often while hits come, and not after the end", () => {
    const { setTimeout, clearTimeout } = globalThis;
    const waitsMs: number[] = [];
    let due: (() => void) | undefined;
    globalThis.setTimeout = ((draw: () => void, ms: number) => {
      assert.equal(due, undefined, "it is to be drawn already");
      due = draw;
      waitsMs.push(ms);
      return waitsMs.length;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = () => {
      due = undefined;
    };
    try {
      const run = tree.begin(search);
      for (let rounds = 1; rounds <= 8; rounds++) {
        const before = drawn;
        for (const path of ["/a", "/b", "/c"]) run.add(hit(path));
        assert.equal(drawn, before);
        const draw = due;
        due = undefined;
        draw?.();
        assert.deepEqual([drawn, waitsMs.length], [before + 1, rounds]);
      }
      assert.deepEqual(waitsMs.map(Math.round), [200, 300, 450, 675, 1013, 1519, 2278, 3000]);
      run.add(hit("/last"));
      run.end(summary);
      assert.equal(due, undefined);
    } finally {
      Object.assign(globalThis, { setTimeout, clearTimeout });
    }
  });

  it("says at the end in how many snapshots a version is, and puts the versions of a file together", () => {
    const run = tree.begin(search);
    for (const path of ["/b", "/a", "/b"]) run.add(hit(path));
    const words = () => rows().map((row) => String(tree.getTreeItem(row).description).split(" · ")[2]);
    assert.match(words()[0] ?? "", /^last in the snapshot of /);
    const times = [1, 2, 3].map((snapshots) => ({ snapshots, firstMs: 0 }));
    run.end({ ...summary, times });
    assert.deepEqual(paths(), ["/a", "/b", "/b"]);
    assert.match(words().join("; "), /^in 2 snapshots, .*; in the snapshot of .*; in 3 snapshots, /);
  });
});
