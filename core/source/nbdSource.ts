// A disk image behind an NBD server: a qemu-nbd child, or an export of a running hypervisor. Several connections where
// the server allows them; the allocation map is the server's block status.

import { isAbort, isOurError } from "../errors.js";
import { NbdClient } from "../nbd/client.js";
import type { NbdAddress } from "../nbd/connection.js";
import { allocationFlag } from "../nbd/wire.js";
import type { BlockSource, Extent, ReadOptions } from "./blockSource.js";
import { checkRange, readFailed, sourceFailed, sourceShrank } from "./sourceErrors.js";

export interface NbdSourceOptions {
  exportName: string;
  /** For messages; default: the server's address. */
  location?: string;
  /** The size the disk had before: SOURCE_SHRANK or SOURCE_CHANGED when the export has another one. */
  expectedSizeBytes?: number;
  /** Default 2. */
  connections?: number;
  signal?: AbortSignal;
}

const allocation = "base:allocation";

/** NBD_FAILED or NBD_PROTOCOL when the server does not answer as it should. */
export async function openNbdSource(address: NbdAddress, options: NbdSourceOptions): Promise<BlockSource> {
  const { exportName, signal } = options;
  const location = options.location ?? describeAddress(address);
  const first = await NbdClient.connect(address, { exportName, signal });
  const clients = [first];
  try {
    checkSize(location, first.sizeBytes, options.expectedSizeBytes);
    const wanted = first.canMultiConn ? (options.connections ?? 2) : 1;
    while (clients.length < wanted) clients.push(await NbdClient.connect(address, { exportName, signal }));
    return new NbdSource(location, clients);
  } catch (error) {
    await Promise.all(clients.map((client) => client.close()));
    throw error;
  }
}

function describeAddress(address: NbdAddress): string {
  return "socketPath" in address ? `nbd+unix:${address.socketPath}` : `nbd://${address.host}:${address.port}`;
}

function checkSize(location: string, sizeBytes: number, expectedBytes: number | undefined): void {
  if (expectedBytes === undefined || sizeBytes === expectedBytes) return;
  if (sizeBytes < expectedBytes) throw sourceShrank(location, sizeBytes, expectedBytes);
  throw sourceFailed("SOURCE_CHANGED", `${location} is larger than it was`, { data: { sizeBytes, expectedBytes } });
}

class NbdSource implements BlockSource {
  readonly location: string;
  readonly sizeBytes: number;
  readonly #clients: readonly NbdClient[];

  constructor(location: string, clients: readonly NbdClient[]) {
    this.location = location;
    this.#clients = clients;
    this.sizeBytes = clients[0]!.sizeBytes;
  }

  async extents(offset: number, length: number, options: ReadOptions = {}): Promise<Extent[]> {
    checkRange(this.location, this.sizeBytes, offset, length);
    options.signal?.throwIfAborted();
    const client = this.#idlest();
    if (length === 0) return [];
    if (!client.contexts.includes(allocation)) return [{ offset, length, zero: false }];
    try {
      return joinEqual(await client.map(allocation, offset, length, options));
    } catch (error) {
      throw this.#translate(error, offset);
    }
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    checkRange(this.location, this.sizeBytes, offset, buffer.length);
    try {
      await this.#idlest().read(buffer, offset, options);
    } catch (error) {
      throw this.#translate(error, offset);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  /** A connection that has failed is passed over as long as another works. */
  #idlest(): NbdClient {
    const usable = this.#clients.filter((client) => client.usable);
    return usable.reduce((best, client) => (client.load < best.load ? client : best), usable[0] ?? this.#clients[0]!);
  }

  #translate(error: unknown, offset: number): unknown {
    if (isAbort(error) || !isOurError(error)) return error;
    const at = typeof error.data.offset === "number" ? error.data.offset : offset;
    return readFailed(this.location, at, error);
  }
}

/** The flags may differ in ways that do not matter here. */
function joinEqual(runs: { offset: number; length: number; flags: number }[]): Extent[] {
  const extents: Extent[] = [];
  for (const { offset, length, flags } of runs) {
    const zero = (flags & allocationFlag.zero) !== 0;
    const last = extents.at(-1);
    if (last !== undefined && last.zero === zero) last.length += length;
    else extents.push({ offset, length, zero });
  }
  return extents;
}
