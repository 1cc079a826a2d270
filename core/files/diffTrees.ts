// What differs between two states of a machine, file by file. Volumes whose bytes the image maps show to be the same are not
// looked into, and of files only those ranges are read of which the maps do not tell.

import type { RepriseError } from "../errors.js";
import { attributeNameBytes } from "../filesystem/attributeName.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import type { FileStat, NamedBytes } from "../filesystem/fileSystem.js";
import { equalBytes } from "../format/bytes.js";
import { mapConcurrent } from "../platform/concurrency.js";
import { haveSameContents } from "./compareContents.js";
import { compareBytes, identityOf, problemOf } from "./listFiles.js";
import type { FileNode, MachineTree, TreeEntry, TreeNode } from "./machineTree.js";
import { haveSameBytes } from "./sameBytes.js";
import type { TreePath } from "./treePath.js";

export interface FileDifference {
  path: TreePath;
  /** "changed": contents, link target, device or kind. "unreadable": cannot be compared, `problem` says why. */
  change: "added" | "removed" | "changed" | "metadata" | "unreadable";
  before: FileNode | null;
  after: FileNode | null;
  /** What else differs. */
  metadata: readonly MetadataField[];
  problem: RepriseError | null;
}

export type MetadataField = "mode" | "owner" | "modified" | "attributes";

const MAX_DEPTH = 1024;
const LOOK_AHEAD = 64;

interface Sides {
  path: TreePath;
  before: TreeNode | null;
  after: TreeNode | null;
}

/** In order of paths. Folders that are new or gone are answered with everything below them. */
export async function* diffTrees(
  before: MachineTree,
  after: MachineTree,
  start: { before: TreeNode | null; after: TreeNode | null; path: TreePath },
  options: ReadOptions = {},
): AsyncIterable<FileDifference> {
  yield* new Comparison(before, after, options).compare(start, 0);
}

class Comparison {
  readonly #before: MachineTree;
  readonly #after: MachineTree;
  readonly #options: ReadOptions;
  /** Folders are entered once: see listFiles. */
  readonly #entered = new Set<string>();

  constructor(before: MachineTree, after: MachineTree, options: ReadOptions) {
    this.#before = before;
    this.#after = after;
    this.#options = options;
  }

