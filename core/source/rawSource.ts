// A disk image that is its own bytes: a raw file or a block device. The file is not trusted to stay as it is.

import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { blockDeviceBytes } from "../platform/blockDevice.js";
import { type AllocationMap, allDataMap } from "./allocationMap.js";
import type { BlockSource, Extent, ReadOptions } from "./blockSource.js";
import { readAllocation } from "./fileAllocation.js";
import { type FileIdentity, identityOf, isSameFile, isUnchanged } from "./fileIdentity.js";
import { checkRange, readFailed, sourceFailed, sourceMissing, sourceShrank } from "./sourceErrors.js";

export interface RawSource extends BlockSource {
  /** Whether size, time of change or inode differ from what they were at open. Never true for a device of equal size. */
  changedSinceOpen(): Promise<boolean>;
}

/** SOURCE_NOT_FOUND, SOURCE_OPEN_FAILED, or SOURCE_UNSUPPORTED for what is neither a file nor a block device. */
export async function openRawSource(path: string): Promise<RawSource> {
  const handle = await openForReading(path);
  try {
    const stats = await handle.stat({ bigint: true });
    const isDevice = stats.isBlockDevice();
    if (!isDevice && !stats.isFile()) throw unsupportedKind(path);
    const sizeBytes = isDevice ? await blockDeviceBytes(path, stats.rdev) : Number(stats.size);
    return new OpenRawSource(handle, path, sizeBytes, identityOf(stats), isDevice);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Non-blocking, or opening a pipe would wait for ever for its writer. */
async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === "ENOENT") throw sourceMissing(path, error);
    if (errno === "ENXIO") throw unsupportedKind(path);
    const data = { path, errno };
    throw sourceFailed("SOURCE_OPEN_FAILED", `cannot open ${path} (${errno})`, { data, cause: error });
  }
}

export function unsupportedKind(path: string): Error {
  return sourceFailed("SOURCE_UNSUPPORTED", `${path} is neither a file nor a block device`, {
    data: { path },
    hint: "name a disk image or a block device; pipe anything else in and name it -",
  });
}

class OpenRawSource implements RawSource {
  readonly location: string;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #identity: FileIdentity;
  readonly #isDevice: boolean;
  readonly #closing = new AbortController();
  #map: Promise<AllocationMap> | undefined;

  constructor(handle: FileHandle, path: string, sizeBytes: number, identity: FileIdentity, isDevice: boolean) {
    this.#handle = handle;
    this.location = path;
    this.sizeBytes = sizeBytes;
    this.#identity = identity;
    this.#isDevice = isDevice;
  }

  async extents(offset: number, length: number, options: ReadOptions = {}): Promise<Extent[]> {
    checkRange(this.location, this.sizeBytes, offset, length);
    options.signal?.throwIfAborted();
    this.#map ??= this.#readMap();
    const map = await this.#map;
    options.signal?.throwIfAborted();
    return map.extents(offset, length);
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    checkRange(this.location, this.sizeBytes, offset, buffer.length);
    let filled = 0;
    while (filled < buffer.length) {
      options.signal?.throwIfAborted();
      const count = await this.#readSome(buffer, filled, offset + filled);
      if (count === 0) throw sourceShrank(this.location, offset + filled, this.sizeBytes);
      filled += count;
    }
  }

  async changedSinceOpen(): Promise<boolean> {
    if (!this.#isDevice) return !(await isUnchanged(this.location, this.#identity));
    const stats = await stat(this.location, { bigint: true }).catch(() => undefined);
    if (stats === undefined || !stats.isBlockDevice()) return true;
    return (await blockDeviceBytes(this.location, stats.rdev)) !== this.sizeBytes;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#map?.catch(() => undefined);
    await this.#handle.close();
  }

  async #readSome(buffer: Uint8Array, filled: number, offset: number): Promise<number> {
    try {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, offset);
      return bytesRead;
    } catch (error) {
      throw readFailed(this.location, offset, error);
    }
  }

  /** The map is made by path; when that leads elsewhere by now, it says nothing about the open file. */
  async #readMap(): Promise<AllocationMap> {
    if (this.#isDevice) return allDataMap(this.sizeBytes);
    const map = await readAllocation(this.#handle, this.location, this.sizeBytes, this.#closing.signal);
    const now = await stat(this.location, { bigint: true }).catch(() => undefined);
    const sameFile = now !== undefined && isSameFile(identityOf(now), this.#identity);
    return sameFile ? map : allDataMap(this.sizeBytes);
  }
}
