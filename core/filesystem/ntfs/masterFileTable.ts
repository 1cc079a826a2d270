// $MFT: the file that holds a record for every file, itself included. Its first record says where it is; with very many
// runs, further records of its own say the rest, each in a part that is known already.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";
import { type AttributeReference, decodeAttributeList, MAX_LIST_BYTES } from "./attributeList.js";
import type { NtfsGeometry } from "./bootSector.js";
import { ATTRIBUTE_TYPE, type AttributePart, decodeFileRecord, type FileRecord } from "./fileRecord.js";
import { RunList } from "./runList.js";
import { readRuns } from "./runStream.js";
import { openStream } from "./stream.js";

const KEPT_RECORDS = 2048;
const MIRRORED_RECORDS = 4;
const WHERE = "$MFT";

export class MasterFileTable {
  readonly reader: BlockReader;
  readonly geometry: NtfsGeometry;
  /** Records that were taken from $MFTMirr. */
  readonly mirrored = new Set<number>();
  readonly #runs: RunList;
  #sizeBytes = 0;
  readonly #records = new Map<number, FileRecord>();

  private constructor(reader: BlockReader, geometry: NtfsGeometry) {
    this.reader = reader;
    this.geometry = geometry;
    this.#runs = new RunList(geometry.clusterCount, WHERE);
  }

  /** Throws FILESYSTEM_DAMAGED when the table's own record and its copy are. */
  static async open(reader: BlockReader, geometry: NtfsGeometry, options: ReadOptions): Promise<MasterFileTable> {
    const table = new MasterFileTable(reader, geometry);
    const { mftCluster, clusterBytes, recordBytes } = geometry;
    const origin = { type: "ntfs", where: WHERE };
    const bytes = await readRange(reader, mftCluster * clusterBytes, recordBytes, origin, options);
    const record = await table.#decodeOrMirror(bytes, 0, options);
    table.#records.set(0, record);
    await table.#findOwnRuns(record, options);
    return table;
  }

  /** The record of that number, in use or not. Throws FILESYSTEM_DAMAGED. */
  async record(number: number, options: ReadOptions = {}): Promise<FileRecord> {
    const known = this.#records.get(number);
    if (known !== undefined) return known;
    const { recordBytes, clusterBytes } = this.geometry;
    const where = `file record ${number}`;
    const offset = number * recordBytes;
    if (offset + recordBytes > this.#sizeBytes) throw damaged("ntfs", where, "does not exist");
    const bytes = new Uint8Array(recordBytes);
    await readRuns(this.reader, clusterBytes, this.#runs, bytes, offset, where, options);
    const record = await this.#decodeOrMirror(bytes, number, options);
    this.#records.set(number, record);
    if (this.#records.size > KEPT_RECORDS) this.#records.delete(this.#records.keys().next().value as number);
    return record;
  }

  /** Where the attributes of a base record are, when it has a list of them; else null. */
  async attributeList(base: FileRecord, options: ReadOptions): Promise<AttributeReference[] | null> {
    const part = base.parts.find(({ type }) => type === ATTRIBUTE_TYPE.attributeList);
    if (part === undefined) return null;
    const where = `attribute list of file record ${base.number}`;
    const stream = openStream(this.reader, this.geometry, [part], where);
    if (stream.sizeBytes > MAX_LIST_BYTES) throw damaged("ntfs", where, `has ${stream.sizeBytes} bytes`);
    const bytes = new Uint8Array(stream.sizeBytes);
    await stream.read(bytes, 0, options);
    return decodeAttributeList(bytes, where);
  }

  /** The part that a list names. Throws FILESYSTEM_DAMAGED when it is not there. */
  async listedPart(base: FileRecord, reference: AttributeReference, options: ReadOptions): Promise<AttributePart> {
    const { type, name, id, lowestVcn } = reference;
    const holder = reference.record === base.number ? base : await this.record(reference.record, options);
    const belongs = holder === base || (holder.base === base.number && holder.sequence === reference.sequence);
    const part = holder.parts.find((one) => one.type === type && one.id === id && one.name === name);
    if (!belongs || !holder.inUse || part === undefined || part.lowestVcn !== lowestVcn) {
      const data = { type, record: reference.record };
      throw damaged("ntfs", `file record ${base.number}`, "its attribute list names a part that is not there", data);
    }
    return part;
  }

  async #findOwnRuns(record: FileRecord, options: ReadOptions): Promise<void> {
    const isData = ({ type, name }: { type: number; name: string }) => type === ATTRIBUTE_TYPE.data && name === "";
    const first = record.parts.find((part) => isData(part) && part.lowestVcn === 0);
    if (first === undefined || first.nonResident === null) throw damaged("ntfs", WHERE, "its record has no data");
    this.#runs.append(first.nonResident.runs, 0, first.nonResident.highestVcn);
    const { sizeBytes, initializedBytes } = first.nonResident;
    // with a list, this much is enough to read the records that tell the rest
    this.#sizeBytes = Math.min(sizeBytes, initializedBytes);
    const references = (await this.attributeList(record, options)) ?? [];
    const others = references.filter((reference) => isData(reference) && reference.lowestVcn > 0);
    for (const reference of others.sort((a, b) => a.lowestVcn - b.lowestVcn)) {
      const { nonResident } = await this.listedPart(record, reference, options);
      if (nonResident === null) throw damaged("ntfs", WHERE, "is inside and outside of its record at once");
      this.#runs.append(nonResident.runs, reference.lowestVcn, nonResident.highestVcn);
    }
  }

  async #decodeOrMirror(bytes: Uint8Array, number: number, options: ReadOptions): Promise<FileRecord> {
    try {
      return decodeFileRecord(bytes, number);
    } catch (error) {
      if (number >= MIRRORED_RECORDS) throw error;
      const { mirrorCluster, clusterBytes, recordBytes } = this.geometry;
      const offset = mirrorCluster * clusterBytes + number * recordBytes;
      const copy = await readRange(this.reader, offset, recordBytes, { type: "ntfs", where: "$MFTMirr" }, options);
      try {
        const record = decodeFileRecord(copy, number);
        this.mirrored.add(number);
        return record;
      } catch {
        throw error;
      }
    }
  }
}
