// How much of each folder is shown, and which of its entries: rows of folders are made anew with everything above them.

import { ENTRIES_SHOWN, type EntryNode, repositoryOf } from "./nodes.js";

type Shown = Pick<EntryNode, "shown" | "filter">;

const AT_FIRST: Shown = { shown: ENTRIES_SHOWN, filter: "" };
/** The one changed longest ago is forgotten. */
const MAX_FOLDERS = 1000;

export class ShownFolders {
  readonly #folders = new Map<string, Shown>();

  of(row: Pick<EntryNode, "snapshot" | "entry">): Shown {
    return this.#folders.get(keyOf(row)) ?? AT_FIRST;
  }

  remember(node: EntryNode): void {
    const key = keyOf(node);
    const { shown, filter } = node;
    this.#folders.delete(key);
    if (filter === "" && shown === ENTRIES_SHOWN) return;
    this.#folders.set(key, { shown, filter });
    const [oldest] = this.#folders.keys();
    if (this.#folders.size > MAX_FOLDERS && oldest !== undefined) this.#folders.delete(oldest);
  }
}

function keyOf({ snapshot, entry }: Pick<EntryNode, "snapshot" | "entry">): string {
  return `${repositoryOf(snapshot).configured.location}\n${snapshot.snapshot.snapshotId}${entry.path}`;
}
