// The part of the service's protocol that compares two snapshots. Plain data, like all of protocol.ts, which names the types of
// handles and of entries.

/** As `reprise diff`: contents decide; "metadata": only mode, owner, time or attributes. */
export type ChangeKind = "added" | "removed" | "changed" | "metadata" | "unreadable";

export interface ComparedSide {
  snapshot: string;
  path: string;
}

/** What is compared. The same ones again find the result that is kept. */
export interface ComparedPair<Handle> {
  repository: Handle;
  before: ComparedSide;
  after: ComparedSide;
}

/** Of a folder: with all below it. */
export interface ChangeTotals {
  counts: Readonly<Record<ChangeKind, number>>;
  /** Sizes of files that are new, and growth of those that grew. */
  addedBytes: number;
  /** Sizes of files that are gone, and what others lost. */
  removedBytes: number;
}

export interface ComparisonData extends ChangeTotals {
  /** The folder under which all changes are. */
  path: string;
  /** False: there are more changes than are kept. */
  complete: boolean;
}

export interface ChangedSide {
  path: string;
  kind: string;
  sizeBytes: number;
  modifiedAtMs: number | null;
}

/** A file that differs, or a folder with something in it that does. */
export interface ChangeData extends ChangeTotals {
  /** The last name of the path, to be shown. */
  name: string;
  path: string;
  isFolder: boolean;
  /** Null: a folder that itself is the same. */
  change: ChangeKind | null;
  before: ChangedSide | null;
  after: ChangedSide | null;
  /** What else differs: "mode", "owner", "modified", "attributes". */
  metadata: readonly string[];
  problem: string | null;
}

/** What is shown of a comparison. */
export interface ChangeFilter {
  /** A part of the path, in any case; empty: all. */
  text: string;
  kinds: readonly ChangeKind[];
}

export interface CompareApi<Handle, Entry> {
  /** Looks for all changes; progress counts them. */
  compare: { argument: ComparedPair<Handle>; answer: ComparisonData };
  /** What is in one folder of the comparison; folders first, then by name. Compares again when the result is not kept any more. */
  changes: {
    argument: ComparedPair<Handle> & { folder: string; filter: ChangeFilter; offset: number; limit: number };
    answer: { items: readonly ChangeData[]; total: number };
  };
  /**
   * The same file in another snapshot, of this machine or of another one: at the same path, or at the same path within its volume.
   * Null: it is not there.
   */
  counterpart: {
    argument: { repository: Handle; snapshot: string; path: string; other: string };
    answer: Entry | null;
  };
}

/** Changes of one comparison that are kept. */
export const MAX_CHANGES = 200_000;
export const ALL_CHANGES: readonly ChangeKind[] = ["added", "removed", "changed", "metadata", "unreadable"];
