// Writes one file, link or device of a snapshot into a folder of the target.

import { type FileHandle, symlink } from "node:fs/promises";
import type { DataRange, FileKind, NamedBytes } from "../../filesystem/fileSystem.js";
import { runToolChecked } from "../../platform/tool.js";
import { identityOf, problemOf } from "../listFiles.js";
import type { FileNode } from "../machineTree.js";
import type { ExtendedAttributes } from "./extendedAttributes.js";
import { type StatOptions, setLinkStats, setModeAndTimes, setOwner, setSpecialStats } from "./fileStats.js";
import type { LeftOut } from "./leftOut.js";
import type { RestoreFilesReport } from "./restoreRequest.js";
import { type TargetFolder, temporaryName } from "./targetFolder.js";

const PIECE_BYTES = 4 * 1024 * 1024;

/** Elsewhere link(2) follows a link, and may lead out of the target. */
const CAN_LINK_LINKS = process.platform === "linux";

type Names = readonly Uint8Array[];

export interface WriterOptions {
  replace: boolean;
  owners: boolean;
  devices: boolean;
  leftOut: LeftOut;
  signal?: AbortSignal | undefined;
  /** Bytes written so far in all. */
  onBytes: (node: FileNode, done: number) => void;
}

export class NodeWriter {
  readonly statOptions: StatOptions;
  readonly #top: TargetFolder | null;
  readonly #attributes: ExtendedAttributes;
  readonly #report: RestoreFilesReport;
  readonly #options: WriterOptions;
  /** Files with several names: where the first of them is; null when that could not be written. */
  readonly #linked = new Map<string, Promise<Names | null>>();

  constructor(
    top: TargetFolder | null,
    attributes: ExtendedAttributes,
    report: RestoreFilesReport,
    options: WriterOptions,
  ) {
    this.#top = top;
    this.#attributes = attributes;
    this.#report = report;
    this.#options = options;
    this.statOptions = { owners: options.owners, leftOut: options.leftOut };
  }

  canMake(kind: FileKind): boolean {
    return this.#options.devices && ["character-device", "block-device", "fifo"].includes(kind);
  }

  refusal(kind: FileKind, special?: string): string {
    if (kind === "special") return special ?? "not a plain file";
    if (kind === "socket") return "a socket: its program makes it anew";
    return `a ${kind.replace("-", " ")}: root restores it with --devices`;
  }

