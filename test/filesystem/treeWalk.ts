// A file system, or a folder of this machine, as a flat list that can be compared: what is there, what is in it, what it
// is like. Both sides spell everything alike.

import { createHash } from "node:crypto";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { FileKind, FileSystem, NodeId } from "../../core/filesystem/fileSystem.js";

export interface TreeEntry {
  /** From `/`; the root is `/` itself. */
  path: string;
  kind: FileKind;
  /** Of files and links. */
  sizeBytes?: number;
  sha256?: string;
  target?: string;
  /** Of everything but directories: file systems count those differently. */
  linkCount?: number;
  mode: number | null;
  uid: number | null;
  gid: number | null;
  modifiedAtNs: string;
  device?: string;
  /** In hexadecimal, by name. Only from walkFileSystem, and only when there are any. */
  attributes?: Record<string, string>;
}

export interface WalkOptions {
  /** Stops quietly after so many entries. */
  maxEntries?: number;
  /** Reads no more than this of any one file; its digest is then of that part. */
  maxFileBytes?: number;
  /** Hears of everything that cannot be read, and the walk goes on; absent: it throws. */
  onError?: (path: string, error: unknown) => void;
  signal?: AbortSignal;
}

const READ_BYTES = 1024 * 1024;

/** In order of path. */
export async function walkFileSystem(fileSystem: FileSystem, options: WalkOptions = {}): Promise<TreeEntry[]> {
  const walk = new FileSystemWalk(fileSystem, options);
  await walk.visit("/", fileSystem.root, new Set());
  return sorted(walk.entries);
}

class FileSystemWalk {
  readonly entries: TreeEntry[] = [];
  readonly #fileSystem: FileSystem;
  readonly #options: WalkOptions;

  constructor(fileSystem: FileSystem, options: WalkOptions) {
    this.#fileSystem = fileSystem;
    this.#options = options;
  }

  async visit(path: string, node: NodeId, above: ReadonlySet<NodeId>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (this.entries.length >= (this.#options.maxEntries ?? Number.POSITIVE_INFINITY)) return;
    const entry = await this.#attempt(path, () => this.#describe(path, node));
    if (entry === undefined) return;
    this.entries.push(entry);
    // a directory inside itself is damage that a reader of single directories cannot see
    if (entry.kind !== "directory" || above.has(node)) return;
    const inside = new Set(above).add(node);
    await this.#attempt(path, async () => {
      for await (const { name, id } of this.#fileSystem.readDirectory(node, this.#options)) {
        if (this.entries.length >= (this.#options.maxEntries ?? Number.POSITIVE_INFINITY)) break;
        await this.visit(`${path === "/" ? "" : path}/${Buffer.from(name).toString()}`, id, inside);
      }
    });
  }

  async #attempt<T>(path: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (this.#options.onError === undefined) throw error;
      this.#options.onError(path, error);
      return undefined;
    }
  }

  async #describe(path: string, node: NodeId): Promise<TreeEntry> {
    const stat = await this.#fileSystem.stat(node, this.#options);
    const { kind, mode, uid, gid } = stat;
    const entry: TreeEntry = { path, kind, mode, uid, gid, modifiedAtNs: String(stat.modifiedAtNs) };
    if (kind !== "directory") entry.linkCount = stat.linkCount;
    if (kind === "file" || kind === "symlink") entry.sizeBytes = stat.sizeBytes;
    if (stat.device !== null) entry.device = `${stat.device.major}:${stat.device.minor}`;
    if (kind === "symlink") {
      entry.target = Buffer.from(await this.#fileSystem.readLink(node, this.#options)).toString();
    }
    if (kind === "file") entry.sha256 = await this.#digest(node, stat.sizeBytes);
    const attributes = await this.#fileSystem.attributes(node, this.#options);
    if (attributes.length > 0) {
      const pairs = attributes.map(({ name, value }) => [name, Buffer.from(value).toString("hex")] as const);
      entry.attributes = Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return entry;
  }

  /** Data is read where dataRanges has some; what lies between must be zeros, and is hashed as such. */
  async #digest(node: NodeId, sizeBytes: number): Promise<string> {
    const end = Math.min(sizeBytes, this.#options.maxFileBytes ?? sizeBytes);
    const hash = createHash("sha256");
    const buffer = new Uint8Array(Math.min(end, READ_BYTES));
    let position = 0;
    for await (const { offset, length } of this.#fileSystem.dataRanges(node, this.#options)) {
      if (offset >= end) break;
      hashZeros(hash, offset - position);
      position = offset;
      while (position < Math.min(offset + length, end)) {
        const part = buffer.subarray(0, Math.min(buffer.length, offset + length - position, end - position));
        const count = await this.#fileSystem.read(node, part, position, this.#options);
        if (count !== part.length) throw new Error(`read ${count} of ${part.length} bytes inside the file`);
        hash.update(part);
        position += count;
      }
    }
    hashZeros(hash, end - position);
    return hash.digest("hex");
  }
}

/** What this machine sees in a folder, such as a mounted file system. Attributes are left out. */
export async function walkFolder(folder: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await visitFolder(folder, "/", entries);
  return sorted(entries);
}

async function visitFolder(folder: string, path: string, entries: TreeEntry[]): Promise<void> {
  const hostPath = join(folder, path);
  const stat = await lstat(hostPath, { bigint: true });
  const kind = kindOf(stat);
  const entry: TreeEntry = {
    path,
    kind,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    modifiedAtNs: String(stat.mtimeNs),
  };
  if (kind !== "directory") entry.linkCount = Number(stat.nlink);
  if (kind === "file" || kind === "symlink") entry.sizeBytes = Number(stat.size);
  if (stat.isCharacterDevice() || stat.isBlockDevice()) entry.device = deviceText(stat.rdev);
  if (kind === "symlink") entry.target = await readlink(hostPath);
  if (kind === "file") entry.sha256 = await digestOfFile(hostPath);
  entries.push(entry);
  if (kind !== "directory") return;
  for (const name of await readdir(hostPath)) await visitFolder(folder, join(path, name), entries);
}

type Kinds = Record<
  "isDirectory" | "isFile" | "isSymbolicLink" | "isFIFO" | "isSocket" | "isCharacterDevice" | "isBlockDevice",
  () => boolean
>;

function kindOf(stat: Kinds): FileKind {
  if (stat.isDirectory()) return "directory";
  if (stat.isFile()) return "file";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  if (stat.isSocket()) return "socket";
  return stat.isCharacterDevice() ? "character-device" : "block-device";
}

/** As glibc packs the two numbers. */
function deviceText(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(path);
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

const zeros = new Uint8Array(READ_BYTES);

function hashZeros(hash: ReturnType<typeof createHash>, length: number): void {
  for (let left = length; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, Math.min(left, zeros.length)));
}

function sorted(entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
