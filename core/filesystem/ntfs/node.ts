// What a file of NTFS is: a directory, plain data, a link or device in one of several disguises, or something that only
// Windows can open.

import type { ReadOptions } from "../blockReader.js";
import type { FileKind, FileStat, NodeId } from "../fileSystem.js";
import { damaged, unsupported, wrongKind } from "../filesystemErrors.js";
import { isDosFileName } from "./directoryIndex.js";
import { ATTRIBUTE_FLAG, ATTRIBUTE_TYPE, type AttributePart } from "./fileRecord.js";
import { decodeInterix, MAX_INTERIX_BYTES } from "./interix.js";
import type { NtfsFile } from "./ntfsFile.js";
import { decodeReparsePoint, kindOfReparsePoint, linkTarget, MAX_REPARSE_BYTES, REPARSE_TAG } from "./reparsePoint.js";
import type { NtfsStream } from "./runStream.js";
import { WOF_STREAM, WofStream, wofChunkBytesOf } from "./wofStream.js";

export const FILE_ATTRIBUTE = { system: 0x04, reparsePoint: 0x400, encrypted: 0x4000, directory: 0x10000000 };

/** What its attributes and contents make of a file. */
interface Nature {
  kind: FileKind;
  special?: string;
  /** Of symlinks. */
  target?: Uint8Array;
  device?: { major: number; minor: number };
  /** Of files that Windows keeps compressed beside themselves. */
  wofChunkBytes?: number;
}

/** 1601 to 1970, in the steps of 100 ns that NTFS counts. */
const EPOCH = 116_444_736_000_000_000n;

function decodeTime(view: DataView, at: number): bigint | null {
  const value = view.getBigInt64(at, true);
  return value <= 0n ? null : (value - EPOCH) * 100n;
}

export class NtfsNode {
  readonly file: NtfsFile;
  readonly nature: Nature;
  /** DOS attributes and newer ones. */
  readonly attributes: number;
  readonly #facts: DataView;
  readonly #data: AttributePart | null;
  /** What takes up space for the contents. */
  readonly #stored: AttributePart | null;
  #stream: NtfsStream | undefined;

  private constructor(
    file: NtfsFile,
    facts: DataView,
    data: AttributePart | null,
    stored: AttributePart | null,
    nature: Nature,
  ) {
    this.file = file;
    this.nature = nature;
    this.attributes = facts.getUint32(32, true);
    this.#facts = facts;
    this.#data = data;
    this.#stored = stored;
  }

  static async open(file: NtfsFile, options: ReadOptions): Promise<NtfsNode> {
    const facts = await file.standardInformation(options);
    const data = file.record.isDirectory ? null : await file.firstPart(ATTRIBUTE_TYPE.data, "", options);
    const nature = await findNature(file, facts, data, options);
    const isWof = nature.wofChunkBytes !== undefined;
    const stored = isWof ? await file.firstPart(ATTRIBUTE_TYPE.data, WOF_STREAM, options) : data;
    return new NtfsNode(file, facts, data, stored, nature);
  }

  get runCount(): number {
    return this.#stream?.runCount ?? 0;
  }

  async stat(id: NodeId, options: ReadOptions): Promise<FileStat> {
    const { kind, special, target, device } = this.nature;
    const names = await this.file.parts(ATTRIBUTE_TYPE.fileName, "", options);
    const realNames = names.filter(({ value }) => value !== null && !isDosFileName(value)).length;
    return {
      id,
      kind,
      ...(special === undefined ? {} : { special }),
      sizeBytes: target?.length ?? (kind === "file" || kind === "special" ? sizeOf(this.#data) : 0),
      allocatedBytes: this.file.record.isDirectory ? null : allocatedBy(this.#stored),
      mode: null,
      uid: null,
      gid: null,
      linkCount: kind === "directory" ? 1 : Math.max(1, realNames),
      createdAtNs: decodeTime(this.#facts, 0),
      modifiedAtNs: decodeTime(this.#facts, 8),
      changedAtNs: decodeTime(this.#facts, 16),
      accessedAtNs: decodeTime(this.#facts, 24),
      device: device ?? null,
    };
  }

  /** The contents; null: empty without any. Throws FILE_KIND_WRONG, and FILESYSTEM_UNSUPPORTED for special files. */
  async contents(options: ReadOptions): Promise<NtfsStream | null> {
    const { kind, special } = this.nature;
    if (special !== undefined) throw unsupported("ntfs", `a file that is ${special}`, { where: this.file.where });
    if (kind !== "file") throw wrongKind(this.file.where, "a file");
    if (this.#data === null) return null;
    this.#stream ??= await this.#openContents(options);
    return this.#stream;
  }

  async #openContents(options: ReadOptions): Promise<NtfsStream> {
    const { wofChunkBytes } = this.nature;
    const name = wofChunkBytes === undefined ? "" : WOF_STREAM;
    const stream = await this.file.stream(ATTRIBUTE_TYPE.data, name, options);
    if (stream === null) throw damaged("ntfs", this.file.where, "its contents are missing");
    return wofChunkBytes === undefined
      ? stream
      : new WofStream(stream, sizeOf(this.#data), wofChunkBytes, this.file.where);
  }
}

function sizeOf(data: AttributePart | null): number {
  return data?.value?.length ?? data?.nonResident?.sizeBytes ?? 0;
}

function allocatedBy(data: AttributePart | null): number {
  return data?.nonResident?.compressedBytes ?? data?.nonResident?.allocatedBytes ?? 0;
}

async function findNature(
  file: NtfsFile,
  facts: DataView,
  data: AttributePart | null,
  options: ReadOptions,
): Promise<Nature> {
  const { isDirectory } = file.record;
  const reparse = await file.value(ATTRIBUTE_TYPE.reparsePoint, "", MAX_REPARSE_BYTES, options);
  if (reparse !== null) {
    const point = decodeReparsePoint(reparse, file.where);
    const nature = kindOfReparsePoint(point.tag, isDirectory);
    const wofChunkBytes = point.tag === REPARSE_TAG.wof && !isDirectory ? wofChunkBytesOf(point.data) : null;
    if (wofChunkBytes !== null) return { kind: "file", wofChunkBytes };
    if (nature?.kind === "symlink") return { kind: "symlink", target: linkTarget(point, file.where) };
    if (nature !== null) return nature;
  }
  if (isDirectory) return { kind: "directory" };
  if (data !== null && data.flags & ATTRIBUTE_FLAG.encrypted) return { kind: "special", special: "encrypted" };
  const isSystem = (facts.getUint32(32, true) & FILE_ATTRIBUTE.system) !== 0;
  if (isSystem && sizeOf(data) > 0 && sizeOf(data) <= MAX_INTERIX_BYTES) {
    const value = await file.value(ATTRIBUTE_TYPE.data, "", MAX_INTERIX_BYTES, options);
    const interix = value === null ? null : decodeInterix(value);
    if (interix?.kind === "symlink") return { kind: "symlink", target: interix.target };
    if (interix !== null) return { kind: interix.kind, device: { major: interix.major, minor: interix.minor } };
  }
  return { kind: "file" };
}
