// The uniform tree over all disks of a machine: `/<disk>/<volume>/path…`. Links are followed as the machine itself would,
// within their volume. A path whose first name is no disk is looked for in every file system: `/etc/hostname` just works.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import type { DirectoryEntry, FileKind, FileStat, FileSystem, NodeId } from "../filesystem/fileSystem.js";
import { fileNotFound, kindText, wrongKind } from "../filesystem/filesystemErrors.js";
import { formatName } from "../filesystem/nameText.js";
import { type MachineDisk, MachineVolumes, type Volume, WHOLE_DISK } from "./machineVolumes.js";
import { formatTreePath, parseTreePath, type TreePath } from "./treePath.js";

/** As in Linux: links followed on the way to one file. */
const MAX_LINKS = 40;

/** A node inside a file system; the top of a volume is one, too. */
export interface FileNode {
  kind: "volume" | "file";
  path: TreePath;
  volume: Volume;
  fileSystem: FileSystem;
  node: NodeId;
  stat: FileStat;
}

/** What a path leads to. */
export type TreeNode = { kind: "root"; path: TreePath } | { kind: "disk"; path: TreePath; disk: string } | FileNode;

export interface TreeEntry {
  name: Uint8Array;
  kind: "disk" | "volume" | FileKind | null;
  /** Of files; ask `stat` of the tree for more. */
  id: NodeId | null;
  volume: Volume | null;
  /** A name that no file can have; see DirectoryEntry. */
  forbidden: boolean;
}

export interface ResolveOptions extends ReadOptions {
  /** Whether a link at the very end is followed, too. Default: true. */
  followLast?: boolean;
}

export class MachineTree {
  readonly volumes: MachineVolumes;

  constructor(disks: readonly MachineDisk[]) {
    this.volumes = new MachineVolumes(disks);
  }

  /** FILE_NOT_FOUND (hint names similar places), FILE_KIND_WRONG for a file in the middle, FILE_PATH_AMBIGUOUS. */
  async resolve(path: TreePath, options: ResolveOptions = {}): Promise<TreeNode> {
    const [first, second, ...rest] = path;
    if (first === undefined) return { kind: "root", path };
    const disk = this.#diskNamed(first);
    if (disk === undefined) return await this.#search(path, options);
    if (second === undefined) return { kind: "disk", path, disk };
    const name = formatName(second);
    const volumes = await this.volumes.volumes();
    const volume = volumes.find((each) => each.disk === disk && each.name === name);
    if (volume !== undefined) return await this.#inVolume(volume, rest, options);
    const missing = unknownPlace(volumes, disk, name) ?? fileNotFound(formatTreePath(path.slice(0, 2)));
    return await this.#search(path, options, missing);
  }

  /** Directories only; sorted for disks and volumes, in the order of the medium for files. */
  async *list(node: TreeNode, options: ReadOptions = {}): AsyncIterable<TreeEntry> {
    if (node.kind === "root") {
      for (const disk of this.volumes.diskNames) yield entryOf(disk, "disk", null);
    } else if (node.kind === "disk") {
      for (const volume of await this.volumes.volumes())
        if (volume.disk === node.disk) yield entryOf(volume.name, "volume", volume);
    } else {
      if (node.stat.kind !== "directory")
        throw wrongKind(formatTreePath(node.path), "a folder", kindText(node.stat.kind));
      for await (const { name, kind, id, forbidden = false } of node.fileSystem.readDirectory(node.node, options))
        yield { name, kind, id, volume: node.volume, forbidden };
    }
  }

  /** A child of a directory that `list` has shown. */
  async child(
    parent: FileNode,
    entry: Pick<DirectoryEntry, "name" | "id">,
    options: ReadOptions = {},
  ): Promise<FileNode> {
    const stat = await parent.fileSystem.stat(entry.id, options);
    const { volume, fileSystem } = parent;
    return { kind: "file", path: [...parent.path, entry.name], volume, fileSystem, node: entry.id, stat };
  }

