// Folders of a stored file tree: pages of entries, and the index over the pages of a large folder. The root is a page of one
// entry without a name. docs/format/file-tree.md, "Entries".

import { type ByteReader, ByteWriter } from "./bytes.js";
import {
  attributesBytes,
  compareNames,
  readAttributes,
  type StoredAttribute,
  writeAttributes,
} from "./treeAttributes.js";
import { type ContentPiece, holesBytes, readPieces, sumOf, writeHoles } from "./treeContent.js";
import { decodeTreeNode, encodeTreeNode, expectTreeNode, type TreeNode, type TreeRef } from "./treeNode.js";

export const TREE_ENTRY_KINDS = ["file", "directory", "symlink", "character-device", "block-device", "fifo"] as const;
export type TreeEntryKind = (typeof TREE_ENTRY_KINDS)[number];

export const MAX_TREE_NAME = 4096;
export const MAX_LINK_TARGET = 65_535;
/** More pieces than this go into lists of their own. */
export const MAX_INLINE_PIECES = 16;

export interface TreeEntry {
  /** Raw bytes; empty in the root only. */
  name: Uint8Array;
  kind: TreeEntryKind;
  /** 0–0o7777. */
  mode: number;
  uid: number;
  gid: number;
  linkCount: number;
  /** Which device of the tree, counted from the root's (0): two names with the same device and inode are one file. */
  device: number;
  inode: bigint;
  /** Nanoseconds since 1970. */
  modifiedAtNs: bigint;
  changedAtNs: bigint;
  createdAtNs: bigint | null;
  /** Something of it is missing: it could not be read, or a repair had to give it up. */
  incomplete: boolean;
  /** It changed so shortly before it was read that its times cannot tell whether it has changed since. */
  unsettled: boolean;
  /** Of a file its size, of a folder the bytes of all files below it, else 0. */
  sizeBytes: number;
  /** Folders: entries below, at any depth. Else 0. */
  entryCount: number;
  /** Files: pieces, or the id of a content list. Else none. */
  content: readonly ContentPiece[] | Uint8Array | null;
  /** Folders: id of the page or the index. */
  folder: Uint8Array | null;
  /** Symbolic links: as stored. */
  target: Uint8Array | null;
  rdev: { major: number; minor: number } | null;
  /** Inline, or the id of a node of their own. */
  attributes: readonly StoredAttribute[] | Uint8Array;
}

const FLAG_CREATED = 1;
const FLAG_INCOMPLETE = 2;
const FLAG_LIST = 4;
const FLAG_ATTRIBUTES = 8;
const FLAG_ATTRIBUTES_NODE = 16;
const FLAG_UNSETTLED = 32;
const ALL_FLAGS = 63;
const FIXED_BYTES = 4 + 2 + 4 + 4 + 4 + 2 + 8 + 24;
const SECOND_NS = 1_000_000_000n;

export interface TreeFolderPage {
  entries: readonly TreeEntry[];
}

/** A page, or with `root` the one entry of the root. Names are unique and in order of their bytes. */
export function encodeTreeFolder(entries: readonly TreeEntry[], type: "folder" | "root" = "folder"): Uint8Array {
  const writer = new ByteWriter(4 + entries.reduce((sum, entry) => sum + treeEntryBytes(entry), 0));
  const refs: TreeRef[] = [];
  writer.u32(entries.length);
  for (const entry of entries) {
    writeEntry(writer, entry);
    refs.push(...refsOf(entry));
  }
  const entryCount = entries.reduce((sum, entry) => sum + 1 + entry.entryCount, 0);
  return encodeTreeNode({ type, level: 0, contentBytes: sizeOf(entries), entryCount, refs, body: writer.finish() });
}

/** Names, targets and ids are views. */
export function decodeTreeFolder(bytes: Uint8Array, what: string, type: "folder" | "root" = "folder"): TreeEntry[] {
  return treeFolderOf(decodeTreeNode(bytes, what), what, type);
}

export function treeFolderOf(node: TreeNode, what: string, type: "folder" | "root" = "folder"): TreeEntry[] {
  const reader = expectTreeNode(node, [type], what);
  const count = reader.u32();
  if (count * FIXED_BYTES > reader.remaining) reader.fail(`${count} entries do not fit`);
  const refs = new RefCursor(node.refs, reader);
  const entries: TreeEntry[] = [];
  let entryCount = 0;
  for (let i = 0; i < count; i++) {
    const entry = readEntry(reader, refs);
    const before = entries.at(-1);
    if (type === "folder" && isForbidden(entry.name)) reader.fail("a name that no file can have");
    if (before !== undefined && compareNames(before.name, entry.name) >= 0) reader.fail("names are out of order");
    entries.push(entry);
    entryCount += 1 + entry.entryCount;
  }
  reader.expectEnd();
  refs.expectEnd();
  if (type === "root" && (count !== 1 || entries[0]?.name.length !== 0 || entries[0].kind !== "directory"))
    reader.fail("is no root");
  if (sizeOf(entries) !== node.contentBytes || entryCount !== node.entryCount)
    reader.fail("sums do not fit the entries");
  return entries;
}