  /** Errors of the image and of the target are thrown. */
  async write(node: FileNode, names: Names, folder: TargetFolder): Promise<void> {
    const { kind, special, linkCount } = node.stat;
    const name = names.at(-1) as Uint8Array;
    if (kind !== "file" && kind !== "symlink" && !this.canMake(kind)) {
      return this.#options.leftOut.skip(node.path, this.refusal(kind, special));
    }
    if (linkCount <= 1 || (kind === "symlink" && !CAN_LINK_LINKS)) return await this.#writeNew(node, names, folder);
    const identity = identityOf(node);
    const first = this.#linked.get(identity);
    if (first === undefined) {
      const writing = this.#writeNew(node, names, folder);
      const written = writing.then(
        () => names,
        () => null,
      );
      this.#linked.set(identity, written);
      return await writing;
    }
    const place = await first;
    if (place === null || !(await this.#hardLink(place, name, folder))) await this.#writeNew(node, names, folder);
    else this.#report.hardLinks++;
  }

  /** Those that can be set here; what cannot be read is noted. */
  async attributesOf(node: FileNode): Promise<NamedBytes[]> {
    try {
      const all = await node.fileSystem.attributes(node.node, this.#options);
      return all.length === 0 ? [] : this.#attributes.select(node.path, all);
    } catch (error) {
      this.#options.leftOut.attribute(node.path, "extended attributes", problemOf(error).message);
      return [];
    }
  }

  async #writeNew(node: FileNode, names: Names, folder: TargetFolder): Promise<void> {
    if (node.stat.kind === "symlink") return await this.#link(node, names.at(-1) as Uint8Array, folder);
    if (node.stat.kind !== "file") return await this.#device(node, names, folder);
    const attributes = await this.attributesOf(node);
    const { handle, temporary } = await folder.makeFile();
    let isDone = false;
    try {
      await this.#contents(node, handle);
      await setOwner(handle, node.path, node.stat, this.statOptions);
      if (attributes.length === 0) await setModeAndTimes(handle, node.path, node.stat, this.statOptions);
      this.#options.signal?.throwIfAborted();
      await folder.publish(temporary, names.at(-1) as Uint8Array, this.#options.replace);
      isDone = true;
    } finally {
      await handle.close();
      if (!isDone) await folder.discard(temporary);
    }
    this.#report.files++;
    this.#report.sizeBytes += node.stat.sizeBytes;
    if (attributes.length > 0) await this.#finishLater(node, names, attributes);
  }

  async #contents(node: FileNode, handle: FileHandle): Promise<void> {
    const { sizeBytes } = node.stat;
    for await (const { offset, bytes } of this.#pieces(node)) {
      for (let done = 0; done < bytes.length; )
        done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
      this.#report.bytesWritten += bytes.length;
      this.#options.onBytes(node, this.#report.bytesWritten);
    }
    // what was not written is a hole
    await handle.truncate(sizeBytes);
  }

  /** The next piece is read while one is written. */
  async *#pieces(node: FileNode): AsyncGenerator<{ offset: number; bytes: Uint8Array }> {
    let reading: Promise<{ offset: number; bytes: Uint8Array }> | undefined;
    for await (const { offset, length } of node.fileSystem.dataRanges(node.node, this.#options)) {
      for (const part of partsOf({ offset, length }, node.stat.sizeBytes)) {
        this.#options.signal?.throwIfAborted();
        const next = this.#read(node, part);
        // its error is seen when its turn comes
        next.catch(() => {});
        if (reading !== undefined) yield await reading;
        reading = next;
      }
    }
    if (reading !== undefined) yield await reading;
  }

  async #read(node: FileNode, { offset, length }: DataRange): Promise<{ offset: number; bytes: Uint8Array }> {
    const bytes = new Uint8Array(length);
    const count = await node.fileSystem.read(node.node, bytes, offset, this.#options);
    return { offset, bytes: bytes.subarray(0, count) };
  }

  /** Modes come after attributes, and attributes are set for many files at once. */
  async #finishLater(node: FileNode, names: Names, attributes: readonly NamedBytes[]): Promise<void> {
    const finish = async () => {
      const folder = await (this.#top as TargetFolder).walk(names.slice(0, -1));
      try {
        const handle = await folder.openFile(names.at(-1) as Uint8Array);
        try {
          await setModeAndTimes(handle, node.path, node.stat, this.statOptions);
        } finally {
          await handle.close();
        }
      } finally {
        await folder.close();
      }
    };
    await this.#attributes.add({ path: node.path, names, attributes, finish }, this.#options.signal);
  }

  async #hardLink(first: Names, name: Uint8Array, folder: TargetFolder): Promise<boolean> {
    const other = await (this.#top as TargetFolder).walk(first.slice(0, -1));
    try {
      return await folder.linkFrom(other, first.at(-1) as Uint8Array, name, this.#options.replace);
    } finally {
      await other.close();
    }
  }

  async #link(node: FileNode, name: Uint8Array, folder: TargetFolder): Promise<void> {
    const target = Buffer.from(await node.fileSystem.readLink(node.node, this.#options));
    const { replace } = this.#options;
    const made = replace ? temporaryName() : name;
    await symlink(target, folder.place(made));
    await setLinkStats(folder.place(made), node.path, node.stat, this.statOptions);
    if (replace) await this.#publishOrDiscard(made, name, folder);
    this.#report.links++;
  }

  async #device(node: FileNode, names: Names, folder: TargetFolder): Promise<void> {
    const { kind, device } = node.stat;
    const temporary = temporaryName();
    const letter = kind === "fifo" ? "p" : kind === "block-device" ? "b" : "c";
    const numbers = device === null ? [] : [String(device.major), String(device.minor)];
    const { signal } = this.#options;
    await runToolChecked("mknod", ["-m", "600", folder.place(temporary).toString(), letter, ...numbers], { signal });
    await setSpecialStats(folder.place(temporary), node.path, node.stat, this.statOptions);
    await this.#publishOrDiscard(temporary, names.at(-1) as Uint8Array, folder);
    this.#report.special++;
  }

  async #publishOrDiscard(temporary: Uint8Array, name: Uint8Array, folder: TargetFolder): Promise<void> {
    try {
      await folder.publish(temporary, name, this.#options.replace);
    } catch (error) {
      await folder.discard(temporary);
      throw error;
    }
  }
}

function* partsOf({ offset, length }: DataRange, sizeBytes: number): Generator<DataRange> {
  const end = Math.min(offset + length, sizeBytes);
  for (let at = offset; at < end; at += PIECE_BYTES) yield { offset: at, length: Math.min(PIECE_BYTES, end - at) };
}