  #diskNamed(name: Uint8Array): string | undefined {
    const text = formatName(name);
    return this.volumes.diskNames.find((disk) => disk === text);
  }

  /** The one file system in which the path exists; `/root/.bashrc` is no volume of a disk that happens to be named root. */
  async #search(path: TreePath, options: ResolveOptions, missing?: RepriseError): Promise<TreeNode> {
    const found: TreeNode[] = [];
    const unreadable: string[] = [];
    let dangling: RepriseError | undefined;
    for (const volume of await this.volumes.volumes()) {
      if (volume.problem !== null) unreadable.push(`/${volume.disk}/${volume.name} (${volume.problem.message})`);
      if (volume.problem !== null || volume.content.kind !== "filesystem") continue;
      try {
        found.push(await this.#inVolume(volume, path, options));
      } catch (error) {
        if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
        if (error.data.link !== undefined) dangling ??= error;
        if (error.code !== "FILE_NOT_FOUND" && error.code !== "FILE_KIND_WRONG")
          unreadable.push(`/${volume.disk}/${volume.name} (${error.message})`);
      }
    }
    const [only, second] = found;
    if (only === undefined) throw dangling ?? missing ?? notFoundAnywhere(path, this.volumes.diskNames, unreadable);
    if (second !== undefined) throw ambiguous(path, found);
    return only;
  }

  async #inVolume(volume: Volume, path: TreePath, options: ResolveOptions): Promise<TreeNode> {
    const fileSystem = await this.volumes.fileSystem(volume.disk, volume.name);
    return await new Walk(volume, fileSystem, options).to(path);
  }
}

/** One walk down a file system. */
class Walk {
  readonly #volume: Volume;
  readonly #fileSystem: FileSystem;
  readonly #options: ResolveOptions;
  readonly #prefix: TreePath;
  #linksLeft = MAX_LINKS;
  /** The link whose target is being walked, and how many names come behind the target. */
  #followed: { link: FileNode; target: Uint8Array; rest: number } | null = null;

  constructor(volume: Volume, fileSystem: FileSystem, options: ResolveOptions) {
    this.#volume = volume;
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#prefix = parseTreePath(`/${volume.disk}/${volume.name}`);
  }