  async *compare(sides: Sides, depth: number): AsyncGenerator<FileDifference> {
    this.#options.signal?.throwIfAborted();
    const { before, after, path } = sides;
    if (await this.#isProvenEqual(before, after)) return;
    try {
      const difference = await this.#own(sides);
      if (difference !== null) yield difference;
    } catch (error) {
      yield unreadable(path, before, after, problemOf(error));
      return;
    }
    if (!isFolder(before) && !isFolder(after)) return;
    const folders = { path, before: isFolder(before) ? before : null, after: isFolder(after) ? after : null };
    const identity = [folders.before, folders.after].map((node) => (node === null ? "" : identityOf(node))).join("\n");
    if (depth > MAX_DEPTH || this.#entered.has(identity)) return;
    this.#entered.add(identity);
    yield* this.#children(folders, depth);
  }

  async #isProvenEqual(before: TreeNode | null, after: TreeNode | null): Promise<boolean> {
    if (before?.kind !== "volume" || after?.kind !== "volume") return false;
    return await haveSameBytes(before.volume, after.volume);
  }

  /** What differs in the two themselves, not below them; null for disks. */
  async #own({ path, before, after }: Sides): Promise<FileDifference | null> {
    const [first, second] = [fileOf(before), fileOf(after)];
    const nothing = { path, before: first, after: second, metadata: [] as MetadataField[], problem: null };
    if (first === null && second === null) return null;
    if (second === null) return { ...nothing, change: "removed" };
    if (first === null) return { ...nothing, change: "added" };
    const metadata = await this.#metadata(first, second);
    if (!(await this.#isSame(first, second))) return { ...nothing, metadata, change: "changed" };
    return metadata.length === 0 ? null : { ...nothing, metadata, change: "metadata" };
  }

  async #isSame(a: FileNode, b: FileNode): Promise<boolean> {
    const { kind } = a.stat;
    if (kind !== b.stat.kind || a.stat.special !== b.stat.special) return false;
    if (kind === "file") return await haveSameContents(a, b, this.#options);
    if (kind === "symlink") {
      const read = ({ fileSystem, node }: FileNode) => fileSystem.readLink(node, this.#options);
      return equalBytes(await read(a), await read(b));
    }
    // what cannot be read has no other sign of change
    if (kind === "special") return a.stat.sizeBytes === b.stat.sizeBytes && a.stat.modifiedAtNs === b.stat.modifiedAtNs;
    return a.stat.device?.major === b.stat.device?.major && a.stat.device?.minor === b.stat.device?.minor;
  }

  async #metadata(a: FileNode, b: FileNode): Promise<MetadataField[]> {
    const fields: MetadataField[] = [];
    const [first, second] = [a.stat, b.stat];
    if (first.mode !== second.mode) fields.push("mode");
    if (first.uid !== second.uid || first.gid !== second.gid) fields.push("owner");
    // that of a folder says only that something in it changed, and that is said of the file itself
    if (first.kind !== "directory" && first.modifiedAtNs !== second.modifiedAtNs) fields.push("modified");
    if (!isUntouched(first, second) && !(await this.#haveSameAttributes(a, b))) fields.push("attributes");
    return fields;
  }

  async #haveSameAttributes(a: FileNode, b: FileNode): Promise<boolean> {
    const read = async ({ fileSystem, node }: FileNode) =>
      (await fileSystem.attributes(node, this.#options)).sort((x, y) => (x.name < y.name ? -1 : 1));
    const [first, second] = [await read(a), await read(b)];
    return first.length === second.length && first.every((one, i) => isSameAttribute(one, second[i]));
  }

  async *#children({ path, before, after }: Sides, depth: number): AsyncGenerator<FileDifference> {
    let pairs: EntryPair[];
    try {
      const [old, fresh] = await Promise.all([this.#list(this.#before, before), this.#list(this.#after, after)]);
      pairs = pairsOf(old, fresh);
    } catch (error) {
      yield unreadable(path, before, after, problemOf(error));
      return;
    }
    for (let start = 0; start < pairs.length; start += LOOK_AHEAD) {
      const part = pairs.slice(start, start + LOOK_AHEAD);
      const opened = await mapConcurrent(part, (pair) => this.#open(path, before, after, pair), LOOK_AHEAD);
      for (const sides of opened) {
        if ("change" in sides) yield sides;
        else yield* this.compare(sides, depth + 1);
      }
    }
  }

  async #list(tree: MachineTree, node: TreeNode | null): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = [];
    if (node === null) return entries;
    for await (const entry of tree.list(node, this.#options)) if (!entry.forbidden) entries.push(entry);
    return entries.sort((a, b) => compareBytes(a.name, b.name));
  }

  async #open(
    folder: TreePath,
    before: TreeNode | null,
    after: TreeNode | null,
    pair: EntryPair,
  ): Promise<Sides | FileDifference> {
    const path = [...folder, pair.name];
    try {
      const [old, fresh] = await Promise.all([
        this.#child(this.#before, before, pair.before),
        this.#child(this.#after, after, pair.after),
      ]);
      return { path, before: old, after: fresh };
    } catch (error) {
      return unreadable(path, null, null, problemOf(error));
    }
  }

  /** Null for what is not there, and for volumes without a file system. */
  async #child(tree: MachineTree, parent: TreeNode | null, entry: TreeEntry | null): Promise<TreeNode | null> {
    if (parent === null || entry === null) return null;
    if ("stat" in parent && entry.id !== null)
      return await tree.child(parent, { name: entry.name, id: entry.id }, this.#options);
    if (entry.volume !== null && entry.volume.content.kind !== "filesystem") return null;
    return await tree.resolve([...parent.path, entry.name], this.#options);
  }
}

interface EntryPair {
  name: Uint8Array;
  before: TreeEntry | null;
  after: TreeEntry | null;
}

/** Both are sorted by name. */
function pairsOf(before: readonly TreeEntry[], after: readonly TreeEntry[]): EntryPair[] {
  const pairs: EntryPair[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    const [old, fresh] = [before[i] ?? null, after[j] ?? null];
    const order = old === null ? 1 : fresh === null ? -1 : compareBytes(old.name, fresh.name);
    const first = order <= 0 ? old : null;
    const second = order >= 0 ? fresh : null;
    pairs.push({ name: (first ?? second)?.name ?? new Uint8Array(0), before: first, after: second });
    if (first !== null) i++;
    if (second !== null) j++;
  }
  return pairs;
}

function isFolder(node: TreeNode | null): boolean {
  return node !== null && (!("stat" in node) || node.stat.kind === "directory");
}

function fileOf(node: TreeNode | null): FileNode | null {
  return node !== null && "stat" in node ? node : null;
}

/** The system sets this time at every change of the inode, attributes included. */
function isUntouched(a: FileStat, b: FileStat): boolean {
  return a.changedAtNs !== null && a.changedAtNs === b.changedAtNs;
}

function isSameAttribute(a: NamedBytes, b: NamedBytes | undefined): boolean {
  return b !== undefined && equalBytes(attributeNameBytes(a), attributeNameBytes(b)) && equalBytes(a.value, b.value);
}

function unreadable(
  path: TreePath,
  before: TreeNode | null,
  after: TreeNode | null,
  problem: RepriseError,
): FileDifference {
  return { path, change: "unreadable", before: fileOf(before), after: fileOf(after), metadata: [], problem };
}
