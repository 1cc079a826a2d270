import assert from "node:assert/strict";
import type { FileDifference } from "../../../core/index.js";
import { ChangeTree } from "../../../extension/service/changeTree.js";
import { ALL_CHANGES } from "../../../extension/service/compareProtocol.js";

const CHANGES = 100_000;
/** Generous for a busy machine; it takes a few hundred milliseconds. */
const MOST_MS = 5000;
const names = (path: string) => path.split("/").map((name) => new TextEncoder().encode(name));

function difference(path: string, change: FileDifference["change"]): FileDifference {
  return { path: names(path), change, before: null, after: null, metadata: [], problem: null };
}

describe("a tree of changes", () => {
  const everything = { text: "", kinds: ALL_CHANGES };

  it("is quick with a hundred thousand of them, also behind a filter", function () {
    this.timeout(2 * MOST_MS);
    const startedMs = performance.now();
    const tree = new ChangeTree();
    for (let i = 0; i < CHANGES; i++)
      tree.add(difference(`sda/p2/f${i % 100}/d${i % 1000}/file-${i}`, i % 2 === 0 ? "added" : "removed"));
    const top = tree.page(names("sda/p2"), everything, 0, 1000);
    assert.deepEqual([top.total, top.items[0]?.counts.added], [100, 1000]);
    const filtered = tree.page(names("sda/p2/f7"), { text: "FILE-99907", kinds: ["removed"] }, 0, 10);
    assert.deepEqual(
      filtered.items.map(({ name, counts }) => [name, counts.removed]),
      [["d907", 1]],
    );
    assert.equal(tree.page(names("sda/p2/f7/d907"), everything, 90, 100).items.length, 10);
    assert.ok(performance.now() - startedMs < MOST_MS);
  });

  it("tells names of bytes and of controls as text that paths read back", () => {
    const tree = new ChangeTree();
    const path = [Uint8Array.of(0x61), Uint8Array.of(0x1b, 0xff)];
    tree.add({ ...difference("", "added"), path });
    const [folder] = tree.page([], everything, 0, 10).items;
    assert.equal(folder?.isFolder, true);
    const [odd] = tree.page(path.slice(0, 1), everything, 0, 10).items;
    assert.equal(odd?.path, "/a/\\x1b\\xff");
  });
});
