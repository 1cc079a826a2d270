// One open repository: its catalog, and the trees and folder listings that were looked at last. Nothing is read before it is
// asked for, and what failed is tried again by the next call.

import {
  abortable,
  type Catalog,
  type ChunkFetcher,
  type FileNode,
  isOurError,
  loadCatalog,
  type MachineTree,
  type OnProgress,
  type OnWarning,
  objectName,
  openChunkFetcher,
  openSnapshotTree,
  type Repository,
  RepriseError,
  readRepositoryConfig,
  type Sid,
  type Snapshot,
  snapshotsOfMachine,
  type TreeEntry,
} from "../../core/index.js";
import { BoundedCache } from "./boundedCache.js";
import { catalogDataOf, snapshotDataOf } from "./catalogAnswers.js";
import type { Comparison } from "./changeTree.js";
import { MAX_CHANGES } from "./compareProtocol.js";
import { type ArgumentOf, type CatalogData, MAX_PAGE, type Page, type SnapshotData } from "./protocol.js";

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
  #catalog: Promise<Catalog> | undefined;
  /** When its reading began. */
  #catalogAtMs = 0;
  #fetcher: Promise<ChunkFetcher> | undefined;
  #closed = false;

  constructor(repository: Repository) {
    this.repository = repository;
  }

  /** One reading at a time, and not bound to the call that began it: others wait for the same. */
  async catalog({ onWarning, signal }: CallContext, refresh = false): Promise<Catalog> {
    if (refresh) this.#catalog = undefined;
    let loading = this.#catalog;
    if (loading === undefined) {
      loading = this.#loadCatalog(onWarning);
      this.#catalogAtMs = Date.now();
      this.#catalog = loading;
      loading.catch(() => {
        if (this.#catalog === loading) this.#catalog = undefined;
      });
    }
    return await abortable(loading, signal);
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
    const catalog = await this.catalog(context, Date.now() - this.#catalogAtMs > maxAgeMs);
    return { catalog, asOfMs: this.#catalogAtMs };
  }

  async catalogData(context: CallContext, refresh = false): Promise<CatalogData> {
    return catalogDataOf(await this.catalog(context, refresh), this.isEncrypted);
  }

  async snapshotPage(
    { machine, offset, limit }: ArgumentOf<"snapshots">,
    context: CallContext,
  ): Promise<Page<SnapshotData>> {
    const all = snapshotsOfMachine(machine, await this.catalog(context));
    const items: SnapshotData[] = [];
    const end = Math.min(all.length, count(offset) + Math.min(count(limit), MAX_PAGE));
    for (let i = count(offset); i < end; i++)
      items.push(snapshotDataOf(all[all.length - 1 - i] as Snapshot, this.isEncrypted));
    return { items, total: all.length };
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
    const snapshot = await this.snapshot(id, context);
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

  /** A place in the settings may hold another repository by now: what is read there would be taken for ours. */
  async #loadCatalog(onWarning: OnWarning): Promise<Catalog> {
    const { backend, config } = this.repository;
    const { repositoryId } = await readRepositoryConfig(backend, { onWarning });
    if (repositoryId !== config.repositoryId)
      throw new RepriseError("conflict", "REPOSITORY_ID_DIFFERS", `at ${backend.location} is another repository now`, {
        data: { location: backend.location, expected: config.repositoryId, actual: repositoryId },
        hint: "check the location; if the new one is meant, open it",
      });
    return await loadCatalog(this.repository, { onWarning });
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
