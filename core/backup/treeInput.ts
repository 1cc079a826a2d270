// A folder to back up, as a caller hands it in, and what became of it.

import type { ExcludeRule } from "./excludeRules.js";

export interface TreeInput {
  /** Name inside the snapshot. */
  name: string;
  path: string;
  excludes: readonly ExcludeRule[];
  /** Folders on other devices are stored empty. */
  oneFileSystem: boolean;
  /** Reads files that have not changed since the last snapshot, too. */
  readAll: boolean;
}

export interface TreeCounts {
  files: number;
  folders: number;
  /** Of the files: taken over from the snapshot before, without opening them. */
  filesUnchanged: number;
  excluded: number;
  /** Could not be read, wholly or in part; each was a warning. */
  unreadable: number;
}
