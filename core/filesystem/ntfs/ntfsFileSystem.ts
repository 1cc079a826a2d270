// NTFS, read-only: $LogFile is not replayed. docs/filesystems/ntfs.md says how things of Windows appear here and what is
// refused.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { forbiddenMark, type UpcaseTable } from "../entryName.js";
import { shownAttributes } from "../fat/dosAttributes.js";
import type {
  DataRange,
  DirectoryEntry,
  FileExtent,
  FileKind,
  FileStat,
  FileSystem,
  FileSystemInfo,
  NamedBytes,
  NodeId,
  OpenFileSystemOptions,
} from "../fileSystem.js";
import { damaged, fileNotFound, wrongKind } from "../filesystemErrors.js";
import { decodeWtf8, encodeWtf8 } from "../wtf8.js";
import { DirectoryIndex, type IndexEntry } from "./directoryIndex.js";
import { readExtraAttributes } from "./extraAttributes.js";
import { ATTRIBUTE_TYPE } from "./fileRecord.js";
import type { MasterFileTable } from "./masterFileTable.js";
import { FILE_ATTRIBUTE, NtfsNode } from "./node.js";
import { NtfsFile } from "./ntfsFile.js";
import { openNtfsVolume, SYSTEM_RECORD } from "./openVolume.js";
import { WOF_STREAM } from "./wofStream.js";

const ROOT = `ntfs:${SYSTEM_RECORD.root}:0` as NodeId;
/** The first records are the file system's own. */
const FIRST_USER_RECORD = 16;
const KEPT_NODES = 32;
const KEPT_RUNS = 1024 * 1024;
const UPCASE_BYTES = 2 * 0x10000;

/** Throws FILESYSTEM_DAMAGED when there is no NTFS file system. */
export async function openNtfs(reader: BlockReader, options: OpenFileSystemOptions = {}): Promise<FileSystem> {
  const { table, info } = await openNtfsVolume(reader, options);
  const fileSystem = new NtfsFileSystem(table, info);
  if (!(await fileSystem.isHibernated(options))) return fileSystem;
  return new NtfsFileSystem(table, { ...info, remarks: [...info.remarks, "Windows is hibernated in it"] });
}

class NtfsFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root = ROOT;
  readonly #table: MasterFileTable;
  readonly #nodes = new Map<NodeId, NtfsNode>();
  #upcase: UpcaseTable | undefined;

  constructor(table: MasterFileTable, info: FileSystemInfo) {
    this.#table = table;
    this.info = info;
  }

  async stat(id: NodeId, options: ReadOptions = {}): Promise<FileStat> {
    return await (await this.#node(id, options)).stat(id, options);
  }

  async *readDirectory(id: NodeId, options: ReadOptions = {}): AsyncIterable<DirectoryEntry> {
    const index = await this.#index(id, options);
    for await (const entry of index.entries(options)) {
      if (isShown(entry)) yield toDirectoryEntry(entry);
    }
  }

  async lookup(directory: NodeId, name: Uint8Array, options: ReadOptions = {}): Promise<DirectoryEntry | null> {
    const index = await this.#index(directory, options);
    const units = decodeWtf8(name);
    if (units === null) return null;
    const wanted = Array.from(units, (unit) => String.fromCharCode(unit)).join("");
    this.#upcase ??= await this.#readUpcase(options);
    let similar: IndexEntry | null = null;
    for await (const entry of index.matching(wanted, this.#upcase, options)) {
      if (!isShown(entry) || toDirectoryEntry(entry).forbidden) continue;
      if (entry.name === wanted) return toDirectoryEntry(entry);
      similar ??= entry;
    }
    return similar === null ? null : toDirectoryEntry(similar);
  }

  async read(file: NodeId, buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<number> {
    const stream = await (await this.#node(file, options)).contents(options);
    if (stream === null) return 0;
    const wanted = buffer.subarray(0, Math.max(0, stream.sizeBytes - offset));
    await stream.read(wanted, offset, options);
    return wanted.length;
  }

  async *dataRanges(file: NodeId, options: ReadOptions = {}): AsyncIterable<DataRange> {
    const stream = await (await this.#node(file, options)).contents(options);
    if (stream !== null) yield* stream.dataRanges();
  }

  async *extents(file: NodeId, options: ReadOptions = {}): AsyncIterable<FileExtent> {
    const stream = await (await this.#node(file, options)).contents(options);
    if (stream?.extents !== undefined) yield* stream.extents();
  }

  async readLink(id: NodeId, options: ReadOptions = {}): Promise<Uint8Array> {
    const { target } = (await this.#node(id, options)).nature;
    if (target === undefined) throw wrongKind(id, "a symbolic link");
    return target;
  }

  async attributes(id: NodeId, options: ReadOptions = {}): Promise<NamedBytes[]> {
    const node = await this.#node(id, options);
    const { kind, wofChunkBytes } = node.nature;
    // of a link or device in disguise, the system attribute is a part of the disguise
    const shown = kind === "file" || kind === "directory" ? shownAttributes(node.attributes) : [];
    const hidden = wofChunkBytes === undefined ? "" : WOF_STREAM;
    return [...shown, ...(await readExtraAttributes(node.file, hidden, options))];
  }

  /** Windows writes what it had in memory into this file and goes on from it. */
  async isHibernated(options: ReadOptions): Promise<boolean> {
    const entry = await this.lookup(ROOT, new TextEncoder().encode("hiberfil.sys"), options);
    if (entry === null || entry.kind !== "file") return false;
    const start = new Uint8Array(4);
    const length = await this.read(entry.id, start, 0, options);
    return length === 4 && new TextDecoder().decode(start).toLowerCase() === "hibr";
  }

  async #index(id: NodeId, options: ReadOptions): Promise<DirectoryIndex> {
    const { file, nature } = await this.#node(id, options);
    if (nature.kind !== "directory") throw wrongKind(id, "a directory");
    return await DirectoryIndex.open(file, this.#table.geometry.clusterBytes, options);
  }

  async #node(id: NodeId, options: ReadOptions): Promise<NtfsNode> {
    const known = this.#nodes.get(id);
    if (known !== undefined) {
      this.#nodes.delete(id);
      this.#nodes.set(id, known);
      return known;
    }
    const [, record, sequence] = /^ntfs:(\d{1,15}):(\d{1,5})$/.exec(id) ?? [];
    if (record === undefined || sequence === undefined) throw fileNotFound(id);
    const file = await NtfsFile.open(this.#table, Number(record), Number(sequence), options);
    const node = await NtfsNode.open(file, options);
    this.#dropOldNodes();
    this.#nodes.set(id, node);
    return node;
  }

  #dropOldNodes(): void {
    let runs = [...this.#nodes.values()].reduce((sum, { runCount }) => sum + runCount, 0);
    for (const [id, { runCount }] of this.#nodes) {
      if (this.#nodes.size < KEPT_NODES && runs <= KEPT_RUNS) break;
      this.#nodes.delete(id);
      runs -= runCount;
    }
  }

  async #readUpcase(options: ReadOptions): Promise<UpcaseTable> {
    const file = await NtfsFile.open(this.#table, SYSTEM_RECORD.upcase, 0, options);
    const bytes = await file.value(ATTRIBUTE_TYPE.data, "", UPCASE_BYTES, options);
    if (bytes?.length !== UPCASE_BYTES) throw damaged("ntfs", "$UpCase", "has a wrong size");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const table = new Uint16Array(UPCASE_BYTES / 2);
    for (let unit = 0; unit < table.length; unit++) table[unit] = view.getUint16(unit * 2, true);
    return table;
  }
}

function isShown({ isDosName, record }: IndexEntry): boolean {
  return !isDosName && record >= FIRST_USER_RECORD;
}

/** By the copy of the attributes in the index: what can be more than a file or a directory has to be asked (stat). */
function kindOf({ attributes }: IndexEntry): FileKind | null {
  const { system, reparsePoint, encrypted, directory } = FILE_ATTRIBUTE;
  if ((attributes & reparsePoint) !== 0) return null;
  if ((attributes & directory) !== 0) return "directory";
  return (attributes & (system | encrypted)) !== 0 ? null : "file";
}

function toDirectoryEntry(entry: IndexEntry): DirectoryEntry {
  const units = Uint16Array.from({ length: entry.name.length }, (_, i) => entry.name.charCodeAt(i));
  const name = encodeWtf8(units);
  return {
    name,
    id: `ntfs:${entry.record}:${entry.sequence}` as NodeId,
    kind: kindOf(entry),
    ...forbiddenMark(name),
  };
}
