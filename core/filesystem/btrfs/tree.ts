// Searching and walking one tree. Every block must start with the key that its parent names and end before the parent's next
// one, so that keys ascend through the whole tree and every walk ends.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { compareKeyAt, compareKeysAt, type Key } from "./key.js";
import type { TreeRoot } from "./superblock.js";
import type { Item, TreeBlock } from "./treeBlock.js";
import type { BtrfsVolume } from "./volume.js";

interface Step {
  block: TreeBlock;
  index: number;
}

export class Tree {
  readonly #volume: BtrfsVolume;
  readonly #root: TreeRoot;

  constructor(volume: BtrfsVolume, root: TreeRoot) {
    this.#volume = volume;
    this.#root = root;
  }

  /** The last item whose key is not behind `key`. */
  async floor(key: Key, options?: ReadOptions): Promise<Item | null> {
    const { block, index } = (await this.#descend(key, options)).at(-1) as Step;
    return index < 0 ? null : block.item(index);
  }

  async find(key: Key, options?: ReadOptions): Promise<Item | null> {
    const { block, index } = (await this.#descend(key, options)).at(-1) as Step;
    return index >= 0 && compareKeyAt(block.view, block.entryAt(index), key) === 0 ? block.item(index) : null;
  }

  /** All items from `key` on, ascending. */
  async *from(key: Key, options?: ReadOptions): AsyncGenerator<Item> {
    const path = await this.#descend(key, options);
    const leaf = path.at(-1) as Step;
    const isExact = leaf.index >= 0 && compareKeyAt(leaf.block.view, leaf.block.entryAt(leaf.index), key) === 0;
    if (!isExact) leaf.index++;
    for (let step: Step | undefined = leaf; step !== undefined; step = await this.#nextLeaf(path, options)) {
      for (; step.index < step.block.count; step.index++) yield step.block.item(step.index);
    }
  }

  /** All items with this object id and type, from `offset` on. */
  async *of(objectId: number, type: number, offset: number, options?: ReadOptions): AsyncGenerator<Item> {
    for await (const item of this.from({ objectId, type, offset }, options)) {
      if (item.objectId !== objectId || item.type !== type) return;
      yield item;
    }
  }

  /** From the root to the leaf where `key` belongs; the index of the leaf may be -1. */
  async #descend(key: Key, options?: ReadOptions): Promise<Step[]> {
    let block = await this.#volume.readBlock(this.#root, options);
    const path: Step[] = [];
    for (;;) {
      const index = block.indexOf(key);
      if (block.level === 0) {
        path.push({ block, index });
        return path;
      }
      path.push({ block, index: Math.max(0, index) });
      block = await this.#child(path, options);
    }
  }

  /** Turns `path` to the leaf behind its own. */
  async #nextLeaf(path: Step[], options?: ReadOptions): Promise<Step | undefined> {
    path.pop();
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      step.index++;
      if (step.index < step.block.count) break;
      path.pop();
    }
    if (path.length === 0) return undefined;
    for (;;) {
      const block = await this.#child(path, options);
      const step = { block, index: 0 };
      path.push(step);
      if (block.level === 0) return step;
    }
  }

  /** The block that the last step of `path` points to. */
  async #child(path: readonly Step[], options?: ReadOptions): Promise<TreeBlock> {
    const { block: parent, index } = path.at(-1) as Step;
    const reference = parent.child(index);
    const child = await this.#volume.readBlock(reference, options);
    const where = `tree block ${reference.address}`;
    if (child.count === 0 || compareKeysAt(child.view, child.entryAt(0), parent.view, parent.entryAt(index)) !== 0) {
      throw damaged("btrfs", where, "does not start with the key that its parent names");
    }
    const next = path.findLast((step) => step.index + 1 < step.block.count);
    if (next === undefined) return child;
    const end = next.block.entryAt(next.index + 1);
    if (compareKeysAt(child.view, child.entryAt(child.count - 1), next.block.view, end) >= 0) {
      throw damaged("btrfs", where, "has keys that belong behind it");
    }
    return child;
  }
}
