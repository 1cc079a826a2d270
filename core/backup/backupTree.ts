// Backs up a folder with everything below it: walks down in order of names, beside the same folder in the snapshot before, and
// turns each folder into a node when all that is in it is stored. docs/files-backup.md.

import type { BigIntStats } from "node:fs";
import { isAbort } from "../errors.js";
import { type BlobIdHex, bytesToHex } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import {
  attributesBytes,
  encodeAttributesNode,
  MAX_INLINE_ATTRIBUTES,
  type StoredAttribute,
} from "../format/treeAttributes.js";
import { encodeTreeFolder, MAX_LINK_TARGET, MAX_TREE_NAME, type TreeEntry } from "../format/treeFolder.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { BlobSink } from "../repository/blobSink.js";
import type { StoreBlob } from "../repository/imageMapWriter.js";
import type { Repository } from "../repository/repository.js";
import { readTreeRoot } from "../repository/treeReader.js";
import { FolderHandle } from "../source/folderHandle.js";
import { AttributeQueue } from "./attributeQueue.js";
import type { BackupLanes } from "./backupLanes.js";
import type { BackupOptions } from "./backupOptions.js";
import { isExcluded, nameText } from "./excludeRules.js";
import { FileLanes } from "./fileLanes.js";
import { FileStore, type StoredFile, systemError } from "./fileStore.js";
import { FolderWriter, type StoredFolder } from "./folderWriter.js";
import { countPresent, orNull, PreviousFolder } from "./previousTree.js";
import { deviceNumbers, entryOf, isSameFile, isSettled, kindOf } from "./treeEntries.js";
import type { TreeCounts, TreeInput } from "./treeInput.js";
import { errnoOf, isVanished, TreeNotes } from "./treeNotes.js";

/** Entries of one folder that wait for their contents. */
const MOST_WAITING = 1024;
/** Others get a turn after so many entries. */
const ENTRIES_PER_TURN = 256;
/** Each level holds a folder open. */
const MAX_DEPTH = 1000;
/** Contents of files with several names, remembered until all of them were met. */
const MOST_LINKED = 200_000;

/** The same folder in an earlier snapshot, and how to read it. */
export interface PreviousTree {
  archive: Archive;
  blobs: BlobReader;
}

export interface TreeParts {
  repository: Repository;
  lanes: BackupLanes;
  sink: BlobSink;
  previous: PreviousTree | null;
}

/** Stores everything below the folder and answers its line of the manifest. Single files that cannot be read are warnings. */
export async function backUpTree(
  input: TreeInput,
  parts: TreeParts,
  options: BackupOptions,
): Promise<{ archive: Archive; counts: TreeCounts }> {
  const attributes = await AttributeQueue.open(options.signal);
  const tree = new TreeBackup(input, parts, attributes, options);
  return await tree.run();
}

interface Place {
  folder: FolderHandle;
  previous: PreviousFolder | null;
  /** Names below the top, and the same as text for the rules. */
  path: readonly Uint8Array[];
  texts: readonly string[];
}

class TreeBackup {
  readonly #input: TreeInput;
  readonly #parts: TreeParts;
  readonly #options: BackupOptions;
  readonly #attributes: AttributeQueue;
  readonly #lanes: FileLanes;
  readonly #files: FileStore;
  readonly #notes: TreeNotes;
  readonly #store: StoreBlob;
  readonly #devices = new Map<bigint, number>();
  readonly #linked = new Map<string, Promise<StoredFile>>();
  readonly #counts: TreeCounts = { files: 0, folders: 0, filesUnchanged: 0, excluded: 0, unreadable: 0 };
  /** The repository itself, where it lies inside the folder. */
  #skipped: BigIntStats | null = null;
  #visited = 0;
  #bytesDone = 0;

  constructor(input: TreeInput, parts: TreeParts, attributes: AttributeQueue, options: BackupOptions) {
    const { repository, lanes, sink } = parts;
    const { segmentBytes } = repository.config.chunker;
    this.#input = input;
    this.#parts = parts;
    this.#options = options;
    this.#attributes = attributes;
    this.#notes = new TreeNotes(input.path, options.onWarning);
    this.#lanes = new FileLanes(lanes, sink, segmentBytes);
    const onBytes = (bytes: number) => this.#progress(bytes);
    this.#files = new FileStore(this.#lanes, sink, segmentBytes, { signal: options.signal, onBytes });
    this.#store = (kind, plain) => sink.storeBlob(kind, plain);
  }

