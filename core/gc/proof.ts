// In a repository with two roles: proof that a pack may go, which needs no writer's word. Index objects and the copies of a
// chunk come from writers, and a stolen runner key can write false ones. So before a pack is deleted, its own table of
// contents says what is in it, and each live chunk in it is read and checked somewhere else. docs/roles.md.

import { isAbort, isOurError } from "../errors.js";
import { bytesToHex, type PackName } from "../format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES } from "../format/pack.js";
import { mapConcurrent } from "../platform/concurrency.js";
import { BlobReader } from "../repository/blobReader.js";
import type { BlobLocation } from "../repository/chunkIndex.js";
import { readPackContents } from "../repository/packReader.js";
import type { Presence } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import type { Marks } from "./marks.js";

export interface ProofOptions {
  signal?: AbortSignal;
  onWarning: OnWarning;
}

export interface Claims {
  presence: Presence;
  marks: Marks;
  /** Whether a copy may be relied on: it will not go, as far as plans and finals tell. */
  isSafe(id: Uint8Array, copy: BlobLocation): boolean;
}

/** Those of `packs` that may go whatever writers have claimed. The others stay, each with a warning GC_PACK_UNPROVEN. */
export async function provenDeletable(
  repository: Repository,
  packs: readonly PackName[],
  claims: Claims,
  options: ProofOptions,
): Promise<PackName[]> {
  const proof = new Proof(repository, claims, options);
  const verdicts = await mapConcurrent(packs, (pack) => proof.isProven(pack));
  return packs.filter((_, i) => verdicts[i]);
}

class Proof {
  readonly #repository: Repository;
  readonly #claims: Claims;
  readonly #options: ProofOptions;
  readonly #blobs: BlobReader;
  /** `pack/id` of copies that have been read and are what their id says. */
  readonly #good = new Set<string>();

  constructor(repository: Repository, claims: Claims, options: ProofOptions) {
    this.#repository = repository;
    this.#claims = claims;
    this.#options = options;
    this.#blobs = new BlobReader(repository, claims.presence.index);
  }

  async isProven(pack: PackName): Promise<boolean> {
    try {
      const why = await this.#whyNot(pack);
      if (why === undefined) return true;
      this.#warn(pack, why);
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      this.#warn(pack, error.message);
    }
    return false;
  }

  async #whyNot(pack: PackName): Promise<string | undefined> {
    const { presence, marks } = this.#claims;
    const sizeBytes = presence.packs.get(pack)?.sizeBytes ?? 0;
    const { backend } = this.#repository;
    const { entries, blobCount } = await readPackContents(backend, pack, sizeBytes, this.#options);
    for (let i = 0; i < blobCount; i++) {
      const id = entries.slice(i * BLOB_ENTRY_BYTES, i * BLOB_ENTRY_BYTES + BLOB_ID_BYTES);
      if (!presence.index.copies(id).some((copy) => copy.pack === pack)) {
        return `an index object hides that chunk ${bytesToHex(id)} is in it; run repair index`;
      }
      if (marks.isLive(id) && !(await this.#hasGoodCopy(id))) {
        return `no other copy of chunk ${bytesToHex(id)} is what it claims to be`;
      }
    }
    return undefined;
  }

  async #hasGoodCopy(id: Uint8Array): Promise<boolean> {
    const hex = bytesToHex(id);
    for (const copy of this.#claims.presence.index.copies(id)) {
      if (!this.#claims.isSafe(id, copy)) continue;
      if (this.#good.has(`${copy.pack}/${hex}`)) return true;
      try {
        await this.#blobs.readCopy(id, copy, this.#options.signal);
        this.#good.add(`${copy.pack}/${hex}`);
        return true;
      } catch (error) {
        if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      }
    }
    return false;
  }

  #warn(pack: PackName, why: string): void {
    const message = `pack ${pack} stays: ${why}`;
    this.#options.onWarning({ code: "GC_PACK_UNPROVEN", message, data: { pack } });
  }
}
