// The errors that every reader of a file system raises; the list is in fileSystem.ts.

import { RepriseError } from "../errors.js";
import type { FileKind } from "./fileSystem.js";

/** `where` names the structure: "inode 12, extent tree". */
export function damaged(
  type: string,
  where: string,
  problem: string,
  data: Record<string, unknown> = {},
): RepriseError {
  return new RepriseError("corrupt", "FILESYSTEM_DAMAGED", `${type}: ${where}: ${problem}`, {
    data: { type, where, ...data },
    hint: "this is how the disk was when it was backed up; another snapshot may have it whole",
  });
}

export function unsupported(type: string, feature: string, data: Record<string, unknown> = {}): RepriseError {
  return new RepriseError("unsupported", "FILESYSTEM_UNSUPPORTED", `${type}: ${feature} cannot be read yet`, {
    data: { type, feature, ...data },
    hint: "restore the disk and open it with the system it came from, or attach it with nbd",
  });
}

export function fileNotFound(what: string): RepriseError {
  return new RepriseError("not-found", "FILE_NOT_FOUND", `${what}: no such file or directory`, { data: { what } });
}

/** `wanted`: "a directory", "a symbolic link"; `actual`, where it is known: "a folder". */
export function wrongKind(what: string, wanted: string, actual?: string): RepriseError {
  const message = actual === undefined ? `${what} is not ${wanted}` : `${what} is ${actual}, not ${wanted}`;
  return new RepriseError("usage", "FILE_KIND_WRONG", message, {
    data: { what, wanted, actual },
    hint: actual === "a folder" ? "ls shows what is in it; restore, tar and zip take whole folders" : undefined,
  });
}

const KIND_TEXTS: Record<FileKind, string> = {
  file: "a file",
  directory: "a folder",
  symlink: "a symbolic link",
  "character-device": "a character device",
  "block-device": "a block device",
  fifo: "a pipe",
  socket: "a socket",
  special: "a special file",
};

export function kindText(kind: FileKind): string {
  return KIND_TEXTS[kind];
}
