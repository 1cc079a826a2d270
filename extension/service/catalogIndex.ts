// The snapshots of a catalog, or of what has been read of one, by machine: for lists that show a page at a time.

import { type Catalog, type CatalogProgress, inOrder, type Snapshot } from "../../core/index.js";
import { machineOf } from "./catalogAnswers.js";
import type { CatalogFilter } from "./catalogFilter.js";
import type { ReadingData } from "./protocol.js";

export interface IndexedMachine {
  machine: string;
  namespace: string;
  group: string;
  /** Oldest first. */
  snapshots: readonly Snapshot[];
}

export interface CatalogIndex {
  /** By name. */
  machines(): readonly IndexedMachine[];
  machine(name: string): IndexedMachine | undefined;
  unreadable: Catalog["unreadable"];
  /** Null: this is all. */
  reading: ReadingData | null;
}

const whole = new WeakMap<Catalog, CatalogIndex>();

/** Made once for each catalog. */
export function indexOf(catalog: Catalog): CatalogIndex {
  const known = whole.get(catalog);
  if (known !== undefined) return known;
  const index = indexed(catalog.snapshots, catalog.unreadable, null);
  whole.set(catalog, index);
  return index;
}

/** What a reading has come to. */
export class CatalogSoFar {
  readonly #snapshots: Snapshot[] = [];
  readonly #first = Promise.withResolvers<void>();
  #progress: ReadingData = { done: 0, total: null };

  /** There is a first snapshot. Never, when the reading finds none. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  add({ done, listed, isListed, snapshot }: CatalogProgress): void {
    this.#progress = { done, total: isListed ? listed : null };
    if (snapshot === null) return;
    this.#snapshots.push(snapshot);
    this.#first.resolve();
  }

  find(id: string): Snapshot | undefined {
    return this.#snapshots.find(({ sid }) => sid === id);
  }

  index(): CatalogIndex {
    return indexed(inOrder(this.#snapshots), [], this.#progress);
  }
}

function indexed(
  snapshots: readonly Snapshot[],
  unreadable: Catalog["unreadable"],
  reading: ReadingData | null,
): CatalogIndex {
  const byName = new Map<string, IndexedMachine & { snapshots: Snapshot[] }>();
  for (const snapshot of snapshots) {
    const machine = machineOf(snapshot);
    const known = byName.get(machine);
    if (known !== undefined) known.snapshots.push(snapshot);
    else {
      const { namespace, group } = snapshot.manifest;
      byName.set(machine, { machine, namespace, group, snapshots: [snapshot] });
    }
  }
  const machines = [...byName.values()].sort((a, b) => (a.machine < b.machine ? -1 : 1));
  return { machines: () => machines, machine: (name) => byName.get(name), unreadable, reading };
}

/** Machines that a filter leaves, each with those of its snapshots that it leaves. What is not known yet is not there. */
export function filtered(index: CatalogIndex, filter: CatalogFilter | undefined): readonly IndexedMachine[] {
  if (filter === undefined) return index.machines();
  if (index.reading !== null && filter.needsRecords) return [];
  return index.machines().flatMap((machine) => {
    if (!filter.isOfMachine(machine.machine)) return [];
    if (filter.isUntestedOnly && machine.snapshots.some(({ restoreTest }) => restoreTest !== null)) return [];
    const snapshots = matching(machine.snapshots, filter);
    return snapshots.length === 0 ? [] : [{ ...machine, snapshots }];
  });
}

export function matching(snapshots: readonly Snapshot[], filter: CatalogFilter | undefined): readonly Snapshot[] {
  if (filter === undefined || !filter.isAboutSnapshots) return snapshots;
  return snapshots.filter(({ tags, protected: isProtected, verification, restoreTest, manifest }) => {
    const isPatched = manifest.archives.some(({ lost }) => lost.length > 0);
    return filter.isOfSnapshot({ tags, protected: isProtected, verification, restoreTest, isPatched });
  });
}
