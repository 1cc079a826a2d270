// Everything that can be asked of a file system that may be damaged, within a budget: what cannot be read is told, and the
// walk goes on. Keeps nothing of what it reads.

import type { DirectoryEntry, FileSystem, NodeId } from "../../core/filesystem/fileSystem.js";

/** Hears of every error; of the reader's own kind or not. */
export type NoteError = (path: string, error: unknown) => void;

export interface FuzzWalkBudget {
  maxEntries: number;
  /** Of any one file. */
  maxFileBytes: number;
  /** Entries of the root that are looked up by name. */
  maxLookups: number;
}

const PART_BYTES = 64 * 1024;

export async function walkDamaged(
  fileSystem: FileSystem,
  deviceBytes: number,
  budget: FuzzWalkBudget,
  note: NoteError,
): Promise<void> {
  const walk = new DamagedWalk(fileSystem, deviceBytes, budget, note);
  await walk.visit("/", fileSystem.root, new Set());
  await walk.lookUpNames();
}

class DamagedWalk {
  readonly #fileSystem: FileSystem;
  readonly #deviceBytes: number;
  readonly #budget: FuzzWalkBudget;
  readonly #note: NoteError;
  readonly #buffer = new Uint8Array(PART_BYTES);
  #entries = 0;

  constructor(fileSystem: FileSystem, deviceBytes: number, budget: FuzzWalkBudget, note: NoteError) {
    this.#fileSystem = fileSystem;
    this.#deviceBytes = deviceBytes;
    this.#budget = budget;
    this.#note = note;
  }

  async visit(path: string, node: NodeId, above: ReadonlySet<NodeId>): Promise<void> {
    if (this.#entries++ >= this.#budget.maxEntries) return;
    const stat = await this.#attempt(path, () => this.#fileSystem.stat(node));
    if (stat === undefined) return;
    await this.#attempt(path, () => this.#fileSystem.attributes(node));
    if (stat.kind === "symlink") await this.#attempt(path, () => this.#fileSystem.readLink(node));
    if (stat.kind === "file") {
      await this.#attempt(path, () => this.#readFile(node, stat.sizeBytes));
      await this.#attempt(path, () => this.#checkExtents(node));
    }
    // a directory inside itself is damage that a reader of single directories cannot see
    if (stat.kind !== "directory" || above.has(node)) return;
    const inside = new Set(above).add(node);
    await this.#attempt(path, async () => {
      for await (const { name, id } of this.#fileSystem.readDirectory(node)) {
        if (this.#entries >= this.#budget.maxEntries) break;
        await this.visit(`${path}/${Buffer.from(name).toString()}`, id, inside);
      }
    });
  }

  /** Names of the root, and in what they name one that is not there. */
  async lookUpNames(): Promise<void> {
    const { root } = this.#fileSystem;
    const entries: DirectoryEntry[] = [];
    await this.#attempt("/", async () => {
      for await (const entry of this.#fileSystem.readDirectory(root)) {
        if (entries.push(entry) >= this.#budget.maxLookups) break;
      }
    });
    for (const { name } of entries) {
      await this.#attempt("/", async () => {
        const found = await this.#fileSystem.lookup(root, name);
        if (found?.kind === "directory") await this.#fileSystem.lookup(found.id, Buffer.from("not there"));
      });
    }
  }

  async #readFile(node: NodeId, sizeBytes: number): Promise<void> {
    const end = Math.min(sizeBytes, this.#budget.maxFileBytes);
    let position = 0;
    for await (const { offset, length } of this.#fileSystem.dataRanges(node)) {
      if (offset < position || length <= 0) throw new Error(`range of ${length} bytes at ${offset} after ${position}`);
      if (offset + length > sizeBytes)
        throw new Error(`range of ${length} bytes at ${offset} of a file of ${sizeBytes}`);
      if (offset >= end) break;
      position = offset;
      while (position < Math.min(offset + length, end)) {
        const part = this.#buffer.subarray(0, Math.min(PART_BYTES, offset + length - position, end - position));
        const count = await this.#fileSystem.read(node, part, position);
        if (count !== part.length) throw new Error(`read ${count} of ${part.length} bytes inside the file`);
        position += count;
      }
    }
  }

  async #checkExtents(node: NodeId): Promise<void> {
    if (this.#fileSystem.extents === undefined) return;
    let end = 0;
    for await (const { offset, length, deviceOffset } of this.#fileSystem.extents(node)) {
      if (offset < end || length <= 0) throw new Error(`extent of ${length} bytes at ${offset} after ${end}`);
      if (deviceOffset < 0 || deviceOffset + length > this.#deviceBytes) {
        throw new Error(`extent of ${length} bytes at ${deviceOffset}, outside the device`);
      }
      end = offset + length;
    }
  }

  async #attempt<T>(path: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#note(path, error);
      return undefined;
    }
  }
}
