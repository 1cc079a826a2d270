// What a backup reads besides disks: configuration files, and folders, which must be there.

import { stat } from "node:fs/promises";
import { isAbort, RepriseError } from "../errors.js";
import { MAX_BLOB_PLAIN } from "../format/limits.js";
import { readInputFile } from "../platform/inputFile.js";
import type { NamedPath } from "./archiveNames.js";
import type { FileInput } from "./backup.js";

/** At most one byte more than a snapshot can hold is read; backUp refuses that. CONFIG_FILE_UNREADABLE. */
export async function readConfigFile({ name, path }: NamedPath, signal: AbortSignal): Promise<FileInput> {
  try {
    return { name, bytes: await readInputFile(path, { maxBytes: MAX_BLOB_PLAIN, signal }) };
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const errno = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new RepriseError(
      "source",
      "CONFIG_FILE_UNREADABLE",
      `the configuration file ${path} cannot be read (${errno})`,
      { data: { path, errno }, hint: "check the path given with --config or in reprise.yml", cause },
    );
  }
}

/** SOURCE_NOT_FOUND, SOURCE_UNSUPPORTED. */
export async function requireFolder(path: string): Promise<void> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new RepriseError("source", "SOURCE_NOT_FOUND", `the folder ${path} cannot be opened (${cause.code})`, {
      data: { path, errno: cause.code },
      hint: "check the path given with --dir or in reprise.yml",
      cause,
    });
  });
  if (stats.isDirectory()) return;
  throw new RepriseError("source", "SOURCE_UNSUPPORTED", `${path} is no folder`, {
    data: { path },
    hint: "name a folder with --dir, and disks without it",
  });
}
