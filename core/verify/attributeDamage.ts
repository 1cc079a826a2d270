// From damaged or missing blobs to what people lose: which snapshots, which disks, which bytes.

import { isAbort, isOurError } from "../errors.js";
import { formatName } from "../filesystem/nameText.js";
import { bytesToHex, hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { Snapshot } from "../repository/catalog.js";
import type { ChunkIndex } from "../repository/chunkIndex.js";
import { ImageReader } from "../repository/imageReader.js";
import { type TreePlace, type TreeWalker, walkTree } from "../repository/treeWalk.js";
import type { SnapshotVerdict, StructureDamage } from "./verifyReport.js";

interface LostRange {
  offset: number;
  length: number;
  reason: string;
  path?: string;
}

/** Judges each snapshot; `neededIds` are the blobs among the bad ones that some snapshot needs. */
export async function attributeDamage(
  snapshots: readonly Snapshot[],
  blobs: BlobReader,
  index: ChunkIndex,
  damage: StructureDamage,
  badCopies: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<{ verdicts: SnapshotVerdict[]; neededIds: Set<string> }> {
  const judge = new Judge(blobs, index, damage, badCopies, signal);
  const verdicts: SnapshotVerdict[] = [];
  for (const snapshot of snapshots) verdicts.push(await judge.judge(snapshot));
  return { verdicts, neededIds: judge.neededIds };
}

/** After so many places in one tree, a damaged node that comes again is told as a whole: trees may have no end. */
const MAX_EXACT = 1000;

class Judge {
  readonly neededIds = new Set<string>();
  readonly #blobs: BlobReader;
  readonly #index: ChunkIndex;
  readonly #damage: StructureDamage;
  readonly #badCopies: ReadonlySet<string>;
  /** Hex ids with at least one bad copy; empty in the usual case, which makes the walk cheap. */
  readonly #suspects = new Set<string>();
  readonly #signal: AbortSignal | undefined;
  /** Disks that were judged already: kind, root id and size → ranges without the snapshot. */
  readonly #known = new Map<string, LostRange[]>();

  constructor(
    blobs: BlobReader,
    index: ChunkIndex,
    damage: StructureDamage,
    badCopies: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ) {
    this.#blobs = blobs;
    this.#index = index;
    this.#damage = damage;
    this.#badCopies = badCopies;
    this.#signal = signal;
    for (const copy of badCopies) this.#suspects.add(copy.slice(copy.indexOf("/") + 1));
  }

  async judge(snapshot: Snapshot): Promise<SnapshotVerdict> {
    const { sid, manifest } = snapshot;
    const damaged: SnapshotVerdict["damaged"] = [];
    for (const archive of manifest.archives) {
      const key = `${archive.kind} ${archive.root} ${archive.sizeBytes}`;
      const ranges = this.#known.get(key) ?? (await this.#judgeArchive(archive));
      this.#known.set(key, ranges);
      for (const range of ranges) damaged.push({ snapshot: sid, archive: archive.name, ...range });
    }
    const { namespace, group, time } = manifest;
    return { sid, namespace, group, time, result: damaged.length === 0 ? "ok" : "damaged", damaged };
  }

  async #judgeArchive(archive: Archive): Promise<LostRange[]> {
    if (archive.kind === "tree") return await this.#judgeTree(archive);
    const root = hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
    const whole = { offset: 0, length: archive.sizeBytes };
    const lost = this.#lost(root);
    if (lost !== null) return [{ ...whole, reason: lost }];
    if (archive.kind === "file") return [];
    const ranges: LostRange[] = [];
    const image = await this.#attempt(() => ImageReader.open(archive, this.#blobs, this.#signal), whole, ranges);
    for (let page = 0; image && page < image.pageCount; page++) await this.#judgePage(image, page, ranges);
    return ranges;
  }

  /** Folders that several snapshots share are walked once. */
  async #judgeTree(archive: Archive): Promise<LostRange[]> {
    const ranges: LostRange[] = [];
    const hurt = new Set<string>();
    const lose = ({ path, offset, length }: TreePlace, reason: string) => {
      ranges.push({ offset, length, reason, path: path.map((name) => `/${formatName(name)}`).join("") || "/" });
    };
    const walker: TreeWalker = {
      onChunk: (id, place) => {
        const lost = this.#lost(id);
        if (lost !== null) lose(place, lost);
      },
      onNode: async (id, place, descend) => {
        const hex = bytesToHex(id);
        const lost = this.#lost(id);
        if (lost !== null) lose(place, lost);
        if (lost !== null || this.#wholeNodes.has(hex)) return;
        if (ranges.length >= MAX_EXACT && hurt.has(hex)) return lose(place, "something in it is lost, as told above");
        const before = ranges.length;
        try {
          await descend();
        } catch (error) {
          if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
          lose(place, error.message);
        }
        if (ranges.length === before) this.#wholeNodes.add(hex);
        else hurt.add(hex);
      },
    };
    await walkTree(archive, this.#blobs, walker, { signal: this.#signal });
    return ranges;
  }

  /** Nodes of file trees with nothing lost in or below them. */
  readonly #wholeNodes = new Set<string>();

  async #judgePage(image: ImageReader, page: number, ranges: LostRange[]): Promise<void> {
    const id = image.pageId(page);
    if (id === null) return;
    const span = image.pageSpan(page);
    const lost = this.#lost(id);
    if (lost !== null) {
      ranges.push({ ...span, reason: lost });
      return;
    }
    if (this.#isClean) return this.#checkReadable(image, page, ranges);
    const entries = await this.#attempt(() => image.readPage(page, this.#signal), span, ranges);
    for (const entry of entries ?? []) {
      const reason = entry.id === null ? null : this.#lost(entry.id);
      if (reason !== null) ranges.push({ offset: entry.offset, length: entry.length, reason });
    }
  }

  async #checkReadable(image: ImageReader, page: number, ranges: LostRange[]): Promise<void> {
    const hex = bytesToHex(image.pageId(page) as Uint8Array);
    if (this.#readable.has(hex)) return;
    const entries = await this.#attempt(() => image.readPage(page, this.#signal), image.pageSpan(page), ranges);
    if (entries) this.#readable.add(hex);
  }

  readonly #readable = new Set<string>();

  get #isClean(): boolean {
    return this.#suspects.size === 0 && this.#damage.missing.size === 0;
  }

  /** Why the blob cannot be had, or null. */
  #lost(id: Uint8Array): string | null {
    if (this.#isClean) return null;
    const hex = bytesToHex(id);
    if (this.#damage.missing.has(hex)) return this.#index.missingText(id);
    if (!this.#suspects.has(hex)) return null;
    this.neededIds.add(hex);
    const copies = this.#index.copies(id);
    if (copies.some(({ pack }) => !this.#badCopies.has(`${pack}/${hex}`))) return null;
    return "every copy of the chunk is damaged";
  }

  async #attempt<T>(
    read: () => Promise<T>,
    range: { offset: number; length: number },
    ranges: LostRange[],
  ): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      ranges.push({ ...range, reason: error.message });
      return undefined;
    }
  }
}
