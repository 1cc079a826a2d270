// What FAT and exFAT both record of a file: attributes and times, and neither owners nor modes nor links.

import type { FileStat, NodeId } from "../fileSystem.js";
import { wrongKind } from "../filesystemErrors.js";
import { ATTRIBUTE } from "./dosAttributes.js";

export interface DosNode {
  attributes: number;
  sizeBytes: number;
  createdAtNs: bigint | null;
  accessedAtNs: bigint | null;
  modifiedAtNs: bigint | null;
}

export function isDirectory({ attributes }: Pick<DosNode, "attributes">): boolean {
  return (attributes & ATTRIBUTE.directory) !== 0;
}

/** `node`: null for the root, which has no entry. */
export function dosStat(
  id: NodeId,
  node: DosNode | null,
  sizes: Pick<FileStat, "sizeBytes" | "allocatedBytes">,
): FileStat {
  return {
    id,
    kind: node === null || isDirectory(node) ? "directory" : "file",
    ...sizes,
    mode: null,
    uid: null,
    gid: null,
    linkCount: 1,
    modifiedAtNs: node?.modifiedAtNs ?? null,
    accessedAtNs: node?.accessedAtNs ?? null,
    changedAtNs: null,
    createdAtNs: node?.createdAtNs ?? null,
    device: null,
  };
}

/** What it takes in whole clusters. */
export function allocatedBytesOf({ sizeBytes }: Pick<DosNode, "sizeBytes">, clusterBytes: number): number {
  return Math.ceil(sizeBytes / clusterBytes) * clusterBytes;
}

/** FILE_KIND_WRONG for directories. */
export function requireDosFile<Node extends DosNode>(node: Node | null, id: NodeId): Node {
  if (node === null || isDirectory(node)) throw wrongKind(id, "a file");
  return node;
}
