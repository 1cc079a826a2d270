// What the editor's side and the worker that holds the core say to each other: calls with an answer, progress, cancel. Plain
// data only. Paths in a snapshot are text as `reprise ls` prints them (docs/files.md): bytes that are no UTF-8 are escaped.

import type { ActionsApi } from "./actionsProtocol.js";
import type { CompareApi } from "./compareProtocol.js";
import type { OverviewApi } from "./overviewProtocol.js";
import type { PolicyApi } from "./policyProtocol.js";
import type { RestoreApi } from "./restoreProtocol.js";
import type { SearchApi } from "./searchProtocol.js";

/** Names an open repository. Two of them may be of the same repository; they share nothing. */
export type Handle = number & { readonly __handle: never };

export interface RepositoryInfo {
  handle: Handle;
  repositoryId: string;
  location: string;
  encrypted: boolean;
  /** Of a repository with two roles: whether it was opened with its keeper's key ("here"). */
  keeper: "none" | "here" | "elsewhere";
}

/** One machine and what its snapshots say together. */
export interface MachineData {
  /** As commands take it: `prod:vm/web1`. */
  machine: string;
  namespace: string;
  group: string;
  snapshots: number;
  /** How many of them a filter leaves; absent: it does not ask about snapshots. */
  matching?: number;
  /** Of those that the filter leaves. */
  newest: SnapshotData;
}

export interface SnapshotData {
  snapshotId: string;
  machine: string;
  timeMs: number;
  finishedAtMs: number;
  host: string;
  mode: string;
  consistency: string;
  notes: string;
  tags: readonly string[];
  protected: boolean;
  encrypted: boolean;
  /** Of all disks and folders, as the guest sees them. */
  sizeBytes: number;
  /** Plain bytes that no earlier snapshot had, and what they take up stored. */
  newBytes: number;
  storedBytes: number;
  disks: readonly DiskData[];
  verification: { result: "ok" | "damaged"; level: "structure" | "data"; atMs: number; damagedRanges: number } | null;
  restoreTest: { outcome: string; provenLevel: string | null; atMs: number } | null;
  repairedFrom: string | null;
}

export interface DiskData {
  name: string;
  kind: "image" | "file" | "tree";
  sizeBytes: number;
  /** Ranges that a repair filled with zeros. */
  lostRanges: number;
}

export interface CatalogData {
  machines: readonly MachineData[];
  snapshots: number;
  /** Objects that may be snapshots and cannot be read. */
  unreadable: readonly { object: string; message: string }[];
}

/** How far the reading of a catalog is: what came with it is what there was so far, without what records say. */
export interface ReadingData {
  done: number;
  /** Null: they are still being listed. */
  total: number | null;
}

/** Machines of one namespace. */
export interface MachinePage extends Page<MachineData> {
  /** All that have a machine which the filter leaves; the one without a name is not among them. */
  namespaces: readonly { namespace: string; machines: number }[];
  /** Of the whole repository: what the filter leaves. */
  matching: { machines: number; snapshots: number };
  unreadable: CatalogData["unreadable"];
  reading: ReadingData | null;
}

export interface SnapshotPage extends Page<SnapshotData> {
  reading: ReadingData | null;
}

export interface EntryPage extends Page<EntryData> {
  /** Entries of the folder, also those that the filter leaves out. */
  all: number;
}

/** A part of a list; `total` is of the whole. */
export interface Page<T> {
  items: readonly T[];
  total: number;
}

export type EntryKind =
  | "disk"
  | "volume"
  | "file"
  | "directory"
  | "symlink"
  | "character-device"
  | "block-device"
  | "fifo"
  | "socket"
  | "special"
  | "unreadable";

export interface EntryData {
  /** The last name of the path, to be shown. */
  name: string;
  path: string;
  kind: EntryKind;
  /** Of volumes: "ext4 data", "LUKS, encrypted"; of what is special: why. */
  description: string;
  sizeBytes: number | null;
  modifiedAtMs: number | null;
  createdAtMs: number | null;
  mode: number | null;
  /** Of symbolic links. */
  target: string | null;
  /** Of symbolic links: what they lead to, when that was asked for; null: nothing that is there. */
  targetKind: EntryKind | null;
  /** A name that no file can have: to be shown, not to be opened. */
  forbidden: boolean;
  /** Why it cannot be looked at. */
  problem: ErrorData | null;
}

export interface NameData {
  name: string;
  path: string;
  kind: EntryKind | null;
}

export interface VersionData {
  number: number;
  kind: EntryKind;
  sizeBytes: number;
  modifiedAtMs: number | null;
  path: string;
  sha256: string | null;
  first: SnapshotData;
  last: SnapshotData;
  snapshots: number;
}

export interface PeriodData {
  version: number | null;
  problem: string | null;
  first: SnapshotData;
  last: SnapshotData;
  snapshots: number;
}

export interface HistoryData {
  versions: readonly VersionData[];
  /** Neighbouring snapshots with one version (null: not there, or not readable for the reason given). Oldest first. */
  periods: readonly PeriodData[];
}

/** An error of the core. `code` and `data` as in docs/errors.md. */
export interface ErrorData {
  name: string;
  message: string;
  family?: string;
  code?: string;
  data?: Record<string, unknown>;
  hint?: string;
  retry?: "never" | "later";
  /** Of an error without a code: where in the service it comes from. */
  stack?: string;
}

