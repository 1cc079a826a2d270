// The devices of one file system, as far as they are among those given; each is known by a superblock of its own.

import { isOurError } from "../../errors.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import { sameBytes } from "../entryName.js";
import { type BtrfsSuperblock, type FoundSuperblock, readSuperblock } from "./superblock.js";

interface Device {
  reader: BlockReader;
  found: FoundSuperblock;
}

export class Devices {
  /** By id; of several with the same one (a copy of a disk, say) the newest, the first of those. */
  readonly #byId = new Map<number, Device>();

  add(device: Device): void {
    const {
      device: { id },
      generation,
    } = device.found.superblock;
    const known = this.#byId.get(id);
    if (known === undefined || known.found.superblock.generation < generation) this.#byId.set(id, device);
  }

  get count(): number {
    return this.#byId.size;
  }

  /** Of the newest device: one that was away for a while knows only old trees. */
  newest(): FoundSuperblock {
    const all = [...this.#byId.values()].map(({ found }) => found);
    return all.reduce((a, b) => (b.superblock.generation > a.superblock.generation ? b : a));
  }

  /** Undefined when the device is missing. */
  reader(id: number, uuid: Uint8Array): BlockReader | undefined {
    const device = this.#byId.get(id);
    return device !== undefined && sameBytes(device.found.superblock.device.uuid, uuid) ? device.reader : undefined;
  }

  /** Whether a device was away while others were written to: what it holds without checksums may be old. */
  isStale(id: number): boolean {
    const device = this.#byId.get(id);
    return device !== undefined && device.found.superblock.generation < this.newest().superblock.generation;
  }

  get staleCount(): number {
    return [...this.#byId.keys()].filter((id) => this.isStale(id)).length;
  }

  /** Devices that end before they should. */
  get shortened(): number {
    return [...this.#byId.values()].filter(({ reader, found }) => found.superblock.device.sizeBytes > reader.sizeBytes)
      .length;
  }
}

/** `reader` and those of `companions` that belong to the same file system. Throws what readSuperblock does of `reader`. */
export async function findDevices(
  reader: BlockReader,
  companions: readonly BlockReader[],
  options?: ReadOptions,
): Promise<Devices> {
  const first = await readSuperblock(reader, options);
  const devices = new Devices();
  devices.add({ reader, found: first });
  if (first.superblock.deviceCount <= 1) return devices;
  for (const companion of companions) {
    const found = await superblockOrNull(companion, options);
    if (found !== null && isSame(found.superblock, first.superblock)) devices.add({ reader: companion, found });
  }
  return devices;
}

function isSame(a: BtrfsSuperblock, b: BtrfsSuperblock): boolean {
  return sameBytes(a.uuid, b.uuid) && sameBytes(a.metadataUuid, b.metadataUuid);
}

/** Null for a device that is not ours to complain about. */
async function superblockOrNull(reader: BlockReader, options?: ReadOptions): Promise<FoundSuperblock | null> {
  try {
    return await readSuperblock(reader, options);
  } catch (error) {
    if (isOurError(error, "FILESYSTEM_DAMAGED") || isOurError(error, "FILESYSTEM_UNSUPPORTED")) return null;
    throw error;
  }
}