  async to(path: TreePath): Promise<FileNode> {
    const top = this.#fileSystem.root;
    const stat = await this.#fileSystem.stat(top, this.#options);
    let nodes: FileNode[] = [this.#node("volume", [], top, stat)];
    const waiting = [...path];
    while (waiting.length > 0) {
      const name = waiting.shift() as Uint8Array;
      if (this.#followed !== null && waiting.length < this.#followed.rest) this.#followed = null;
      const child = await this.#child(nodes, name);
      const follow = waiting.length > 0 || (this.#options.followLast ?? true);
      if (child.stat.kind === "symlink" && follow) {
        const target = await this.#target(child);
        if (target.absolute) nodes = nodes.slice(0, 1);
        this.#followed ??= { link: child, target: target.bytes, rest: waiting.length };
        waiting.unshift(...target.names);
      } else nodes.push(child);
    }
    return nodes.at(-1) as FileNode;
  }

  /** `..` in a link's target goes up the way that was walked. */
  async #child(nodes: FileNode[], name: Uint8Array): Promise<FileNode> {
    const parent = nodes.at(-1) as FileNode;
    if (parent.stat.kind !== "directory")
      throw wrongKind(formatTreePath(parent.path), "a folder", kindText(parent.stat.kind));
    if (isDotDot(name)) {
      if (nodes.length > 1) nodes.pop();
      return nodes.pop() as FileNode;
    }
    const entry = await this.#fileSystem.lookup(parent.node, name, this.#options);
    if (entry === null) throw this.#missing(formatTreePath([...parent.path, name]));
    const inside = [...parent.path.slice(this.#prefix.length), entry.name];
    return this.#node("file", inside, entry.id, await this.#fileSystem.stat(entry.id, this.#options));
  }

  #missing(path: string): RepriseError {
    if (this.#followed === null) return fileNotFound(path);
    const { link, target } = this.#followed;
    const [from, to] = [formatTreePath(link.path), formatName(target)];
    return new RepriseError("not-found", "FILE_NOT_FOUND", `${from} is a link to ${to}, and there is no ${path}`, {
      data: { what: path, link: from, target: to },
      hint: "links lead to files of the same volume: when the target is on another one, name it there",
    });
  }

  async #target(link: FileNode): Promise<{ absolute: boolean; bytes: Uint8Array; names: Uint8Array[] }> {
    const where = formatTreePath(link.path);
    if (this.#linksLeft-- === 0)
      throw new RepriseError("not-found", "FILE_NOT_FOUND", `${where}: more than ${MAX_LINKS} links on the way`);
    const bytes = await this.#fileSystem.readLink(link.node, this.#options);
    const names = splitTarget(bytes);
    if (bytes.length === 0) throw fileNotFound(`${where} (an empty link)`);
    return { absolute: bytes[0] === SLASH, bytes, names };
  }

  #node(kind: "volume" | "file", inside: TreePath, node: NodeId, stat: FileStat): FileNode {
    const path = [...this.#prefix, ...inside];
    return { kind, path, volume: this.#volume, fileSystem: this.#fileSystem, node, stat };
  }
}

const SLASH = 0x2f;
const DOT = 0x2e;

function isDotDot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === DOT && name[1] === DOT;
}

/** Without empty names and `.`; `..` stays. */
function splitTarget(target: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at <= target.length; at++) {
    if (at < target.length && target[at] !== SLASH) continue;
    const name = target.subarray(start, at);
    if (name.length > 0 && !(name.length === 1 && name[0] === DOT)) names.push(name);
    start = at + 1;
  }
  return names;
}

/**
 * Of a place of which nobody can say whether it is there: below a disk whose table cannot be read, or a logical volume, which may lie on a
 * physical volume that cannot, of any disk.
 */
function unknownPlace(volumes: readonly Volume[], disk: string, name: string): RepriseError | undefined {
  const mayBeLogical = name.includes("-");
  const hides = (each: Volume) =>
    (each.disk === disk && each.name === WHOLE_DISK) || (mayBeLogical && holdsLogicalVolumes(each));
  const volume = volumes.find((each) => each.problem !== null && hides(each));
  if (volume === undefined || volume.problem === null) return undefined;
  const { family, code, message, data, hint } = volume.problem;
  const place = volume.name === WHOLE_DISK ? `/${volume.disk}` : `/${volume.disk}/${volume.name}`;
  return new RepriseError(family, code, `${place}: what is on it cannot be told: ${message}`, {
    ...{ data: { ...data, disk: volume.disk }, cause: volume.problem },
    hint: hint ?? "an earlier snapshot may be whole; verify --read-data names what is damaged",
  });
}

/** Or may: of a partition whose beginning cannot be read nobody knows. */
function holdsLogicalVolumes({ content, partition, name }: Volume): boolean {
  if (content.kind === "physical-volume") return true;
  return content.kind === "unknown" && (partition !== null || name === WHOLE_DISK);
}

function entryOf(name: string, kind: "disk" | "volume", volume: Volume | null): TreeEntry {
  return { name: new TextEncoder().encode(name), kind, id: null, volume, forbidden: false };
}

function notFoundAnywhere(path: TreePath, disks: readonly string[], unreadable: readonly string[]): RepriseError {
  const also = unreadable.length === 0 ? "" : `; could not look into ${unreadable.join(", ")}`;
  return new RepriseError("not-found", "FILE_NOT_FOUND", `${formatTreePath(path)}: no file system has it${also}`, {
    data: { disks, unreadable },
    hint: `list the snapshot with ls SNAPSHOT:/ and its disks (${disks.join(", ")}) below`,
  });
}

function ambiguous(path: TreePath, found: readonly TreeNode[]): RepriseError {
  const places = found.map((node) => formatTreePath(node.path));
  return new RepriseError(
    "usage",
    "FILE_PATH_AMBIGUOUS",
    `${formatTreePath(path)} is in ${found.length} file systems: ${places.join(", ")}`,
    { data: { places }, hint: "give the path with its disk and volume" },
  );
}
