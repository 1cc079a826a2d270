// The part of the service's protocol that restores. Plain data, like all of protocol.ts, which names the type of handles. Progress
// is in bytes; its total is missing until it is known.

export interface RestoredFilesData {
  /** The folder into which it went. */
  to: string;
  files: number;
  folders: number;
  links: number;
  /** Devices and pipes. */
  special: number;
  sizeBytes: number;
  bytesWritten: number;
  /** There already, and left alone. */
  kept: number;
  /** Missing or not whole; only the first ones are named. */
  skipped: number;
  skippedFiles: readonly { path: string; reason: string }[];
  leftOut: readonly { what: string; reason: string; files: number; example: string }[];
}

export interface RestoredDiskData {
  name: string;
  path: string;
  sizeBytes: number;
  bytesWritten: number;
  /** Written by an interrupted restore before this one. */
  bytesKept: number;
  /** Ranges that could not be read and are zeros. */
  lost: readonly { offset: number; length: number; reason: string }[];
}

export interface RestoredDisksData {
  to: string;
  /** Disks and configuration files. */
  disks: readonly RestoredDiskData[];
  /** Of machines that are backed up as folders. */
  files: RestoredFilesData | null;
}

export interface ExportedArchiveData {
  to: string;
  sizeBytes: number;
  /** Not in the archive, because it cannot be read or has no place in it; only the first ones are named. */
  skipped: number;
  skippedFiles: readonly { path: string; reason: string }[];
}

export interface ExportedEvidenceData {
  to: string;
  /** Names in the folder. */
  files: readonly string[];
  tests: number;
  signed: number;
}

export type ArchiveFormat = "tar" | "zip";

export type DiskFormat = "raw" | "qcow2";

export interface RestoreApi<Handle> {
  /**
   * A file or a folder below the folder `to`, which is made; with `/` everything that is in the snapshot, without a folder around
   * it. `existing`: what happens with what is there; "refuse" is TARGET_EXISTS before anything is written.
   */
  restoreFiles: {
    argument: {
      repository: Handle;
      snapshot: string;
      path: string;
      to: string;
      existing: "refuse" | "replace" | "keep";
    };
    answer: RestoredFilesData;
  };
  /**
   * `disk` to the file `to`; null: the whole machine into the folder `to`, which is made. Nothing has its final name before every
   * chunk was checked. TARGET_EXISTS unless `replace`; RESTORE_DAMAGED unless `skipDamaged`.
   */
  restoreDisks: {
    argument: {
      repository: Handle;
      snapshot: string;
      disk: string | null;
      to: string;
      format: DiskFormat;
      replace: boolean;
      skipDamaged: boolean;
    };
    answer: RestoredDisksData;
  };
  /** What a restore that was given up has left: the `kept` of its error's data. */
  removeUnfinished: { argument: { paths: readonly string[] }; answer: { removed: readonly string[] } };
  /** A file, a folder or, with `/`, everything as one archive in the file `to`. TARGET_EXISTS unless `replace`. */
  exportArchive: {
    argument: {
      repository: Handle;
      snapshot: string;
      path: string;
      to: string;
      format: ArchiveFormat;
      replace: boolean;
    };
    answer: ExportedArchiveData;
  };
  /** The manifest, and records and statements of the snapshot's restore tests, into the folder `to`. TARGET_EXISTS unless `replace`. */
  exportEvidence: {
    argument: { repository: Handle; snapshot: string; to: string; replace: boolean };
    answer: ExportedEvidenceData;
  };
}

/** Skipped files that are named. */
export const MAX_SKIPPED = 1000;