export interface TreeIndexPage {
  ref: TreeRef;
  /** Of the first entry in it. */
  firstName: Uint8Array;
}

export function encodeTreeIndex(pages: readonly TreeIndexPage[], entryCount: number): Uint8Array {
  const writer = new ByteWriter(pages.reduce((sum, { firstName }) => sum + 2 + firstName.length, 0));
  for (const { firstName } of pages) {
    writer.u16(firstName.length);
    writer.put(firstName);
  }
  const refs = pages.map(({ ref }) => ref);
  const contentBytes = sumOf(refs);
  return encodeTreeNode({ type: "folder-index", level: 0, contentBytes, entryCount, refs, body: writer.finish() });
}

export function treeIndexOf(node: TreeNode, what: string): TreeIndexPage[] {
  const reader = expectTreeNode(node, ["folder-index"], what);
  const pages = node.refs.map((ref) => ({ ref, firstName: readBytes(reader, MAX_TREE_NAME) }));
  reader.expectEnd();
  pages.forEach(({ ref, firstName }, i) => {
    const before = pages[i - 1];
    if (ref.kind !== "node") reader.fail("an index refers to pages only");
    if (before !== undefined && compareNames(before.firstName, firstName) >= 0) reader.fail("pages are out of order");
  });
  if (sumOf(node.refs) !== node.contentBytes) reader.fail("sums do not fit the pages");
  return pages;
}

/** What an entry takes in the body of a page; its references come on top. */
export function treeEntryBytes(entry: TreeEntry): number {
  let bytes = FIXED_BYTES + entry.name.length + (entry.createdAtNs === null ? 0 : 12);
  if (entry.kind === "file") bytes += 8 + (isList(entry.content) ? 0 : 4 + holesBytes(piecesOf(entry)));
  else if (entry.kind === "directory") bytes += 8;
  else if (entry.kind === "symlink") bytes += 2 + (entry.target?.length ?? 0);
  else if (entry.rdev !== null) bytes += 8;
  if (!isNode(entry.attributes) && entry.attributes.length > 0) bytes += attributesBytes(entry.attributes);
  return bytes;
}

/** What an entry refers to, in the order in which it is stored. */
export function refsOf(entry: TreeEntry): TreeRef[] {
  const refs: TreeRef[] = [];
  if (entry.kind === "file") {
    if (isList(entry.content)) refs.push({ kind: "node", bytes: entry.sizeBytes, id: entry.content });
    else for (const piece of piecesOf(entry)) if (piece.kind !== "hole") refs.push(piece);
  }
  if (entry.folder !== null) refs.push({ kind: "node", bytes: entry.sizeBytes, id: entry.folder });
  if (isNode(entry.attributes)) refs.push({ kind: "node", bytes: 0, id: entry.attributes });
  return refs;
}

function writeEntry(writer: ByteWriter, entry: TreeEntry): void {
  writer.u8(TREE_ENTRY_KINDS.indexOf(entry.kind));
  writer.u8(flagsOf(entry));
  writeBytes(writer, entry.name);
  writer.u16(entry.mode);
  writer.u32(entry.uid);
  writer.u32(entry.gid);
  writer.u32(entry.linkCount);
  writer.u16(entry.device);
  writer.u64(entry.inode);
  writeTime(writer, entry.modifiedAtNs);
  writeTime(writer, entry.changedAtNs);
  if (entry.createdAtNs !== null) writeTime(writer, entry.createdAtNs);
  if (entry.kind === "file") {
    writer.size(entry.sizeBytes);
    if (!isList(entry.content)) {
      const pieces = piecesOf(entry);
      writer.u32(pieces.reduce((count, { kind }) => count + (kind === "hole" ? 0 : 1), 0));
      writeHoles(writer, pieces);
    }
  } else if (entry.kind === "directory") writer.size(entry.entryCount);
  else if (entry.kind === "symlink") writeBytes(writer, entry.target ?? new Uint8Array(0));
  else if (entry.rdev !== null) {
    writer.u32(entry.rdev.major);
    writer.u32(entry.rdev.minor);
  }
  if (!isNode(entry.attributes) && entry.attributes.length > 0) writeAttributes(writer, entry.attributes);
}

function flagsOf(entry: TreeEntry): number {
  return (
    (entry.createdAtNs === null ? 0 : FLAG_CREATED) |
    (entry.incomplete ? FLAG_INCOMPLETE : 0) |
    (entry.kind === "file" && isList(entry.content) ? FLAG_LIST : 0) |
    (isNode(entry.attributes) ? FLAG_ATTRIBUTES_NODE : entry.attributes.length > 0 ? FLAG_ATTRIBUTES : 0) |
    (entry.unsettled ? FLAG_UNSETTLED : 0)
  );
}

