// What is said about searches: files by name, in a snapshot or in all of a machine, and lines of text in the files of a snapshot.

/** One file that was found; told as an event as soon as it is. */
export interface SearchHit {
  path: string;
  /** As of entries. */
  kind: string;
  sizeBytes: number | null;
  modifiedAtMs: number | null;
  /** The newest snapshot that has it like that. */
  snapshotId: string;
  snapshotMs: number;
  /** Of a search for text. */
  lines: readonly FoundLine[];
}

/** A line with what was found in it. Numbers begin with 0; characters are UTF-16 units. */
export interface FoundLine {
  line: number;
  column: number;
  length: number;
  /** A part of the line, harmless to show, and where in it the found text begins and ends. */
  text: string;
  from: number;
  to: number;
}

/** In how many snapshots a file is like that, and since when. */
export interface HitTimes {
  snapshots: number;
  firstMs: number;
}

export interface SearchSummary {
  hits: number;
  lines: number;
  /** False: there is more than is told. */
  complete: boolean;
  /** Of a complete search of all snapshots: of each hit, in the order in which they were told; else null. */
  times: readonly HitTimes[] | null;
  /** Files and folders that could not be read. */
  unreadable: number;
  /** Files of a search for text that were not looked into: larger than MAX_SEARCHED_BYTES, or no text. */
  tooLarge: number;
  binary: number;
}

export interface SearchApi<Handle> {
  /**
   * Names below a path: with `*`, `?` or `[` as a pattern of the whole name, else as a part of it in any case. `snapshot` null: every
   * version of each file in all snapshots of the machine. FILE_PATTERN_INVALID, FILE_NOT_FOUND.
   */
  findFiles: {
    argument: { repository: Handle; machine: string; snapshot: string | null; path: string; name: string };
    answer: SearchSummary;
  };
  /** Lines of UTF-8 text below a path; `files`: as `name` above, empty for all. */
  searchText: {
    argument: {
      repository: Handle;
      snapshot: string;
      path: string;
      text: string;
      matchCase: boolean;
      files: string;
    };
    answer: SearchSummary;
  };
}

export const MAX_SEARCHED_TEXT = 1000;

/** Why a text cannot be looked for; undefined: it can. */
export function searchTextFault(text: string): "empty" | "long" | "lines" | undefined {
  if (text === "") return "empty";
  if (text.length > MAX_SEARCHED_TEXT) return "long";
  return /[\n\r]/.test(text) ? "lines" : undefined;
}

export const MAX_HITS = 10_000;
export const MAX_FOUND_LINES = 20_000;
export const MAX_SEARCHED_BYTES = 64 * 1024 * 1024;
