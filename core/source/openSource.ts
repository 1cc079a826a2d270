// The door to disks as files: raw files and block devices are read directly, container formats through a qemu-nbd child.

import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { BlockSource, SourceLocation } from "./blockSource.js";
import { identityOf, isUnchanged } from "./fileIdentity.js";
import { refuseForeignFiles } from "./foreignFiles.js";
import { detectFormat, type ImageFormat } from "./imageFormat.js";
import { openNbdSource } from "./nbdSource.js";
import { checkQcow2 } from "./qcow2Check.js";
import { startQemuNbd } from "./qemuNbd.js";
import { openRawSource, unsupportedKind } from "./rawSource.js";
import { sourceFailed, sourceMissing } from "./sourceErrors.js";

export interface OpenSourceOptions {
  /**
   * Default: by the first bytes of a file; raw for a block device. Give it when a guest can write the first bytes of the
   * file, that is for every raw disk of a machine you do not trust.
   */
  format?: ImageFormat;
  /** Follow backing files, data files and extents wherever they lead. Only for images from people you trust. */
  allowBackingFiles?: boolean;
  signal?: AbortSignal;
}

export interface OpenedSource {
  source: BlockSource;
  /** Opens the same bytes in a worker as long as this is not closed. */
  location: SourceLocation;
  format: ImageFormat;
  /** Whether the file was changed or replaced since it was opened: worth a warning. */
  changedSinceOpen(): Promise<boolean>;
  /** Closes the source and ends its server. May be called twice. */
  close(): Promise<void>;
}

/** SOURCE_NOT_FOUND, SOURCE_OPEN_FAILED, SOURCE_UNSUPPORTED, SOURCE_FOREIGN_FILES, SOURCE_DAMAGED … */
export async function openSource(path: string, options: OpenSourceOptions = {}): Promise<OpenedSource> {
  options.signal?.throwIfAborted();
  const fullPath = resolve(path);
  const format = options.format ?? (await defaultFormat(fullPath));
  return format === "raw" ? await openRaw(fullPath) : await openContainer(fullPath, format, options);
}

/** For workers: a source of their own over the same bytes. */
export async function reopenSource(location: SourceLocation): Promise<BlockSource> {
  if (location.kind === "file") return await openRawSource(location.path);
  const { socketPath, exportName, sizeBytes } = location;
  return await openNbdSource({ socketPath }, { exportName, expectedSizeBytes: sizeBytes, connections: 1 });
}

async function defaultFormat(path: string): Promise<ImageFormat> {
  try {
    const stats = await stat(path);
    if (stats.isBlockDevice()) return "raw";
    if (!stats.isFile()) throw unsupportedKind(path);
    return await detectFormat(path);
  } catch (error) {
    throw openError(path, error);
  }
}

async function openRaw(path: string): Promise<OpenedSource> {
  const source = await openRawSource(path);
  return {
    source,
    location: { kind: "file", path },
    format: "raw",
    changedSinceOpen: () => source.changedSinceOpen(),
    close: () => source.close(),
  };
}

async function openContainer(
  path: string,
  format: Exclude<ImageFormat, "raw">,
  options: OpenSourceOptions,
): Promise<OpenedSource> {
  const { allowBackingFiles = false, signal } = options;
  try {
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile() && !stats.isBlockDevice()) throw unsupportedKind(path);
    const identity = identityOf(stats);
    if (!allowBackingFiles) await refuseForeignFiles(path, format, signal);
    const server = await startQemuNbd({ imagePath: path, format, writable: false, allowBackingFiles, signal });
    const { socketPath, exportName, sizeBytes } = server;
    try {
      if (format === "qcow2") await refuseUnsound(path, signal);
      const source = await openNbdSource({ socketPath }, { exportName, location: path, signal });
      const close = async () => {
        await source.close();
        await server.stop();
      };
      const location = { kind: "nbd", socketPath, exportName, sizeBytes } as const;
      return { source, location, format, changedSinceOpen: async () => !(await isUnchanged(path, identity)), close };
    } catch (error) {
      await server.stop();
      throw error;
    }
  } catch (error) {
    throw openError(path, error);
  }
}

/** Called while the server holds the image, so that nobody is writing to it. */
async function refuseUnsound(path: string, signal?: AbortSignal): Promise<void> {
  const { state, message } = await checkQcow2(path, signal);
  if (state !== "unusable") return;
  throw sourceFailed("SOURCE_DAMAGED", `${path} is damaged: ${message}`, {
    data: { path },
    hint: "repair it with qemu-img check -r all, or back it up as raw: the file is then stored as it is",
  });
}

/** Words the errors of the file system; others pass. */
function openError(path: string, error: unknown): unknown {
  const { syscall, code } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  if (code === "ENOENT") return sourceMissing(path, error);
  const details = { data: { path, errno: code }, cause: error };
  return sourceFailed("SOURCE_OPEN_FAILED", `cannot open ${path} (${code})`, details);
}
