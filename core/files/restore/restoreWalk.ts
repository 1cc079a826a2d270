// The walk of a restore down the tree of a snapshot: what comes in which order, and what is not restored.

import { isAbort, isOurError, RepriseError } from "../../errors.js";
import type { FileStat } from "../../filesystem/fileSystem.js";
import { mapConcurrent } from "../../platform/concurrency.js";
import { identityOf, problemOf } from "../listFiles.js";
import type { FileNode, TreeEntry, TreeNode } from "../machineTree.js";
import { ExtendedAttributes } from "./extendedAttributes.js";
import { setModeAndTimes, setOwner } from "./fileStats.js";
import type { LeftOut } from "./leftOut.js";
import { NodeWriter } from "./nodeWriter.js";
import { OpenFolders } from "./openFolders.js";
import type { RestoreFilesOptions, RestoreFilesReport, RestoreFilesRequest } from "./restoreRequest.js";
import { fetchSmallFiles, groupsOfFiles } from "./smallFiles.js";
import { targetError } from "./targetError.js";
import type { TargetFolder } from "./targetFolder.js";

/** Small files wait for the system more than they work. */
const FILES_AT_ONCE = 8;
const MAX_DEPTH = 1024;
const UNSUPPORTED_TARGET = "the target's file system does not take this name";

type Names = readonly Uint8Array[];

export class RestoreWalk {
  readonly #request: RestoreFilesRequest;
  readonly #options: RestoreFilesOptions;
  readonly #top: TargetFolder | null;
  readonly #leftOut: LeftOut;
  readonly #attributes: ExtendedAttributes;
  readonly #writer: NodeWriter;
  readonly #entered = new Set<string>();
  /** Folders get modes and times last: a read-only one could not be filled, and filling changes its time. */
  readonly #folders: { names: Names; source: FileNode }[] = [];
  readonly #report: RestoreFilesReport;