  async run(): Promise<{ archive: Archive; counts: TreeCounts }> {
    const { input, previous } = { input: this.#input, previous: this.#parts.previous };
    if (!this.#attributes.isAble) this.#notes.note("FILE_ATTRIBUTES_LEFT_OUT", [], NO_ATTRIBUTES);
    const before = previous && (await orNull(() => readTreeRoot(previous.archive, previous.blobs, this.#options)));
    const folder = FolderHandle.open(input.path);
    this.#skipped = statsOfFolder(this.#parts.repository.backend.location);
    this.#deviceOf(folder.stats);
    const attributes = this.#attributes.ask(folder, DOT);
    const scanned = await this.#scan({ folder, previous: this.#previousFolder(before), path: [], texts: [] }, 0);
    await this.#flush();
    const stored = await scanned.stored;
    const entry = folderEntry(
      this.#entry(NO_NAME, folder.stats, await this.#storeAttributes(await attributes)),
      stored,
    );
    if (scanned.incomplete) entry.incomplete = true;
    const root = await this.#store("tree", encodeTreeFolder([entry], "root"));
    this.#counts.unreadable = this.#notes.count("FILE_UNREADABLE");
    this.#notes.finish();
    const { name } = input;
    const sizeBytes = stored.contentBytes;
    const archive: Archive = {
      name,
      kind: "tree",
      sizeBytes,
      root: bytesToHex(root) as BlobIdHex,
      format: "folder",
      lost: [],
    };
    return { archive, counts: this.#counts };
  }

  /** Returns when all below was looked at; `stored` settles when it is stored. Releases the folder. */
  async #scan(place: Place, depth: number): Promise<{ stored: Promise<StoredFolder>; incomplete: boolean }> {
    this.#counts.folders++;
    const writer = new FolderWriter(this.#store);
    const waiting: Promise<TreeEntry | null>[] = [];
    let incomplete = false;
    try {
      const names = attemptSystem(() => place.folder.names());
      if (names.errno !== null) incomplete = this.#unreadable(place.path, names.errno);
      for (const name of names.value ?? []) {
        await this.#turn();
        waiting.push((await this.#visit(place, name, depth)).entry);
        if (waiting.length >= MOST_WAITING) await this.#drain(waiting, writer);
      }
      return { stored: finishFolder(waiting, writer), incomplete };
    } finally {
      place.folder.release();
    }
  }

  /** Half of those that wait are written; what they wait for is sent on its way first. */
  async #drain(waiting: Promise<TreeEntry | null>[], writer: FolderWriter): Promise<void> {
    await this.#flush();
    for (const entry of waiting.splice(0, MOST_WAITING / 2)) await addEntry(writer, await entry);
  }

  async #flush(): Promise<void> {
    this.#attributes.flush();
    await this.#lanes.flush();
  }

  async #turn(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (++this.#visited % ENTRIES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  /** One entry of a folder. `entry` settles when it is stored; null: it is not there, or not wanted. */
  async #visit(place: Place, name: Uint8Array, depth: number): Promise<{ entry: Promise<TreeEntry | null> }> {
    const path = [...place.path, name];
    const before = place.previous === null ? null : await place.previous.find(name);
    const seen = attemptSystem(() => place.folder.stat(name));
    if (seen.errno !== null) return this.#gone(path, seen.errno);
    const stats = seen.value;
    const kind = kindOf(stats);
    const texts = this.#input.excludes.length === 0 ? place.texts : [...place.texts, nameText(name)];
    if (isExcluded(this.#input.excludes, texts, kind === "directory")) {
      this.#counts.excluded++;
      return NOTHING;
    }
    if (kind === null) return NOTHING;
    if (name.length > MAX_TREE_NAME) return this.#gone(path, "ENAMETOOLONG");
    const same = before !== null && isSameFile(before, stats) ? before : null;
    if (kind === "directory") return await this.#visitFolder({ ...place, path, texts }, name, stats, before, depth);
    if (kind === "file") return await this.#visitFile(place, path, name, stats, same);
    return this.#visitOther(place, path, name, stats, same);
  }

  async #visitFolder(
    place: Place,
    name: Uint8Array,
    stats: BigIntStats,
    before: TreeEntry | null,
    depth: number,
  ): Promise<{ entry: Promise<TreeEntry | null> }> {
    const { path } = place;
    const isOther = this.#input.oneFileSystem && this.#deviceOf(stats) !== 0;
    const isSkipped = this.#skipped !== null && stats.ino === this.#skipped.ino && stats.dev === this.#skipped.dev;
    const attributes = this.#attributesOf(
      place.folder,
      name,
      before !== null && isSameFile(before, stats) ? before : null,
    );
    const finish = async (stored: Promise<StoredFolder>, incomplete: boolean): Promise<TreeEntry> => {
      const entry = folderEntry(this.#entry(name, stats, await attributes), await stored);
      return { ...entry, incomplete };
    };
    const empty = () => new FolderWriter(this.#store).finish();
    if (isOther || isSkipped) return later(finish(empty(), false));
    if (depth >= MAX_DEPTH) this.#unreadable(path, "ELOOP");
    const opened = attemptSystem(() => (depth < MAX_DEPTH ? place.folder.openFolder(name, stats) : null));
    if (opened.errno !== null && isVanished(opened.errno)) return this.#gone(path, opened.errno);
    if (opened.errno !== null) this.#unreadable(path, opened.errno);
    if (opened.value === null || opened.value === undefined) return later(finish(empty(), true));
    const scanned = await this.#scan(
      { ...place, folder: opened.value, previous: this.#previousFolder(before) },
      depth + 1,
    );
    return later(finish(scanned.stored, scanned.incomplete));
  }

  async #visitFile(
    place: Place,
    path: readonly Uint8Array[],
    name: Uint8Array,
    stats: BigIntStats,
    same: TreeEntry | null,
  ): Promise<{ entry: Promise<TreeEntry | null> }> {
    this.#counts.files++;
    if (same !== null && !this.#input.readAll && !same.incomplete && !same.unsettled) {
      const { sink, previous } = this.#parts;
      const { signal } = this.#options;
      const chunks = previous && (await countPresent(same, previous.blobs, sink.index, signal));
      if (chunks !== null) {
        this.#counts.filesUnchanged++;
        sink.statistics.chunksTotal += chunks;
        const { content, sizeBytes } = same;
        return later(Promise.resolve({ ...this.#entry(name, stats, same.attributes), content, sizeBytes }));
      }
    }
    const attributes = this.#attributesOf(place.folder, name, same);
    const begun = await systemError(() => this.#begin(place.folder, name, stats));
    if (begun.errno !== null) return this.#gone(path, begun.errno);
    const isOld = isSettled(stats, Date.now());
    const finish = async (): Promise<TreeEntry | null> => {
      const result = await systemError(() => begun.value.stored);
      if (result.errno !== null) return await this.#gone(path, result.errno).entry;
      const { content, stats: read, changed, errno } = result.value;
      if (errno !== null) this.#unreadable(path, errno);
      if (changed) this.#notes.note("FILE_CHANGED", path, "it changed while it was read, also the second time");
      const entry = this.#entry(name, read, await attributes);
      const sizeBytes = Number(read.size);
      return { ...entry, content, sizeBytes, incomplete: errno !== null, unsettled: changed || !isOld };
    };
    return later(finish());
  }

  /** A file with several names is read once. */
  async #begin(folder: FolderHandle, name: Uint8Array, stats: BigIntStats): Promise<{ stored: Promise<StoredFile> }> {
    if (stats.nlink < 2n) return await this.#files.begin(folder, name, stats);
    const key = `${stats.dev}:${stats.ino}`;
    const known = this.#linked.get(key);
    if (known !== undefined) return { stored: known };
    const begun = await this.#files.begin(folder, name, stats);
    if (this.#linked.size < MOST_LINKED) this.#linked.set(key, begun.stored);
    return begun;
  }

  #visitOther(
    place: Place,
    path: readonly Uint8Array[],
    name: Uint8Array,
    stats: BigIntStats,
    same: TreeEntry | null,
  ): { entry: Promise<TreeEntry | null> } {
    const isLink = stats.isSymbolicLink();
    const target = isLink ? attemptSystem(() => place.folder.readLink(name)) : { value: null, errno: null };
    if (target.errno !== null) return this.#gone(path, target.errno);
    if (target.value !== null && target.value.length > MAX_LINK_TARGET) return this.#gone(path, "ENAMETOOLONG");
    const rdev = stats.isBlockDevice() || stats.isCharacterDevice() ? deviceNumbers(stats.rdev) : null;
    const attributes = this.#attributesOf(place.folder, name, same);
    const finish = async () => ({ ...this.#entry(name, stats, await attributes), target: target.value, rdev });
    return later(finish());
  }

  /** Nothing that changes attributes leaves the time of change alone. */
  async #attributesOf(
    folder: FolderHandle,
    name: Uint8Array,
    same: TreeEntry | null,
  ): Promise<TreeEntry["attributes"]> {
    const known = same?.attributes;
    const isKnown = known !== undefined && !same?.unsettled && !this.#input.readAll;
    if (isKnown && (!(known instanceof Uint8Array) || this.#parts.sink.index.has(known))) return known;
    return await this.#storeAttributes(await this.#attributes.ask(folder, name));
  }

  async #storeAttributes(attributes: StoredAttribute[]): Promise<TreeEntry["attributes"]> {
    if (attributesBytes(attributes) <= MAX_INLINE_ATTRIBUTES) return attributes;
    return await this.#store("tree", encodeAttributesNode(attributes));
  }

  #previousFolder(before: TreeEntry | null): PreviousFolder | null {
    const { previous } = this.#parts;
    if (previous === null || before === null || before.folder === null) return null;
    return new PreviousFolder(previous.blobs, before.folder, this.#options.signal);
  }

  #entry(name: Uint8Array, stats: BigIntStats, attributes: TreeEntry["attributes"]): TreeEntry {
    return entryOf(name, stats, this.#deviceOf(stats), attributes);
  }

  /** The top's is 0; more than fit are one. */
  #deviceOf({ dev }: BigIntStats): number {
    const known = this.#devices.get(dev);
    if (known !== undefined) return known;
    const device = Math.min(this.#devices.size, 0xffff);
    this.#devices.set(dev, device);
    return device;
  }

  /** An entry that will not be in the snapshot. */
  #gone(path: readonly Uint8Array[], errno: string): { entry: Promise<TreeEntry | null> } {
    if (isVanished(errno)) this.#notes.note("FILE_VANISHED", path, "it was deleted or replaced meanwhile", { errno });
    else this.#unreadable(path, errno);
    return NOTHING;
  }

  #unreadable(path: readonly Uint8Array[], errno: string): true {
    this.#notes.note("FILE_UNREADABLE", path, `it cannot be read (${errno})`, { errno });
    return true;
  }

  #progress(bytes: number): void {
    this.#bytesDone += bytes;
    const subject = this.#input.name;
    this.#options.onProgress?.({ operation: "backup", phase: "read", subject, done: this.#bytesDone, unit: "bytes" });
  }
}

const NO_NAME = new Uint8Array(0);
const DOT = Uint8Array.of(0x2e);
const NOTHING = { entry: Promise.resolve(null) };
const NO_ATTRIBUTES = "extended attributes are left out: the program getfattr is not installed, or not for this system";

/** A promise inside an object, so that `await` does not wait for it. */
function later(entry: Promise<TreeEntry | null>): { entry: Promise<TreeEntry | null> } {
  entry.catch(() => {});
  return { entry };
}

function folderEntry(entry: TreeEntry, { id, contentBytes, entryCount }: StoredFolder): TreeEntry {
  return { ...entry, folder: id, sizeBytes: contentBytes, entryCount };
}

function finishFolder(waiting: Promise<TreeEntry | null>[], writer: FolderWriter): Promise<StoredFolder> {
  const finish = async () => {
    for (const entry of waiting) await addEntry(writer, await entry);
    return await writer.finish();
  };
  const stored = finish();
  stored.catch(() => {});
  return stored;
}

async function addEntry(writer: FolderWriter, entry: TreeEntry | null): Promise<void> {
  if (entry !== null) await writer.add(entry);
}

type System<T> = { value: T; errno: null } | { value?: undefined; errno: string };

function attemptSystem<T>(act: () => T): System<T> {
  try {
    return { value: act(), errno: null };
  } catch (error) {
    if (isAbort(error)) throw error;
    return { errno: errnoOf(error) };
  }
}

function statsOfFolder(location: string): BigIntStats | null {
  const path = location.replace(/^file:(\/\/)?/, "");
  const opened = attemptSystem(() => FolderHandle.open(path));
  opened.value?.release();
  return opened.value?.stats ?? null;
}