function readEntry(reader: ByteReader, refs: RefCursor): TreeEntry {
  const kind = TREE_ENTRY_KINDS[reader.u8()];
  const flags = reader.u8();
  if (kind === undefined || flags > ALL_FLAGS) reader.fail("entry of unknown kind or flags");
  const entry: TreeEntry = {
    kind,
    name: readBytes(reader, MAX_TREE_NAME),
    mode: reader.u16(),
    uid: reader.u32(),
    gid: reader.u32(),
    linkCount: reader.u32(),
    device: reader.u16(),
    inode: reader.u64(),
    modifiedAtNs: readTime(reader),
    changedAtNs: readTime(reader),
    createdAtNs: flags & FLAG_CREATED ? readTime(reader) : null,
    incomplete: (flags & FLAG_INCOMPLETE) !== 0,
    unsettled: (flags & FLAG_UNSETTLED) !== 0,
    sizeBytes: 0,
    entryCount: 0,
    content: null,
    folder: null,
    target: null,
    rdev: null,
    attributes: [],
  };
  if (entry.mode > 0o7777) reader.fail("mode is above 7777");
  readKind(entry, flags, reader, refs);
  readEntryAttributes(entry, flags, reader, refs);
  return entry;
}

function readKind(entry: TreeEntry, flags: number, reader: ByteReader, refs: RefCursor): void {
  const { kind } = entry;
  if (flags & FLAG_LIST && kind !== "file") reader.fail("only files have content");
  if (kind === "file") {
    entry.sizeBytes = reader.size();
    if (flags & FLAG_LIST) entry.content = refs.node(entry.sizeBytes);
    else entry.content = readPieces(reader, refs.chunks(reader.u32()));
    if (!isList(entry.content) && sumOf(entry.content) !== entry.sizeBytes)
      reader.fail("pieces do not sum to the size");
  } else if (kind === "directory") {
    entry.entryCount = reader.size();
    const { bytes, id } = refs.next("node");
    entry.sizeBytes = bytes;
    entry.folder = id;
  } else if (kind === "symlink") entry.target = readBytes(reader, MAX_LINK_TARGET);
  else if (kind !== "fifo") entry.rdev = { major: reader.u32(), minor: reader.u32() };
}

function readEntryAttributes(entry: TreeEntry, flags: number, reader: ByteReader, refs: RefCursor): void {
  if (flags & FLAG_ATTRIBUTES && flags & FLAG_ATTRIBUTES_NODE) reader.fail("attributes are in two places");
  if (flags & FLAG_ATTRIBUTES_NODE) entry.attributes = refs.node(0);
  else if (flags & FLAG_ATTRIBUTES) {
    entry.attributes = readAttributes(reader);
    if (entry.attributes.length === 0) reader.fail("an empty list of attributes");
  }
}

/** References are used up in the order of the entries. */
class RefCursor {
  readonly #refs: readonly TreeRef[];
  readonly #reader: ByteReader;
  #next = 0;

  constructor(refs: readonly TreeRef[], reader: ByteReader) {
    this.#refs = refs;
    this.#reader = reader;
  }

  next(kind: TreeRef["kind"]): TreeRef {
    const ref = this.#refs[this.#next++];
    if (ref?.kind !== kind) this.#reader.fail("references do not fit the entries");
    return ref;
  }

  node(bytes: number): Uint8Array {
    const ref = this.next("node");
    if (ref.bytes !== bytes) this.#reader.fail("a reference has another size than its entry");
    return ref.id;
  }

  chunks(count: number): TreeRef[] {
    if (count > this.#refs.length - this.#next) this.#reader.fail("more pieces than references");
    return Array.from({ length: count }, () => this.next("chunk"));
  }

  expectEnd(): void {
    if (this.#next !== this.#refs.length) this.#reader.fail("references that belong to no entry");
  }
}

function isList(content: TreeEntry["content"]): content is Uint8Array {
  return content instanceof Uint8Array;
}

function isNode(attributes: TreeEntry["attributes"]): attributes is Uint8Array {
  return attributes instanceof Uint8Array;
}

function piecesOf({ content }: TreeEntry): readonly ContentPiece[] {
  return content === null || isList(content) ? [] : content;
}

function sizeOf(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function isForbidden(name: Uint8Array): boolean {
  return (
    name.length === 0 ||
    (name.length <= 2 && name.every((byte) => byte === 0x2e)) ||
    name.includes(0x2f) ||
    name.includes(0)
  );
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.u16(bytes.length);
  writer.put(bytes);
}

function readBytes(reader: ByteReader, most: number): Uint8Array {
  const length = reader.u16();
  if (length > most) reader.fail(`${length} bytes are above the limit`);
  return reader.bytes(length);
}

/** Seconds, rounded down, as a signed number of 64 bits; then nanoseconds. */
function writeTime(writer: ByteWriter, ns: bigint): void {
  const rest = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  writer.u64(BigInt.asUintN(64, (ns - rest) / SECOND_NS));
  writer.u32(Number(rest));
}

function readTime(reader: ByteReader): bigint {
  const seconds = BigInt.asIntN(64, reader.u64());
  const rest = reader.u32();
  if (rest >= 1_000_000_000) reader.fail("nanoseconds of more than a second");
  return seconds * SECOND_NS + BigInt(rest);
}
