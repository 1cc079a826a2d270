// A folder that was backed up file by file, seen as a file system. Names of a file that has several lead to one node, as far
// as they were met since it was opened.

import { RepriseError } from "../errors.js";
import { attributeName } from "../filesystem/attributeName.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import type {
  DataRange,
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileSystemInfo,
  NamedBytes,
  NodeId,
} from "../filesystem/fileSystem.js";
import { wrongKind } from "../filesystem/filesystemErrors.js";
import { formatError } from "../format/bytes.js";
import { bytesToHex, hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { compareNames, decodeAttributesNode, type StoredAttribute } from "../format/treeAttributes.js";
import { type ContentList, type ContentPiece, contentListOf } from "../format/treeContent.js";
import { type TreeEntry, type TreeIndexPage, treeFolderOf, treeIndexOf } from "../format/treeFolder.js";
import type { TreeNode } from "../format/treeNode.js";
import type { ImageEntry } from "../repository/imageReader.js";
import { nodeName, readTreeNode } from "../repository/treeReader.js";
import { ByteCache } from "./byteCache.js";
import type { ChunkFetcher } from "./snapshotDisk.js";

/** Decoded nodes, by the bytes that they have. */
const NODE_CACHE_BYTES = 32 * 1024 * 1024;
/** One call of the decoder. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** Files with several names; of more, some names are seen as files of their own. */
const MOST_LINKED = 200_000;
/** A decoded entry takes about so much. */
const ENTRY_WEIGHT = 600;

type Decoded =
  | { kind: "root" | "page"; entries: readonly TreeEntry[] }
  | { kind: "index"; pages: readonly TreeIndexPage[] }
  | { kind: "list"; list: ContentList };

export class StoredTree implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root: NodeId;
  readonly #fetcher: ChunkFetcher;
  readonly #nodes = new ByteCache<Promise<Decoded>>(NODE_CACHE_BYTES);
  /** Device and inode → the name that was met first. */
  readonly #linked = new Map<string, NodeId>();

  private constructor(archive: Archive, fetcher: ChunkFetcher) {
    this.root = nodeIdOf(archive.root, 0);
    this.#fetcher = fetcher;
    const { sizeBytes } = archive;
    const remarks = archive.lost.length === 0 ? [] : ["some of it was lost and repaired: holes stand for lost bytes"];
    this.info = { type: "folder", label: "", uuid: "", sizeBytes, usedBytes: sizeBytes, blockBytes: 1, remarks };
  }

  static async open(archive: Archive, fetcher: ChunkFetcher, options: ReadOptions = {}): Promise<StoredTree> {
    const tree = new StoredTree(archive, fetcher);
    const { sizeBytes } = await tree.#entry(tree.root, options);
    if (sizeBytes === archive.sizeBytes) return tree;
    throw formatError(`file tree ${archive.name}`, `is for ${sizeBytes} bytes, the manifest says ${archive.sizeBytes}`);
  }

  async stat(node: NodeId, options: ReadOptions = {}): Promise<FileStat> {
    const entry = await this.#entry(node, options);
    const { mode, uid, gid, linkCount, modifiedAtNs, changedAtNs, createdAtNs, kind, target } = entry;
    const sizeBytes = kind === "symlink" ? (target?.length ?? 0) : kind === "file" ? entry.sizeBytes : 0;
    const times = { modifiedAtNs, accessedAtNs: null, changedAtNs, createdAtNs };
    const id = this.#identity(entry, node);
    return { id, kind, sizeBytes, allocatedBytes: null, mode, uid, gid, linkCount, ...times, device: entry.rdev };
  }

  async *readDirectory(node: NodeId, options: ReadOptions = {}): AsyncIterable<DirectoryEntry> {
    for await (const { id, entries } of this.#pages(await this.#folder(node, options), options)) {
      for (const [i, entry] of entries.entries()) yield this.#directoryEntry(entry, nodeIdOf(id, i));
    }
  }

  async lookup(directory: NodeId, name: Uint8Array, options: ReadOptions = {}): Promise<DirectoryEntry | null> {
    let page = bytesToHex(await this.#folder(directory, options));
    const folder = await this.#node(page, options);
    if (folder.kind === "index") {
      const before = folder.pages.findLast(({ firstName }) => compareNames(firstName, name) <= 0);
      if (before === undefined) return null;
      page = bytesToHex(before.ref.id);
    }
    const entries = await this.#entries(page, options);
    const i = indexOfName(entries, name);
    return i < 0 ? null : this.#directoryEntry(entries[i] as TreeEntry, nodeIdOf(page, i));
  }

  async read(file: NodeId, buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<number> {
    const entry = await this.#file(file, options);
    const length = Math.max(0, Math.min(buffer.length, entry.sizeBytes - offset));
    for (let done = 0; done < length; ) {
      options.signal?.throwIfAborted();
      const part = buffer.subarray(done, Math.min(length, done + MAX_BATCH_BYTES));
      await this.#readPart(entry, part, offset + done, options);
      done += part.length;
    }
    return length;
  }

  async readSoon(files: readonly NodeId[], options: ReadOptions = {}): Promise<void> {
    const wanted: ImageEntry[] = [];
    let bytes = 0;
    for (const file of files) {
      if (bytes >= MAX_BATCH_BYTES) break;
      const { content, sizeBytes } = await this.#file(file, options);
      for await (const { piece } of this.#pieces(content, 0, 0, sizeBytes, options)) {
        if (piece.kind === "hole") continue;
        // places that only have to differ: nobody asks for these parts by them
        wanted.push({ offset: bytes, length: piece.bytes, id: piece.id });
        bytes += piece.bytes;
      }
    }
    if (wanted.length > 0) await this.#fetcher.chunks(wanted);
  }

  async *dataRanges(file: NodeId, options: ReadOptions = {}): AsyncIterable<DataRange> {
    const entry = await this.#file(file, options);
    let open = null as DataRange | null;
    for await (const { piece, offset } of this.#pieces(entry.content, 0, 0, entry.sizeBytes, options)) {
      if (piece.kind === "hole") {
        if (open !== null) yield open;
        open = null;
      } else open = { offset: open?.offset ?? offset, length: (open?.length ?? 0) + piece.bytes };
    }
    if (open !== null) yield open;
  }

  /** Chunks (hex ids) and holes (null) of a file in order: equal ones are equal bytes, without reading them. */
  async *chunks(file: NodeId, options: ReadOptions = {}): AsyncIterable<DataRange & { chunk: string | null }> {
    const entry = await this.#file(file, options);
    for await (const { piece, offset } of this.#pieces(entry.content, 0, 0, entry.sizeBytes, options)) {
      yield { offset, length: piece.bytes, chunk: piece.kind === "hole" ? null : bytesToHex(piece.id) };
    }
  }

  async readLink(symlink: NodeId, options: ReadOptions = {}): Promise<Uint8Array> {
    const { target } = await this.#entry(symlink, options);
    if (target === null) throw wrongKind(symlink, "a symbolic link");
    return target.slice();
  }

  async attributes(node: NodeId, options: ReadOptions = {}): Promise<NamedBytes[]> {
    const { attributes } = await this.#entry(node, options);
    if (!(attributes instanceof Uint8Array)) return attributes.map(namedBytes);
    const bytes = await this.#fetcher.blobs.read(attributes, { ...options, cached: true });
    return decodeAttributesNode(bytes, nodeName(attributes)).map(namedBytes);
  }

  #directoryEntry(entry: TreeEntry, id: NodeId): DirectoryEntry {
    return { name: entry.name.slice(), id: this.#identity(entry, id), kind: entry.kind };
  }

  #identity(entry: TreeEntry, id: NodeId): NodeId {
    if (entry.linkCount < 2 || entry.kind === "directory") return id;
    const key = `${entry.device}:${entry.inode}`;
    const known = this.#linked.get(key);
    if (known !== undefined) return known;
    if (this.#linked.size < MOST_LINKED) this.#linked.set(key, id);
    return id;
  }

  async #entry(node: NodeId, options: ReadOptions): Promise<TreeEntry> {
    const [page = "", index = ""] = node.split("/");
    const entry = (await this.#entries(page, options, node === this.root ? "root" : "page"))[Number(index)];
    if (entry === undefined)
      throw new RepriseError("invariant", "NODE_UNKNOWN", `${node}: no node of this file system`);
    return entry;
  }

  async #file(node: NodeId, options: ReadOptions): Promise<TreeEntry> {
    const entry = await this.#entry(node, options);
    if (entry.kind !== "file") throw wrongKind(node, "a file");
    return entry;
  }

  async #folder(node: NodeId, options: ReadOptions): Promise<Uint8Array> {
    const { folder } = await this.#entry(node, options);
    if (folder === null) throw wrongKind(node, "a directory");
    return folder;
  }

  async *#pages(
    folder: Uint8Array,
    options: ReadOptions,
  ): AsyncIterable<{ id: string; entries: readonly TreeEntry[] }> {
    const id = bytesToHex(folder);
    const node = await this.#node(id, options);
    if (node.kind !== "index") {
      yield { id, entries: await this.#entries(id, options) };
      return;
    }
    for (const { ref } of node.pages) {
      const page = bytesToHex(ref.id);
      yield { id: page, entries: await this.#entries(page, options) };
    }
  }

  /** The root is no page of anything: its entry has no name. */
  async #entries(page: string, options: ReadOptions, kind: "root" | "page" = "page"): Promise<readonly TreeEntry[]> {
    const node = await this.#node(page, options);
    if (node.kind === kind) return node.entries;
    throw formatError(`node ${page} of a file tree`, kind === "root" ? "is no root" : "is no page of a folder");
  }

  async #readPart(entry: TreeEntry, buffer: Uint8Array, offset: number, options: ReadOptions): Promise<void> {
    const wanted: ImageEntry[] = [];
    const end = offset + buffer.length;
    for await (const found of this.#pieces(entry.content, 0, offset, end, options)) {
      const { piece } = found;
      if (piece.kind === "hole") {
        buffer.fill(
          0,
          Math.max(0, found.offset - offset),
          Math.min(buffer.length, found.offset + piece.bytes - offset),
        );
      } else wanted.push({ offset: found.offset, length: piece.bytes, id: piece.id });
    }
    const chunks = await this.#fetcher.chunks(wanted);
    wanted.forEach((piece, i) => {
      const from = Math.max(0, offset - piece.offset);
      const to = Math.min(piece.length, end - piece.offset);
      buffer.set((chunks[i] as Uint8Array).subarray(from, to), piece.offset + from - offset);
    });
  }

  /** Chunks and holes that touch the range, with their places in the file. `start`: where the content begins. */
  async *#pieces(
    content: TreeEntry["content"],
    start: number,
    from: number,
    to: number,
    options: ReadOptions,
    above = Number.POSITIVE_INFINITY,
  ): AsyncIterable<{ piece: ContentPiece; offset: number }> {
    const list = content instanceof Uint8Array ? await this.#list(content, above, options) : null;
    let offset = start;
    for (const piece of list?.pieces ?? (content as readonly ContentPiece[] | null) ?? []) {
      if (offset >= to) return;
      if (offset + piece.bytes > from) {
        if (piece.kind === "node") yield* this.#pieces(piece.id, offset, from, to, options, list?.level ?? 0);
        else yield { piece, offset };
      }
      offset += piece.bytes;
    }
  }

  /** Levels go down, so that no list is inside itself. */
  async #list(id: Uint8Array, above: number, options: ReadOptions): Promise<ContentList> {
    const node = await this.#node(bytesToHex(id), options);
    if (node.kind !== "list" || node.list.level >= above) throw formatError(nodeName(id), "is no list of this level");
    return node.list;
  }

  #node(hex: string, options: ReadOptions): Promise<Decoded> {
    const known = this.#nodes.get(hex);
    if (known !== undefined) return known;
    options.signal?.throwIfAborted();
    // Without a caller's signal: others may wait for the same node.
    const reading = this.#read(hex);
    this.#nodes.set(hex, reading, ENTRY_WEIGHT);
    reading.then(
      (node) => this.#nodes.set(hex, reading, weightOf(node)),
      () => this.#nodes.delete(hex),
    );
    return reading;
  }

  async #read(hex: string): Promise<Decoded> {
    const id = hexToBytes(hex, BLOB_ID_BYTES, "node of a file tree");
    return decodedNode(await readTreeNode(this.#fetcher.blobs, id), id);
  }
}

function decodedNode(node: TreeNode, id: Uint8Array): Decoded {
  const what = nodeName(id);
  if (node.type === "folder-index") return { kind: "index", pages: treeIndexOf(node, what) };
  if (node.type === "content") return { kind: "list", list: contentListOf(node, what) };
  if (node.type === "root") return { kind: "root", entries: treeFolderOf(node, what, "root") };
  return { kind: "page", entries: treeFolderOf(node, what) };
}

function weightOf(node: Decoded): number {
  if ("entries" in node) return node.entries.length * ENTRY_WEIGHT;
  return (node.kind === "index" ? node.pages.length : node.list.pieces.length) * 200;
}

function nodeIdOf(page: string, index: number): NodeId {
  return `${page}/${index}` as NodeId;
}

function indexOfName(entries: readonly TreeEntry[], name: Uint8Array): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareNames((entries[middle] as TreeEntry).name, name) < 0) low = middle + 1;
    else high = middle;
  }
  const found = entries[low];
  return found !== undefined && compareNames(found.name, name) === 0 ? low : -1;
}

function namedBytes({ name, value }: StoredAttribute): NamedBytes {
  return { ...attributeName(name), value: value.slice() };
}
