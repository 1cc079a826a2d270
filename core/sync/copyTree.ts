// Copies a file tree: each node becomes the same node with other ids; chunks that the destination lacks are copied on the way.
// Present is what the destination's index says of every single blob, also below nodes that are there already.

import { type BlobIdHex, bytesToHex, hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { decodeTreeNode, replaceTreeRefs, type TreeNode, type TreeRef } from "../format/treeNode.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { ChunkIndex } from "../repository/chunkIndex.js";
import type { ImageEntry } from "../repository/imageReader.js";
import { readTreeNode } from "../repository/treeReader.js";
import { type ChunkMapping, LearnedIds, SAME_IDS } from "./chunkMapping.js";
import type { ArchiveCopierOptions, ArchivePair } from "./copyOptions.js";
import { readable } from "./pageTranslation.js";

/** Chunks that are copied together. */
const GROUP_CHUNKS = 256;

export async function copyTree(archive: Archive, base: ArchivePair, options: ArchiveCopierOptions): Promise<Archive> {
  await learnFromTrees(base, options.mapping, options.reader.blobs, options.toBlobs, options.signal);
  const copier = new TreeCopier(archive.name, options);
  const root = await copier.copy(hexToBytes(archive.root, BLOB_ID_BYTES, "archive root"));
  return { ...archive, root: bytesToHex(root) as BlobIdHex };
}

export type TreeCopierOptions = Pick<
  ArchiveCopierOptions,
  "reader" | "copier" | "mapping" | "sink" | "index" | "signal"
> & { onBytes?: (bytes: number) => void };

export class TreeCopier {
  readonly #name: string;
  readonly #options: TreeCopierOptions;
  /** Nodes that were copied by this copier: all below them is there. */
  readonly #done = new LearnedIds();

  constructor(name: string, options: TreeCopierOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Id of the node in the destination. SYNC_SOURCE_DAMAGED. */
  async copy(id: Uint8Array): Promise<Uint8Array> {
    const known = this.#done.find(id);
    if (known !== undefined) return known.slice();
    this.#options.signal?.throwIfAborted();
    const bytes = await this.#options.reader.treeNode(id, this.#name);
    const { refs } = decodeTreeNode(bytes, this.#name);
    const ids = await this.#copyChunks(refs);
    for (const [i, ref] of refs.entries()) {
      if (ref.kind === "node") ids.set(await this.copy(ref.id), i * BLOB_ID_BYTES);
    }
    const copied = await this.#options.sink.storeBlob("tree", replaceTreeRefs(bytes, ids));
    this.#done.learn(id, copied);
    return copied;
  }

  async #copyChunks(refs: readonly TreeRef[]): Promise<Uint8Array> {
    const { mapping, index, sink, copier, onBytes } = this.#options;
    const ids = new Uint8Array(refs.length * BLOB_ID_BYTES);
    let missing: { place: number; ref: TreeRef }[] = [];
    const copyMissing = async () => {
      const entries = entriesOf(missing.map(({ ref }) => ref));
      const copied = await copier.copy(entries, this.#name);
      for (const [i, { place, ref }] of missing.entries()) {
        const id = copied.subarray(i * BLOB_ID_BYTES, (i + 1) * BLOB_ID_BYTES);
        ids.set(id, place * BLOB_ID_BYTES);
        mapping.learn(ref.id, id);
      }
      missing = [];
    };
    for (const [place, ref] of refs.entries()) {
      if (ref.kind !== "chunk") continue;
      const known = presentName(ref.id, mapping, index);
      if (known === undefined) missing.push({ place, ref });
      else {
        ids.set(known, place * BLOB_ID_BYTES);
        sink.statistics.chunksTotal++;
      }
      onBytes?.(ref.bytes);
      if (missing.length >= GROUP_CHUNKS) await copyMissing();
    }
    if (missing.length > 0) await copyMissing();
    return ids;
  }
}

/** Every node of a tree once, whatever it is. */
export async function forEachTreeNode(
  root: Uint8Array,
  read: (id: Uint8Array) => Promise<TreeNode>,
  visit: (node: TreeNode) => void,
): Promise<void> {
  const seen = new LearnedIds();
  const waiting = [root];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (seen.find(id) !== undefined) continue;
    seen.learn(id, id);
    const node = await read(id);
    visit(node);
    for (const ref of node.refs) if (ref.kind === "node") waiting.push(ref.id.slice());
  }
}

/** What a chunk is called in the destination if it is there. */
export function presentName(id: Uint8Array, mapping: ChunkMapping, index: ChunkIndex): Uint8Array | undefined {
  const name = mapping.find(id);
  return name !== undefined && index.has(name) ? name : undefined;
}

/** Names of chunks, from an earlier snapshot of the same folder that both have: nodes at the same places are the same. */
export async function learnFromTrees(
  base: ArchivePair,
  mapping: ChunkMapping,
  fromBlobs: BlobReader,
  toBlobs: BlobReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (base === null || mapping === SAME_IDS) return;
  const rootOf = ({ root }: Archive) => hexToBytes(root, BLOB_ID_BYTES, "archive root");
  const seen = new LearnedIds();
  const waiting = [{ from: rootOf(base.from), to: rootOf(base.to) }];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    if (seen.find(pair.from) !== undefined) continue;
    seen.learn(pair.from, pair.to);
    const nodes = await readable(() =>
      Promise.all([readTreeNode(fromBlobs, pair.from, { signal }), readTreeNode(toBlobs, pair.to, { signal })]),
    );
    if (nodes === null || !haveEqualRefs(...nodes)) continue;
    const [from, to] = nodes;
    for (const [i, ref] of from.refs.entries()) {
      const other = (to.refs[i] as TreeRef).id;
      if (ref.kind === "chunk") mapping.learn(ref.id, other);
      else waiting.push({ from: ref.id.slice(), to: other.slice() });
    }
  }
}

export function haveEqualRefs(a: TreeNode, b: TreeNode): boolean {
  return (
    a.refs.length === b.refs.length &&
    a.refs.every(({ kind, bytes }, i) => b.refs[i]?.kind === kind && b.refs[i]?.bytes === bytes)
  );
}

/** As a piece of a disk, for readers of chunks: places only have to differ. */
export function entriesOf(refs: readonly TreeRef[]): ImageEntry[] {
  let offset = 0;
  return refs.map(({ bytes, id }) => {
    const entry = { offset, length: bytes, id };
    offset += bytes;
    return entry;
  });
}
