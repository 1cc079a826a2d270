// What a search has found so far: told at once, counted, and within its limits.

import { formatTreePath, type ListedFile, type Snapshot } from "../../core/index.js";
import { type FoundLine, MAX_FOUND_LINES, MAX_HITS, type SearchHit, type SearchSummary } from "./searchProtocol.js";
import type { CallContext } from "./session.js";
import { milliseconds } from "./treeAnswers.js";

const MAX_LINES_OF_FILE = 1000;

export class FoundHits {
  readonly #context: CallContext;
  #hits = 0;
  #lines = 0;
  #cutFile = false;
  unreadable = 0;
  tooLarge = 0;
  binary = 0;

  constructor(context: CallContext) {
    this.#context = context;
  }

  get isFull(): boolean {
    return this.#hits >= MAX_HITS || this.#lines >= MAX_FOUND_LINES;
  }

  get linesLeft(): number {
    return Math.min(MAX_LINES_OF_FILE, MAX_FOUND_LINES - this.#lines);
  }

  /** `snapshot`: the newest that has it like that. */
  tell(file: ListedFile, snapshot: Snapshot, lines: readonly FoundLine[] = []): void {
    this.#cutFile ||= lines.length >= MAX_LINES_OF_FILE;
    this.#hits++;
    this.#lines += lines.length;
    const { path, kind, sizeBytes, stat } = file;
    const hit: SearchHit = {
      ...{ path: formatTreePath(path), kind, sizeBytes, lines },
      modifiedAtMs: milliseconds(stat?.modifiedAtNs ?? null),
      ...{ snapshotId: snapshot.sid, snapshotMs: snapshot.timeMs },
    };
    this.#context.onEvent(hit);
  }

  summary(): SearchSummary {
    const { unreadable, tooLarge, binary } = this;
    const complete = !this.isFull && !this.#cutFile;
    return { hits: this.#hits, lines: this.#lines, complete, times: null, unreadable, tooLarge, binary };
  }
}