export interface ProgressData {
  operation: string;
  phase: string;
  subject?: string;
  done: number;
  total?: number;
  unit: "bytes" | "objects" | "snapshots";
}

export interface WarningData {
  code: string;
  message: string;
}

type Compare = CompareApi<Handle, EntryData>;

interface InSnapshot {
  repository: Handle;
  snapshot: string;
  path: string;
}

/** Every operation: what it is given and what it answers. Errors of all: docs/errors.md; SERVICE_HANDLE_CLOSED of most. */
export interface ServiceApi extends ActionsApi<Handle>, OverviewApi<Handle>, PolicyApi<Handle>, SearchApi<Handle> {
  /**
   * `secret`: a passphrase or a recovery key; never logged, stored or answered back. PASSPHRASE_WRONG; PASSPHRASE_MISSING when it
   * is encrypted and no secret was given. `keeperKey`: the text of the keeper's key, kept as secret; KEEPER_KEY_INVALID, KEEPER_KEY_WRONG.
   * `readAhead`: its catalog will be asked for, so that reading it begins at once.
   */
  openRepository: {
    argument: {
      location: string;
      secret: string | null;
      keeperKey?: string | null;
      cacheFolder?: string | null;
      stateFolder?: string | null;
      readAhead?: boolean;
    };
    answer: RepositoryInfo;
  };
  closeRepository: { argument: { repository: Handle }; answer: null };
  /** `refresh`: read again what the storage has now. */
  catalog: { argument: { repository: Handle; refresh?: boolean }; answer: CatalogData };
  /**
   * By name; `filter` as in catalogFilter.ts. With `waitMs`, what has been read by then; without, all. What fails after a part was
   * answered fails the next call.
   */
  machines: {
    argument: {
      repository: Handle;
      namespace: string;
      filter?: string;
      waitMs?: number;
      offset: number;
      limit: number;
    };
    answer: MachinePage;
  };
  /** Newest first. `filter` and `waitMs` as of machines. */
  snapshots: {
    argument: { repository: Handle; machine: string; filter?: string; waitMs?: number; offset: number; limit: number };
    answer: SnapshotPage;
  };
  snapshot: { argument: { repository: Handle; snapshot: string }; answer: SnapshotData };
  /** The one of the same machine before it; null: it is the first. SNAPSHOT_NOT_FOUND. */
  snapshotBefore: { argument: { repository: Handle; snapshot: string }; answer: SnapshotData | null };
  /** Folders first, then by name. With what is known of each entry. `filter`: a part of names or a pattern (namePattern.ts). */
  list: { argument: InSnapshot & { filter?: string; offset: number; limit: number }; answer: EntryPage };
  /** All names of a folder, without looking at each. */
  names: { argument: InSnapshot; answer: readonly NameData[] };
  /** A link is not followed; `targetKind` says what it leads to. */
  stat: { argument: InSnapshot; answer: EntryData };
  /** Up to MAX_RANGE_BYTES; less at the end of the file only. Links are followed. */
  readRange: {
    argument: InSnapshot & { offset: number; length: number };
    answer: { bytes: Uint8Array<ArrayBuffer>; sizeBytes: number };
  };
  /** The whole file; SERVICE_FILE_TOO_LARGE beyond `maxBytes`. Links are followed. */
  readFile: { argument: InSnapshot & { maxBytes: number }; answer: Uint8Array<ArrayBuffer> };
  /** Of the path in all snapshots of the machine. */
  history: { argument: { repository: Handle; machine: string; path: string }; answer: HistoryData };
  compare: Compare["compare"];
  changes: Compare["changes"];
  counterpart: Compare["counterpart"];
  restoreFiles: RestoreApi<Handle>["restoreFiles"];
  restoreDisks: RestoreApi<Handle>["restoreDisks"];
  removeUnfinished: RestoreApi<Handle>["removeUnfinished"];
  exportEvidence: RestoreApi<Handle>["exportEvidence"];
  exportArchive: RestoreApi<Handle>["exportArchive"];
}

export type Method = keyof ServiceApi;
export type ArgumentOf<M extends Method> = ServiceApi[M]["argument"];
export type AnswerOf<M extends Method> = ServiceApi[M]["answer"];

/** One answer of readRange. */
export const MAX_RANGE_BYTES = 16 * 1024 * 1024;
/** Nothing larger goes through memory as one piece, whatever `maxBytes` says. */
export const MAX_FILE_BYTES = 1024 * 1024 * 1024;
/** Entries or snapshots of one page. */
export const MAX_PAGE = 2000;

export type ToService =
  | { kind: "call"; call: number; method: Method; argument: unknown }
  | { kind: "cancel"; call: number }
  /** The extension goes: everything is ended, what runs and what was started. Answered by `closed`. */
  | { kind: "close" };

export type FromService =
  | { kind: "answer"; call: number; answer: unknown }
  | { kind: "failure"; call: number; error: ErrorData }
  | { kind: "progress"; call: number; event: ProgressData }
  | { kind: "event"; call: number; event: unknown }
  | { kind: "warning"; call: number; warning: WarningData }
  | { kind: "closed" };
