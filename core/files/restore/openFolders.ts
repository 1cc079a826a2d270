// Folders of a target by their names from its top, the ones used last kept open: going through a tree in order does not walk from
// the top for each of them. Few handles are open at a time, however deep the tree is.

import type { TargetFolder } from "./targetFolder.js";

const MAX_OPEN = 32;

type Names = readonly Uint8Array[];

export class OpenFolders {
  readonly #top: TargetFolder;
  /** Each inside the one before. */
  readonly #open: { names: Names; folder: TargetFolder }[] = [];

  /** `top` stays the caller's. */
  constructor(top: TargetFolder) {
    this.#top = top;
  }

  /** Open until the next call; errors as of TargetFolder.enter. */
  async at(names: Names): Promise<TargetFolder> {
    while (this.#open.length > 0 && !startsWith(names, this.#open.at(-1)?.names ?? [])) await this.#closeLast();
    for (let depth = this.#open.at(-1)?.names.length ?? 0; depth < names.length; depth++) {
      const folder = await (this.#open.at(-1)?.folder ?? this.#top).enter(names[depth] as Uint8Array);
      this.#open.push({ names: names.slice(0, depth + 1), folder });
      if (this.#open.length > MAX_OPEN) await this.#open.shift()?.folder.close();
    }
    return this.#open.at(-1)?.folder ?? this.#top;
  }

  async close(): Promise<void> {
    while (this.#open.length > 0) await this.#closeLast();
  }

  async #closeLast(): Promise<void> {
    await this.#open.pop()?.folder.close();
  }
}

/** From the end: neighbours differ there. */
function startsWith(names: Names, start: Names): boolean {
  if (start.length > names.length) return false;
  for (let i = start.length - 1; i >= 0; i--)
    if (Buffer.compare(names[i] as Uint8Array, start[i] as Uint8Array) !== 0) return false;
  return true;
}
