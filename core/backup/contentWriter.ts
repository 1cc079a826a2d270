// Collects the pieces of one file in order: few stay inside its entry, many go into lists, whose ends depend on the chunks
// around them, so that a change in a huge file makes few new lists.

import {
  appendPiece,
  type ContentPiece,
  encodeContentList,
  endsContentList,
  nextContentLevel,
  sumOf,
} from "../format/treeContent.js";
import { MAX_INLINE_PIECES } from "../format/treeFolder.js";
import type { StoreBlob } from "../repository/imageMapWriter.js";

interface OpenList {
  pieces: ContentPiece[];
  refs: number;
}

export class ContentWriter {
  readonly #store: StoreBlob;
  readonly #levels: OpenList[] = [{ pieces: [], refs: 0 }];

  constructor(store: StoreBlob) {
    this.#store = store;
  }

  async add(piece: ContentPiece): Promise<void> {
    await this.#add(0, piece);
  }

  /** The pieces themselves, or the id of the list of them all. */
  async finish(): Promise<readonly ContentPiece[] | Uint8Array> {
    const first = this.#levels[0] as OpenList;
    if (this.#levels.length === 1 && first.pieces.length <= MAX_INLINE_PIECES) return first.pieces;
    for (let level = 0; ; level++) {
      const { pieces } = this.#levels[level] as OpenList;
      const [only, second] = pieces;
      if (level > 0 && level === this.#levels.length - 1 && second === undefined && only?.kind === "node")
        return only.id;
      if (pieces.length > 0) await this.#end(level);
    }
  }

  async #add(level: number, piece: ContentPiece): Promise<void> {
    const list = this.#levels[level] ?? { pieces: [], refs: 0 };
    this.#levels[level] = list;
    appendPiece(list.pieces, piece);
    if (piece.kind === "hole") return;
    list.refs++;
    if (endsContentList(piece.id, list.refs)) await this.#end(level);
  }

  async #end(level: number): Promise<void> {
    const { pieces } = this.#levels[level] as OpenList;
    this.#levels[level] = { pieces: [], refs: 0 };
    const bytes = sumOf(pieces);
    const id = await this.#store("tree", encodeContentList({ level, contentBytes: bytes, pieces }));
    await this.#add(nextContentLevel(level), { kind: "node", bytes, id });
  }
}
