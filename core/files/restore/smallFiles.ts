// Small files of one folder are fetched together before they are written one by one: behind a network each would cost a
// request of its own, although they mostly lie side by side in one pack.

import type { ReadOptions } from "../../filesystem/blockReader.js";
import type { FileNode } from "../machineTree.js";

/** Larger files are worth requests of their own. */
const SMALL_BYTES = 256 * 1024;
/** Two groups are in memory: the one that is written and the one that is fetched. */
const GROUP_BYTES = 4 * 1024 * 1024;
const GROUP_FILES = 256;

/** The same items in the same order, in groups whose small files have at most 4 MiB. */
export function groupsOfFiles<T extends { node: FileNode }>(items: readonly T[]): T[][] {
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = isSmall(item.node) ? item.node.stat.sizeBytes : 0;
    if (group.length >= GROUP_FILES || (group.length > 0 && bytes + more > GROUP_BYTES)) {
      groups.push(group);
      [group, bytes] = [[], 0];
    }
    group.push(item);
    bytes += more;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** Never fails: what cannot be fetched is told when it is read. */
export async function fetchSmallFiles(items: readonly { node: FileNode }[], options: ReadOptions): Promise<void> {
  const small = items.map(({ node }) => node).filter(isSmall);
  const [first] = small;
  if (first?.fileSystem.readSoon === undefined || small.length < 2) return;
  const ids = small.filter(({ fileSystem }) => fileSystem === first.fileSystem).map(({ node }) => node);
  await first.fileSystem.readSoon(ids, options).catch(() => {});
}

function isSmall({ stat }: FileNode): boolean {
  return stat.kind === "file" && stat.sizeBytes > 0 && stat.sizeBytes <= SMALL_BYTES;
}
