// The catalog of one repository: read when it is asked for, once for all who ask, and again when it has to be new. Whoever only
// shows it may have what has been read so far.

import { setTimeout as sleep } from "node:timers/promises";
import {
  abortable,
  type Catalog,
  type CatalogOptions,
  loadCatalog,
  type OnWarning,
  type Repository,
  RepriseError,
  readRepositoryConfig,
} from "../../core/index.js";
import { type CatalogIndex, CatalogSoFar, indexOf } from "./catalogIndex.js";

/** Of a call: who hears of warnings, and what ends waiting. */
interface Asking {
  signal: AbortSignal;
  onWarning: OnWarning;
}

interface Reading {
  catalog: Promise<Catalog>;
  soFar: CatalogSoFar;
  isOver: boolean;
  /** When it began. */
  atMs: number;
}

/** An answer without a single row is of no use to anybody, unless it takes too long. */
const FIRST_WAIT_MS = 1500;

export class CatalogHolder {
  readonly #repository: Repository;
  #reading: Reading | undefined;
  /** Failed while somebody was shown what there was: told to whoever asks next, who would else begin all over again. */
  #failed: Reading | undefined;
  #shown: Reading | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** One reading at a time, and not bound to the call that began it: others wait for the same. */
  async whole({ onWarning, signal }: Asking, refresh = false): Promise<Catalog> {
    if (refresh) this.#reading = undefined;
    const { catalog } = this.#reading ?? this.#begin(onWarning);
    return await abortable(catalog, signal);
  }

  /** Read again when the one that is kept is older; one that is being read is young enough. */
  async recent({ onWarning, signal }: Asking, maxAgeMs: number): Promise<{ catalog: Catalog; asOfMs: number }> {
    if (this.#reading?.isOver && Date.now() - this.#reading.atMs > maxAgeMs) this.#reading = undefined;
    const { catalog, atMs } = this.#reading ?? this.#begin(onWarning);
    return { catalog: await abortable(catalog, signal), asOfMs: atMs };
  }

  /** What there is after this time: all, or what has been read so far; with nothing yet, a while longer. */
  async index({ onWarning, signal }: Asking, waitMs: number): Promise<CatalogIndex> {
    const reading = this.#failed ?? this.#reading ?? this.#begin(onWarning);
    const over = reading.catalog.then(
      () => {},
      () => {},
    );
    if (!reading.isOver) await atMost(waitMs, [over], signal);
    if (!reading.isOver) await atMost(FIRST_WAIT_MS, [over, reading.soFar.first], signal);
    if (reading.isOver) {
      if (this.#failed === reading) this.#failed = undefined;
      return indexOf(await reading.catalog);
    }
    this.#shown = reading;
    return reading.soFar.index();
  }

  /** Only what is being read now. */
  get soFar(): CatalogSoFar | undefined {
    return this.#reading?.isOver === false ? this.#reading.soFar : undefined;
  }

  /** A place in the settings may hold another repository by now: what is read there would be taken for ours. */
  async #load(options: CatalogOptions): Promise<Catalog> {
    const { backend, config } = this.#repository;
    const { repositoryId } = await readRepositoryConfig(backend, options);
    if (repositoryId !== config.repositoryId)
      throw new RepriseError("conflict", "REPOSITORY_ID_DIFFERS", `at ${backend.location} is another repository now`, {
        data: { location: backend.location, expected: config.repositoryId, actual: repositoryId },
        hint: "check the location; if the new one is meant, open it",
      });
    return await loadCatalog(this.#repository, options);
  }

  #begin(onWarning: OnWarning): Reading {
    const soFar = new CatalogSoFar();
    const catalog = this.#load({ onWarning, onRead: (progress) => soFar.add(progress) });
    const reading: Reading = { catalog, soFar, isOver: false, atMs: Date.now() };
    this.#reading = reading;
    this.#failed = undefined;
    catalog.then(
      () => this.#end(reading),
      () => {
        if (this.#reading === reading) this.#reading = undefined;
        if (this.#shown === reading) this.#failed = reading;
        this.#end(reading);
      },
    );
    return reading;
  }

  /** What was read so far is not kept beside the whole. */
  #end(reading: Reading): void {
    reading.isOver = true;
    reading.soFar = new CatalogSoFar();
    if (this.#shown === reading) this.#shown = undefined;
  }
}

/** Until one of them has ended, no longer than this. */
async function atMost(waitMs: number, ends: readonly Promise<void>[], signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const waited = sleep(waitMs, undefined, { signal: enough.signal }).catch(() => {});
  try {
    await abortable(Promise.race([...ends, waited]), signal);
  } finally {
    enough.abort();
  }
}
