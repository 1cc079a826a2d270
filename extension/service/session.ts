// One open repository: its catalog, and the trees and folder listings that were looked at last. Nothing is read before it is
// asked for, and what failed is tried again by the next call.

import {
  abortable,
  type Catalog,
  type ChunkFetcher,
  type FileNode,
  isOurError,
  type MachineTree,
  type OnProgress,
  type OnWarning,
  objectName,
  openChunkFetcher,
  openSnapshotTree,
  type Repository,
  RepriseError,
  type Sid,
  type Snapshot,
  type TreeEntry,
} from "../../core/index.js";
import { BoundedCache } from "./boundedCache.js";
import { snapshotDataOf } from "./catalogAnswers.js";
import { CatalogHolder } from "./catalogHolder.js";
import { type CatalogIndex, indexOf } from "./catalogIndex.js";
import type { Comparison } from "./changeTree.js";
import { MAX_CHANGES } from "./compareProtocol.js";
import type { SnapshotData } from "./protocol.js";

export interface CallContext {
  signal: AbortSignal;
  onProgress: OnProgress;
  /** Something that happened, as plain data: told to whoever made the call. */
  onEvent: (event: unknown) => void;
  onWarning: OnWarning;
}

/** The names of one folder; listing.ts makes it. */
export interface FolderListing {
  node: FileNode;
  /** Folders first, then in order of the names' bytes. */
  entries: readonly TreeEntry[];
}

const MAX_TREES = 24;
/** Entries of all folders whose lists are kept. */
const MAX_LISTED = 200_000;

export class Session {
  readonly repository: Repository;
  readonly listings = new BoundedCache<string, FolderListing>(MAX_LISTED);
  readonly comparisons = new BoundedCache<string, Comparison>(2 * MAX_CHANGES);
  readonly #trees = new BoundedCache<string, Promise<MachineTree>>(MAX_TREES);
  readonly #catalog: CatalogHolder;
  #fetcher: Promise<ChunkFetcher> | undefined;
  #closed = false;

  constructor(repository: Repository) {
    this.repository = repository;
    this.#catalog = new CatalogHolder(repository);
  }

  /** All snapshots, read once for all who ask; `refresh`: what the storage has now. */
  async catalog(context: CallContext, refresh = false): Promise<Catalog> {
    return await this.#catalog.whole(context, refresh);
  }

  /** What a list may show: all, or what there is after this time. */
  async index(context: CallContext, waitMs: number | undefined): Promise<CatalogIndex> {
    if (waitMs === undefined) return indexOf(await this.catalog(context));
    return await this.#catalog.index(context, waitMs);
  }

  /** After something could not be read: whether the snapshot is there at all. SNAPSHOT_NOT_FOUND, REPOSITORY_ID_DIFFERS. */
  async requireStill(id: string, context: CallContext): Promise<void> {
    const { backend } = this.repository;
    const has = (key: string) =>
      backend.stat(key, { signal: context.signal }).then(
        () => true,
        (error: unknown) => {
          if (isOurError(error, "OBJECT_NOT_FOUND")) return false;
          throw error;
        },
      );
    const sid = id as Sid;
    const isThere = (await has(objectName.snapshot(sid))) && !(await has(objectName.forgotten(sid)));
    if (!isThere) await this.catalog(context, true);
    await this.snapshot(id, context);
  }

  /** Read again when the one that is kept is older. `asOfMs`: what was stored later may be missing. */
  async recentCatalog(context: CallContext, maxAgeMs: number): Promise<{ catalog: Catalog; asOfMs: number }> {
    return await this.#catalog.recent(context, maxAgeMs);
  }

  async snapshotData(snapshot: string, context: CallContext): Promise<SnapshotData> {
    return snapshotDataOf(await this.snapshot(snapshot, context), this.isEncrypted);
  }

  /** By its whole id. SNAPSHOT_NOT_FOUND also after another program has forgotten it and the catalog was refreshed. */
  async snapshot(id: string, context: CallContext): Promise<Snapshot> {
    const { snapshots, unreadable } = await this.catalog(context);
    const found = snapshots.find(({ sid }) => sid === id);
    if (found !== undefined) return found;
    const lost = unreadable.find(({ sid }) => sid === id);
    if (lost !== undefined)
      throw new RepriseError("corrupt", lost.code, lost.message, {
        data: { object: lost.object, snapshotId: id },
        hint: "restore this object from a copy of the storage; the other snapshots do not need it",
      });
    throw new RepriseError("not-found", "SNAPSHOT_NOT_FOUND", `there is no snapshot ${String(id)}`, {
      data: { snapshotId: id },
      hint: "refresh the list: it may be new, or have been forgotten",
    });
  }

  async tree(id: string, context: CallContext): Promise<MachineTree> {
    // no need to wait for the others when its manifest has been read
    const snapshot = this.#catalog.soFar?.find(id) ?? (await this.snapshot(id, context));
    return await abortable(this.treeOf(snapshot, context), context.signal);
  }

  /** Shared by all calls that look into the snapshot. */
  treeOf(snapshot: Snapshot, { onWarning }: Pick<CallContext, "onWarning">): Promise<MachineTree> {
    const known = this.#trees.get(snapshot.sid);
    if (known !== undefined) return known;
    const opening = this.#openFetcher(onWarning).then((fetcher) => openSnapshotTree(snapshot, fetcher));
    this.#trees.set(snapshot.sid, opening, 1);
    opening.catch(() => this.#trees.delete(snapshot.sid));
    return opening;
  }

  get isEncrypted(): boolean {
    return this.repository.config.encryption !== "none";
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#trees.clear();
    this.listings.clear();
    this.comparisons.clear();
    const fetcher = await this.#fetcher?.catch(() => undefined);
    await fetcher?.close();
    await this.repository.backend.close();
  }

  #openFetcher(onWarning: OnWarning): Promise<ChunkFetcher> {
    if (this.#fetcher === undefined) {
      const opening = openChunkFetcher(this.repository, { onWarning });
      this.#fetcher = opening;
      opening.catch(() => {
        if (this.#fetcher === opening) this.#fetcher = undefined;
      });
    }
    return this.#fetcher;
  }
}

/** A number that came from outside as one that counts something. */
export function count(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}
