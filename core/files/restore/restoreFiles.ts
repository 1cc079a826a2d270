// Files and folders out of a snapshot into a folder of this machine. Nothing in an image decides where something is written:
// names are single components below the target, folders are made and entered here, links are made when nothing is written
// into their folder any more and are never followed. What cannot be restored is reported, and the rest goes on.

import { lstat, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { RepriseError } from "../../errors.js";
import { formatTreePath } from "../treePath.js";
import { LeftOut } from "./leftOut.js";
import type { RestoreFilesOptions, RestoreFilesReport, RestoreFilesRequest } from "./restoreRequest.js";
import { RestoreWalk } from "./restoreWalk.js";
import { TargetFolder } from "./targetFolder.js";

/**
 * TARGET_EXISTS, TARGET_WRITE_FAILED and TARGET_FULL, and errors of the storage, end it; what was restored stays, and no file is
 * half written under its name. Problems of the image are reported and skipped.
 */
export async function restoreFiles(
  request: RestoreFilesRequest,
  options: RestoreFilesOptions,
): Promise<RestoreFilesReport> {
  const leftOut = new LeftOut(options.onSkipped);
  const top = resolve(request.to);
  if (request.dryRun) return await new RestoreWalk(request, top, null, leftOut, options).run();
  await makeTop(top);
  const folder = await openTop(top);
  try {
    await refuseExisting(request, folder);
    return await new RestoreWalk(request, top, folder, leftOut, options).run();
  } finally {
    await folder.close();
  }
}

async function makeTop(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    const missing = code === "ENOENT";
    throw new RepriseError("source", "TARGET_WRITE_FAILED", `the folder ${path} cannot be made (${code})`, {
      data: { path, errno: code },
      hint: missing ? `make ${dirname(path)} first` : undefined,
      cause,
    });
  }
}

async function openTop(path: string): Promise<TargetFolder> {
  try {
    return await TargetFolder.openTop(path);
  } catch (cause) {
    const stats = await lstat(path).catch(() => null);
    const problem = stats?.isDirectory() === false ? "is not a folder" : "cannot be opened";
    throw new RepriseError("source", "TARGET_UNSUPPORTED", `${path} ${problem}`, {
      data: { path, errno: (cause as NodeJS.ErrnoException).code },
      hint: "files are restored into a folder: name one with --to",
      cause,
    });
  }
}

/** Only the top of what is restored is looked at: below a new folder there is nothing. */
async function refuseExisting(request: RestoreFilesRequest, folder: TargetFolder): Promise<void> {
  if (request.existing !== "refuse" || request.name === null) return;
  if ((await folder.look(request.name)) === null) return;
  throw new RepriseError("source", "TARGET_EXISTS", `${request.to}${formatTreePath([request.name])} exists already`, {
    data: { path: request.to },
    hint: "use --force to replace files that are there, --keep-existing to leave them, or another folder",
  });
}
