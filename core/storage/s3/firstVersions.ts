// In a versioned bucket the first version of an object counts, for every name that is written once: nothing that comes later,
// from a racer, a repeated request or a thief, changes what anybody sees. First is the oldest version after the last delete
// marker. docs/protocol.md, "Versioned buckets", says why that is put-if-absent.

import type { ObjectVersion, OperationOptions } from "../backend.js";
import { isPutAgain } from "../putAgain.js";
import { type VersionGroup, versionGroups } from "./versionGroups.js";
import type { S3VersionMarker, S3VersionPage } from "./versionRequests.js";

export interface VersionQueries {
  /** In front of every key of the repository. */
  root: string;
  /** "unknown": the credentials may not ask, or the bucket is not there. */
  isVersioned: (options: OperationOptions) => Promise<boolean | "unknown">;
  /** Versions of the bucket's keys that begin with a prefix. */
  page: (
    fullPrefix: string,
    marker: S3VersionMarker | undefined,
    atMost: number,
    options: OperationOptions,
  ) => Promise<S3VersionPage>;
}

/** Keys of which the only version is remembered; about 200 bytes each. */
const MOST_REMEMBERED = 50_000;
const PAGE = 1000;
/** Most keys have one version. */
const SHORT_PAGE = 8;

export class FirstVersions {
  readonly #queries: VersionQueries;
  readonly #only = new Map<string, string>();
  #versioned: Promise<boolean | "unknown"> | boolean | undefined;

  constructor(queries: VersionQueries) {
    this.#queries = queries;
  }

  /** Whether the first version counts for this name, or for names below this prefix. One request, the first time. */
  async count(keyOrPrefix: string, options: OperationOptions): Promise<boolean> {
    if (isPutAgain(keyOrPrefix)) return false;
    options.signal?.throwIfAborted();
    if (typeof this.#versioned === "boolean") return this.#versioned;
    const isAsking = this.#versioned !== undefined;
    const asking = this.#versioned ?? this.#queries.isVersioned(options);
    this.#versioned = asking;
    try {
      const answer = await asking;
      // A reply may have told meanwhile.
      if (this.#versioned === asking && answer !== "unknown") this.#versioned = answer;
      return (this.#versioned as unknown) === true;
    } catch (error) {
      if (this.#versioned === asking) this.#versioned = undefined;
      // Somebody else's question, perhaps given up by that caller.
      if (isAsking) return await this.count(keyOrPrefix, options);
      throw error;
    }
  }

  /** The version id in a reply tells, too: of a put always, of a read when nothing else is known. True: the first one counts. */
  async learn(key: string, versionId: string | undefined, from: "put" | "read"): Promise<boolean> {
    if (versionId === undefined || versionId === "null") return false;
    if (from === "put" || (await this.#versioned) === "unknown") this.#versioned = true;
    return this.#versioned === true && !isPutAgain(key);
  }

  /** The version that was the only one when the key was last looked at. */
  only(key: string): string | undefined {
    return this.#only.get(key);
  }

  forget(key: string): void {
    this.#only.delete(key);
  }

  /** The version of `key` that counts; undefined: there is none. Asks the storage. */
  async look(key: string, options: OperationOptions): Promise<ObjectVersion | undefined> {
    const fullKey = this.#queries.root + key;
    let isFirstPage = true;
    const groups = versionGroups((marker) => {
      const atMost = isFirstPage ? SHORT_PAGE : PAGE;
      isFirstPage = false;
      return this.#queries.page(fullKey, marker, atMost, options);
    });
    for await (const group of groups) {
      if (group.key === fullKey) return await this.#firstOf(key, group, options);
      break;
    }
    this.forget(key);
    return undefined;
  }

  /** The version that counts of every key below `prefix`, in the listing's order; keys are still the bucket's. */
  async *list(prefix: string, options: OperationOptions): AsyncIterable<ObjectVersion> {
    const { root, page } = this.#queries;
    for await (const group of versionGroups((marker) => page(root + prefix, marker, PAGE, options))) {
      const key = group.key.slice(root.length);
      const counts = isPutAgain(key) ? latestOf(group) : await this.#firstOf(key, group, options);
      if (counts !== undefined) yield counts;
    }
  }

  async #firstOf(key: string, group: VersionGroup, options: OperationOptions): Promise<ObjectVersion | undefined> {
    const { newest, oldest, versions, deletion } = group;
    this.forget(key);
    if (newest === undefined || deletion?.isLatest) return undefined;
    if (deletion !== undefined) return await this.#firstAfter(group.key, deletion.versionId, options);
    if (versions === 1) this.#remember(key, newest.versionId);
    return oldest;
  }

  /** A page does not tell what came first, a version or a delete marker; a page that begins behind the marker does. */
  async #firstAfter(
    fullKey: string,
    deletionId: string,
    options: OperationOptions,
  ): Promise<ObjectVersion | undefined> {
    const { page } = this.#queries;
    const older = await page(fullKey, { key: fullKey, versionId: deletionId }, SHORT_PAGE, options);
    const hidden = older.versions.find((version) => version.key === fullKey)?.versionId;
    let first: ObjectVersion | undefined;
    let marker: S3VersionMarker | undefined;
    do {
      const { versions, next } = await page(fullKey, marker, PAGE, options);
      for (const version of versions) {
        if (version.key !== fullKey || version.versionId === hidden) return first;
        first = version;
      }
      marker = next;
    } while (marker !== undefined);
    return first;
  }

  #remember(key: string, versionId: string): void {
    if (this.#only.size >= MOST_REMEMBERED) {
      const [oldest] = this.#only.keys();
      if (oldest !== undefined) this.#only.delete(oldest);
    }
    this.#only.set(key, versionId);
  }
}

function latestOf({ newest, deletion }: VersionGroup): ObjectVersion | undefined {
  return deletion?.isLatest ? undefined : newest;
}
