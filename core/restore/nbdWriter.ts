// Writes into an image through an NBD server: how workers fill a qcow2 file that qemu-nbd holds open.

import { NbdClient } from "../nbd/client.js";
import { allocationFlag } from "../nbd/wire.js";
import type { BlockWriter } from "./blockTarget.js";
import { readError, targetFailed, writeError } from "./targetErrors.js";

export interface NbdWriterLocation {
  socketPath: string;
  exportName: string;
  /** Size of the image; the export may be larger by less than a sector. */
  sizeBytes: number;
}

const allocation = "base:allocation";
const sectorBytes = 512;
const zeros = new Uint8Array(1024 * 1024);

/** NBD_FAILED when the server is gone, TARGET_READ_ONLY, TARGET_WRITE_FAILED when the export has another size. */
export async function openNbdWriter(location: NbdWriterLocation): Promise<BlockWriter> {
  const { socketPath, exportName, sizeBytes } = location;
  // Without asking for block sizes the server takes any alignment, so that no two writers meet in one block.
  const client = await NbdClient.connect({ socketPath }, { exportName, contexts: [allocation], blockSizes: false });
  const fits = client.sizeBytes >= sizeBytes && client.sizeBytes < sizeBytes + sectorBytes;
  if (fits && !client.readOnly) return new NbdWriter(client, socketPath);
  await client.close();
  const data = { sizeBytes, exportBytes: client.sizeBytes };
  if (client.readOnly) throw targetFailed("TARGET_READ_ONLY", "the NBD export is read-only", { data });
  throw targetFailed("TARGET_WRITE_FAILED", "the NBD export has another size than the image", { data });
}

class NbdWriter implements BlockWriter {
  readonly #client: NbdClient;
  readonly #name: string;

  constructor(client: NbdClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#attempt(offset, () => this.#client.write(bytes, offset));
  }

  /** Leaves alone what reads as zeros already: even a zero costs space in the tables of a qcow2 image. */
  async zero(offset: number, length: number): Promise<void> {
    await this.#attempt(offset, async () => {
      for (const run of await this.#nonZero(offset, length)) await this.#zeroRun(run.offset, run.length);
    });
  }

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    try {
      await this.#client.read(buffer, offset);
    } catch (error) {
      throw readError(this.#name, offset, error);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #nonZero(offset: number, length: number): Promise<{ offset: number; length: number }[]> {
    if (!this.#client.contexts.includes(allocation)) return [{ offset, length }];
    const runs = await this.#client.map(allocation, offset, length);
    return runs.filter(({ flags }) => (flags & allocationFlag.zero) === 0);
  }

  async #zeroRun(offset: number, length: number): Promise<void> {
    if (this.#client.canWriteZeroes) return await this.#client.writeZeroes(offset, length);
    for (let at = offset; at < offset + length; at += zeros.length) {
      await this.#client.write(zeros.subarray(0, Math.min(zeros.length, offset + length - at)), at);
    }
  }

  async #attempt(offset: number, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw writeError(this.#name, `write to ${this.#name}`, error, { offset });
    }
  }
}
