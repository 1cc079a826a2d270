// The door to restore targets: chooses the kind by the path and the format, and opens writers for workers.

import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { BlockWriter, RestoreTarget, TargetLocation } from "./blockTarget.js";
import { createDeviceTarget } from "./deviceTarget.js";
import { createFileTarget } from "./fileTarget.js";
import { openFileWriter } from "./fileWriter.js";
import { openNbdWriter } from "./nbdWriter.js";
import { createQcow2Target } from "./qcow2Target.js";
import { targetFailed } from "./targetErrors.js";

export interface CreateTargetOptions {
  path: string;
  format: "raw" | "qcow2";
  sizeBytes: number;
  /** Allow replacing an existing file, or overwriting a block device. */
  force: boolean;
  /** 8 to 64 hex digits that stand for the snapshot and the disk; the same ones resume an interrupted restore. */
  resumeKey: string;
  signal?: AbortSignal;
}

/**
 * TARGET_EXISTS, TARGET_UNSUPPORTED, TARGET_UNSAFE, TARGET_IN_USE, TARGET_TOO_SMALL, TARGET_FULL, TARGET_READ_ONLY,
 * TARGET_WRITE_FAILED, TOOL_MISSING. After an error nothing new is left behind.
 */
export async function createTarget(options: CreateTargetOptions): Promise<RestoreTarget> {
  const { path, format, sizeBytes, force, resumeKey, signal } = options;
  signal?.throwIfAborted();
  const finalPath = resolve(path);
  const stats = await stat(finalPath).catch(() => undefined);
  if (stats?.isBlockDevice()) {
    if (format !== "raw") {
      const hint = "restore as raw, or into a file";
      throw targetFailed("TARGET_UNSUPPORTED", `${path} is a block device and takes raw only`, {
        data: { path, format },
        hint,
      });
    }
    return await createDeviceTarget({ path: finalPath, sizeBytes, force });
  }
  if (format === "qcow2") return await createQcow2Target({ finalPath, sizeBytes, force, resumeKey, signal });
  return await createFileTarget({ finalPath, sizeBytes, force, resumeKey, signal });
}

/** For workers. The target exists as long as its RestoreTarget is neither published nor discarded. */
export async function openBlockWriter(location: TargetLocation): Promise<BlockWriter> {
  return location.kind === "file" ? await openFileWriter(location.path) : await openNbdWriter(location);
}
