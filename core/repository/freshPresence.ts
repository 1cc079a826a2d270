// What a repository holds, looked at again when something is not where it was: a collector copies chunks into other packs and
// deletes the old ones while somebody reads. docs/protocol.md, "Readers".

import type { ChunkIndex } from "./chunkIndex.js";
import { type ReadLimits, readLimitsOf } from "./packReads.js";
import { loadPresenceForReading, type Presence, type PresenceOptions } from "./presence.js";
import type { Repository } from "./repository.js";

/** What is missing after so many looks is missing: a damaged repository must not be listed for every lost chunk. */
const MOST_LOOKS = 8;

export class FreshPresence {
  readonly #repository: Repository;
  readonly #options: PresenceOptions;
  #current: Presence;
  #looking: Promise<void> | undefined;
  #looks = 0;

  constructor(repository: Repository, presence: Presence, options: PresenceOptions) {
    this.#repository = repository;
    this.#current = presence;
    this.#options = options;
  }

  get current(): Presence {
    return this.#current;
  }

  /** How readers of this repository should join their reads. */
  get readLimits(): ReadLimits {
    return readLimitsOf(this.#repository.backend);
  }

  /** A newer look than `seen`, which lacks something, or `seen` itself when there is none to be had. */
  async after(seen: Presence): Promise<Presence> {
    if (this.#current === seen && this.#looks < MOST_LOOKS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    return this.#current;
  }

  /** For BlobReader: the index of a newer look. */
  readonly indexAfter = async (seen: ChunkIndex): Promise<ChunkIndex> => {
    if (this.#current.index === seen) await this.after(this.#current);
    return this.#current.index;
  };

  async #look(): Promise<void> {
    this.#looks++;
    this.#current = await loadPresenceForReading(this.#repository, this.#options);
  }
}
