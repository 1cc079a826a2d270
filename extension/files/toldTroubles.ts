// Which failures of reading files have been told lately. An editor that brings ten tabs back has one cause to tell, not ten.

import { isStale } from "../adapt/errors.js";
import type { SnapshotPlace } from "../model/repriseUri.js";
import { ServiceError } from "../service/client.js";

/** What fails again within this time is the same trouble: of a repository, and of one file, which may be opened again on purpose. */
const QUIET_MS = 60_000;
const FILE_QUIET_MS = 5000;
const MAX_TOLD = 1000;

export class ToldTroubles {
  /** When each last happened, oldest first. */
  readonly #lastMs = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether nobody has been told of it, or not for a while. What was forgotten elsewhere is told once. */
  isNew(error: unknown, place: SnapshotPlace): boolean {
    const { key, quietMs } = troubleOf(error, place);
    const nowMs = this.#now();
    const lastMs = this.#lastMs.get(key);
    this.#lastMs.delete(key);
    this.#lastMs.set(key, nowMs);
    const [oldest] = this.#lastMs.keys();
    if (this.#lastMs.size > MAX_TOLD && oldest !== undefined) this.#lastMs.delete(oldest);
    return lastMs === undefined || nowMs - lastMs > quietMs;
  }

  /** Something of the repository could be read: what fails as a whole from now on is another trouble. */
  wasRead({ repositoryId }: SnapshotPlace): void {
    for (const key of this.#lastMs.keys()) if (key.startsWith(`${repositoryId} `)) this.#lastMs.delete(key);
  }
}

/** Damage and what is wrong with a file are of its place, a snapshot's end is its own, the rest is of the whole repository. */
function troubleOf(error: unknown, place: SnapshotPlace): { key: string; quietMs: number } {
  const { repositoryId, snapshot, path } = place;
  const ofFile = (code: string) => ({ key: `${repositoryId}/${snapshot}${path} ${code}`, quietMs: FILE_QUIET_MS });
  if (!(error instanceof ServiceError)) return ofFile(String(error));
  const { code, family } = error;
  if (isStale(error))
    return {
      key: code === "SNAPSHOT_NOT_FOUND" ? `${repositoryId}/${snapshot} ${code}` : `${repositoryId} ${code}`,
      quietMs: Number.POSITIVE_INFINITY,
    };
  if (family === "corrupt" || family === "format" || code.startsWith("FILE_")) return ofFile(code);
  return { key: `${repositoryId} ${code}`, quietMs: QUIET_MS };
}