  /** `folder`: null for a dry run. */
  constructor(
    request: RestoreFilesRequest,
    top: string,
    folder: TargetFolder | null,
    leftOut: LeftOut,
    options: RestoreFilesOptions,
  ) {
    const counts = { files: 0, folders: 0, links: 0, hardLinks: 0, special: 0, sizeBytes: 0, bytesWritten: 0 };
    this.#report = { ...counts, kept: 0, skipped: 0, leftOut: [] };
    this.#request = request;
    this.#options = options;
    this.#top = folder;
    this.#leftOut = leftOut;
    this.#attributes = new ExtendedAttributes(top, isRoot(), leftOut);
    const { existing, owners, devices } = request;
    this.#writer = new NodeWriter(folder, this.#attributes, this.#report, {
      ...{ replace: existing === "replace", owners: owners && isRoot(), devices: devices && isRoot() },
      ...{ leftOut, signal: options.signal, onBytes: (subject, done) => this.#tell(subject, done) },
    });
  }

  async run(): Promise<RestoreFilesReport> {
    const { source, name } = this.#request;
    if ("stat" in source && source.stat.kind !== "directory")
      await this.#leaves([{ node: source, names: [name ?? (source.path.at(-1) as Uint8Array)] }], this.#top);
    else if (name === null) await this.#fill(source, [], this.#top);
    else await this.#folder(source, [name], this.#top);
    await this.#attributes.flush(this.#options.signal);
    if (this.#top !== null) await this.#finishFolders(new OpenFolders(this.#top));
    return { ...this.#report, skipped: this.#leftOut.skipped, leftOut: this.#leftOut.attributes };
  }

  /** Makes a folder below `parent` and everything in it. `names`: from the target's top. */
  async #folder(source: TreeNode, names: Names, parent: TargetFolder | null): Promise<void> {
    const identity = identityOf(source);
    if (this.#entered.has(identity)) return this.#leftOut.skip(source.path, "this folder is in another place, too");
    if (names.length > MAX_DEPTH) return this.#leftOut.skip(source.path, `more than ${MAX_DEPTH} folders deep`);
    this.#entered.add(identity);
    this.#report.folders++;
    if (parent === null) return await this.#fill(source, names, null);
    const made = await this.#attempt(source, () => this.#makeFolder(source, names.at(-1) as Uint8Array, parent));
    if (!made) return;
    try {
      if (made.isNew || this.#request.existing === "replace")
        if ("stat" in source) await this.#prepareFolder(source, names, made.folder);
      await this.#fill(source, names, made.folder);
    } finally {
      await made.folder.close();
    }
  }

  async #makeFolder(
    source: TreeNode,
    name: Uint8Array,
    parent: TargetFolder,
  ): Promise<{ folder: TargetFolder; isNew: boolean } | undefined> {
    const there = await parent.look(name);
    if (there === null) await parent.makeFolder(name);
    else if (!there.isDirectory()) {
      this.#leftOut.skip(source.path, "something that is no folder has its name on the target");
      return undefined;
    } else if (this.#request.existing === "refuse") {
      this.#leftOut.skip(source.path, "its name is taken on the target");
      return undefined;
    }
    return { folder: await parent.enter(name), isNew: there === null };
  }

  async #prepareFolder(source: FileNode, names: Names, folder: TargetFolder): Promise<void> {
    const statOptions = this.#writer.statOptions;
    await setOwner(folder.handle, source.path, source.stat, statOptions);
    const attributes = await this.#writer.attributesOf(source);
    const finish = async () => {};
    if (attributes.length > 0)
      await this.#attributes.add({ path: source.path, names, attributes, finish }, this.#options.signal);
    this.#folders.push({ names, source });
  }

  async #finishFolders(open: OpenFolders): Promise<void> {
    try {
      for (const { names, source } of this.#folders.reverse()) {
        this.#options.signal?.throwIfAborted();
        await this.#attempt(source, async () => {
          const { handle } = await open.at(names);
          await setModeAndTimes(handle, source.path, source.stat, this.#writer.statOptions);
        });
      }
    } finally {
      await open.close();
    }
  }

  /** Files first, then folders, and links when nothing is written here any more. */
  async #fill(source: TreeNode, names: Names, target: TargetFolder | null): Promise<void> {
    const children = await this.#children(source);
    const isFolder = (node: TreeNode) => !("stat" in node) || node.stat.kind === "directory";
    const isLink = (node: TreeNode) => "stat" in node && node.stat.kind === "symlink";
    const placed: Placed[] = children.map((node) => ({ node, names: [...names, node.path.at(-1) as Uint8Array] }));
    const leaves = placed.filter((child): child is Leaf => !isFolder(child.node) && !isLink(child.node));
    await this.#leaves(leaves, target);
    for (const child of placed) if (isFolder(child.node)) await this.#folder(child.node, child.names, target);
    await this.#leaves(
      placed.filter((child): child is Leaf => isLink(child.node)),
      target,
    );
  }

  async #leaves(leaves: readonly Leaf[], target: TargetFolder | null): Promise<void> {
    // what is kept or only counted is not read
    const isRead = target !== null && this.#request.existing !== "keep";
    const groups = isRead ? groupsOfFiles(leaves) : [leaves];
    const fetch = async (group: readonly Leaf[] = []) => {
      if (isRead) await fetchSmallFiles(group, this.#options);
    };
    let fetching = fetch(groups[0]);
    for (const [i, group] of groups.entries()) {
      await fetching;
      fetching = fetch(groups[i + 1]);
      await mapConcurrent(group, (leaf) => this.#leaf(leaf, target), FILES_AT_ONCE);
    }
  }

  async #leaf({ node, names }: Leaf, target: TargetFolder | null): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (target === null) return this.#count(node.stat, node);
    await this.#attempt(node, async () => {
      if (this.#request.existing === "keep" && (await target.look(names.at(-1) as Uint8Array)) !== null)
        this.#report.kept++;
      else await this.#writer.write(node, names, target);
    });
  }

  #count({ kind, sizeBytes, special }: FileStat, node: FileNode): void {
    if (kind === "file") {
      this.#report.files++;
      this.#report.sizeBytes += sizeBytes;
    } else if (kind === "symlink") this.#report.links++;
    else if (this.#writer.canMake(kind)) this.#report.special++;
    else this.#leftOut.skip(node.path, this.#writer.refusal(kind, special));
  }

  /** What is in a folder and can be looked at, by name; the rest is reported. */
  async #children(source: TreeNode): Promise<TreeNode[]> {
    const { tree } = this.#request;
    const entries: TreeEntry[] = [];
    const listed = await this.#attempt(source, async () => {
      for await (const entry of tree.list(source, this.#options)) entries.push(entry);
      return true;
    });
    if (!listed && entries.length === 0) return [];
    const taken = new Set<string>();
    const usable = entries.filter((entry) => {
      const name = Buffer.from(entry.name).toString("latin1");
      const problem = entry.forbidden
        ? "a name that no file can have"
        : taken.has(name)
          ? "another file of this folder has the same name"
          : null;
      taken.add(name);
      if (problem !== null) this.#leftOut.skip([...source.path, entry.name], problem);
      return problem === null;
    });
    const children = await mapConcurrent(usable, (entry) => this.#open(source, entry), 64);
    return children.filter((child) => child !== null);
  }

  async #open(source: TreeNode, entry: TreeEntry): Promise<TreeNode | null> {
    const { tree } = this.#request;
    const path = [...source.path, entry.name];
    try {
      if ("stat" in source && entry.id !== null)
        return await tree.child(source, { name: entry.name, id: entry.id }, this.#options);
      // space that is empty, swap or a part of LVM is nothing that anybody would miss
      const silent = entry.volume !== null && !["filesystem", "foreign"].includes(entry.volume.content.kind);
      return silent && entry.volume?.problem === null ? null : await tree.resolve(path, this.#options);
    } catch (error) {
      this.#leftOut.skipFor(path, problemOf(error));
      return null;
    }
  }

  /** Problems of the image and of single names are reported; those of the storage and of the whole target end everything. */
  async #attempt<T>(node: TreeNode, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (isAbort(error)) throw error;
      if (isOurError(error)) {
        if (error.family === "backend" || error.family === "source" || error.family === "invariant") throw error;
        this.#leftOut.skipFor(node.path, error);
        return undefined;
      }
      const problem = targetError(error, this.#request.to);
      if (problem instanceof RepriseError) throw problem;
      this.#leftOut.skip(node.path, problem ?? UNSUPPORTED_TARGET);
      return undefined;
    }
  }

  #tell(node: FileNode, done: number): void {
    const subject = new TextDecoder().decode(node.path.at(-1));
    this.#options.onProgress?.({ operation: "restore", phase: "files", subject, done, unit: "bytes" });
  }
}

interface Placed {
  node: TreeNode;
  /** From the target's top. */
  names: Names;
}

type Leaf = Placed & { node: FileNode };

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
