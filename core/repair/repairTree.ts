// A file tree without what it has lost: holes for lost contents, empty folders for lost ones, each entry marked as incomplete.
// Nodes in which nothing is lost stay the same.

import { ContentWriter } from "../backup/contentWriter.js";
import { FolderWriter, type StoredFolder } from "../backup/folderWriter.js";
import { type BlobIdHex, bytesToHex } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { type ContentPiece, contentListOf } from "../format/treeContent.js";
import { encodeTreeFolder, type TreeEntry, treeFolderOf, treeIndexOf } from "../format/treeFolder.js";
import type { TreeNode } from "../format/treeNode.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { BlobSink } from "../repository/blobSink.js";
import type { StoreBlob } from "../repository/imageMapWriter.js";
import { nodeName, readTreeNode, readTreeRoot, type TreeReadOptions } from "../repository/treeReader.js";
import { walkTree } from "../repository/treeWalk.js";
import { isDamage } from "../sync/sourceReader.js";

export async function repairTree(
  archive: Archive,
  ranges: readonly { offset: number; length: number }[],
  blobs: BlobReader,
  sink: BlobSink,
  options: TreeReadOptions,
): Promise<Archive> {
  const lost = await findLost(archive, ranges, blobs, options);
  const repair = new TreeRepair(lost, blobs, sink, options);
  const root = await repair.entry(await readTreeRoot(archive, blobs, options));
  const id = await sink.storeBlob("tree", encodeTreeFolder([root], "root"));
  const holes = repair.holes.map(({ offset, bytes }) => [offset, bytes] as const);
  return {
    ...archive,
    sizeBytes: root.sizeBytes,
    root: bytesToHex(id) as BlobIdHex,
    lost: [...archive.lost.filter(([offset, length]) => offset + length <= root.sizeBytes), ...holes],
  };
}

/** Hex ids of the blobs that stand where something is lost. What cannot be read is lost in any case. */
async function findLost(
  archive: Archive,
  ranges: readonly { offset: number; length: number }[],
  blobs: BlobReader,
  options: TreeReadOptions,
): Promise<Set<string>> {
  const places = new Set(ranges.map(({ offset, length }) => `${offset}+${length}`));
  const lost = new Set<string>();
  const chunkIsLost = (id: Uint8Array) => isLost(id, blobs, options);
  await walkTree(
    archive,
    blobs,
    {
      onChunk: async (id, { offset, length }) => {
        if (places.has(`${offset}+${length}`) && (await chunkIsLost(id))) lost.add(bytesToHex(id));
      },
      onNode: async (id, _place, descend) => {
        try {
          await descend();
        } catch (error) {
          if (!isDamage(error)) throw error;
          lost.add(bytesToHex(id));
        }
      },
    },
    options,
  );
  return lost;
}

async function isLost(id: Uint8Array, blobs: BlobReader, options: TreeReadOptions): Promise<boolean> {
  try {
    await blobs.read(id, options);
    return false;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return true;
  }
}

class TreeRepair {
  /** In places of the repaired tree. */
  readonly holes: { offset: number; bytes: number }[] = [];
  readonly #lost: ReadonlySet<string>;
  readonly #blobs: BlobReader;
  readonly #store: StoreBlob;
  readonly #options: TreeReadOptions;
  #offset = 0;

  constructor(lost: ReadonlySet<string>, blobs: BlobReader, sink: BlobSink, options: TreeReadOptions) {
    this.#lost = lost;
    this.#blobs = blobs;
    this.#store = (kind, plain) => sink.storeBlob(kind, plain);
    this.#options = options;
  }

  async entry(entry: TreeEntry): Promise<TreeEntry> {
    this.#options.signal?.throwIfAborted();
    const isAttributeLost = entry.attributes instanceof Uint8Array && this.#isLost(entry.attributes);
    const kept = isAttributeLost ? { ...entry, attributes: [], incomplete: true } : entry;
    if (entry.folder !== null) return await this.#folderEntry(kept, entry.folder);
    return entry.kind === "file" ? await this.#fileEntry(kept) : kept;
  }

  async #folderEntry(entry: TreeEntry, folder: Uint8Array): Promise<TreeEntry> {
    const writer = new FolderWriter(this.#store);
    const isWhole = await this.#addPages(writer, folder);
    const { id, contentBytes, entryCount }: StoredFolder = await writer.finish();
    const incomplete = entry.incomplete || !isWhole;
    return { ...entry, folder: id, sizeBytes: contentBytes, entryCount, incomplete };
  }

  /** False when a page is missing. */
  async #addPages(writer: FolderWriter, id: Uint8Array): Promise<boolean> {
    if (this.#isLost(id)) return false;
    const node = await this.#read(id);
    if (node.type !== "folder-index") {
      for (const entry of treeFolderOf(node, nodeName(id))) await writer.add(await this.entry(entry));
      return true;
    }
    let isWhole = true;
    for (const { ref } of treeIndexOf(node, nodeName(id))) {
      if (!(await this.#addPages(writer, ref.id))) isWhole = false;
    }
    return isWhole;
  }

  async #fileEntry(entry: TreeEntry): Promise<TreeEntry> {
    const start = this.#offset;
    const holesBefore = this.holes.length;
    const writer = new ContentWriter(this.#store);
    const pieces: readonly ContentPiece[] =
      entry.content instanceof Uint8Array
        ? [{ kind: "node", bytes: entry.sizeBytes, id: entry.content }]
        : (entry.content ?? []);
    await this.#addPieces(writer, pieces);
    this.#offset = start + entry.sizeBytes;
    if (this.holes.length === holesBefore) return entry;
    return { ...entry, content: await writer.finish(), incomplete: true };
  }

  async #addPieces(writer: ContentWriter, pieces: readonly ContentPiece[]): Promise<void> {
    for (const piece of pieces) {
      if (piece.kind === "hole") await writer.add(piece);
      else if (this.#isLost(piece.id)) {
        this.holes.push({ offset: this.#offset, bytes: piece.bytes });
        await writer.add({ kind: "hole", bytes: piece.bytes });
      } else if (piece.kind === "node") {
        const list = contentListOf(await this.#read(piece.id), nodeName(piece.id));
        await this.#addPieces(writer, list.pieces);
        continue;
      } else await writer.add(piece);
      this.#offset += piece.bytes;
    }
  }

  #isLost(id: Uint8Array): boolean {
    return this.#lost.has(bytesToHex(id));
  }

  async #read(id: Uint8Array): Promise<TreeNode> {
    return await readTreeNode(this.#blobs, id, this.#options);
  }
}
