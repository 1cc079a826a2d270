// One file: its base record, and the attributes of it, wherever they are.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import type { AttributeReference } from "./attributeList.js";
import { ATTRIBUTE_TYPE, type AttributePart, type FileRecord } from "./fileRecord.js";
import type { MasterFileTable } from "./masterFileTable.js";
import type { NtfsStream } from "./runStream.js";
import { openStream } from "./stream.js";

export class NtfsFile {
  readonly record: FileRecord;
  readonly #table: MasterFileTable;
  /** Null: everything is in the base record. */
  readonly #list: AttributeReference[] | null;

  private constructor(table: MasterFileTable, record: FileRecord, list: AttributeReference[] | null) {
    this.#table = table;
    this.record = record;
    this.#list = list;
  }

  /** `sequence` 0: any. Throws FILESYSTEM_DAMAGED when no such file is in use. */
  static async open(table: MasterFileTable, number: number, sequence: number, options: ReadOptions): Promise<NtfsFile> {
    const record = await table.record(number, options);
    const where = `file record ${number}`;
    if (!record.inUse) throw damaged("ntfs", where, "is not in use");
    if (record.base !== null) throw damaged("ntfs", where, "is a part of another file");
    if (sequence !== 0 && sequence !== record.sequence) {
      throw damaged("ntfs", where, "belongs to another file by now", { expected: sequence, actual: record.sequence });
    }
    return new NtfsFile(table, record, await table.attributeList(record, options));
  }

  get where(): string {
    return `file record ${this.record.number}`;
  }

  /** Of all attributes of a type, each once. */
  names(type: number): string[] {
    const all: readonly { type: number; name: string }[] = this.#list ?? this.record.parts;
    return [...new Set(all.filter((one) => one.type === type).map(({ name }) => name))];
  }

  /** Attributes of which there may be several under one name: $FILE_NAME. */
  async parts(type: number, name: string, options: ReadOptions): Promise<AttributePart[]> {
    const wanted = (one: { type: number; name: string }) => one.type === type && one.name === name;
    if (this.#list === null) return this.record.parts.filter(wanted);
    const parts: AttributePart[] = [];
    for (const reference of this.#list.filter(wanted).sort((a, b) => a.lowestVcn - b.lowestVcn)) {
      parts.push(await this.#table.listedPart(this.record, reference, options));
    }
    return parts;
  }

  /** The part that knows the sizes; null when there is no such attribute. */
  async firstPart(type: number, name: string, options: ReadOptions): Promise<AttributePart | null> {
    const wanted = (one: { type: number; name: string; lowestVcn: number }) =>
      one.type === type && one.name === name && one.lowestVcn === 0;
    if (this.#list === null) return this.record.parts.find(wanted) ?? null;
    const reference = this.#list.find(wanted);
    return reference === undefined ? null : await this.#table.listedPart(this.record, reference, options);
  }

  /** Null when there is no such attribute. */
  async stream(type: number, name: string, options: ReadOptions): Promise<NtfsStream | null> {
    const parts = await this.parts(type, name, options);
    if (parts.length === 0) return null;
    return openStream(this.#table.reader, this.#table.geometry, parts, this.where);
  }

  /** All of an attribute, at most `maxBytes`; null when there is none. Throws FILESYSTEM_DAMAGED for a longer one. */
  async value(type: number, name: string, maxBytes: number, options: ReadOptions): Promise<Uint8Array | null> {
    const stream = await this.stream(type, name, options);
    if (stream === null) return null;
    if (stream.sizeBytes > maxBytes)
      throw damaged("ntfs", this.where, `attribute ${type} has ${stream.sizeBytes} bytes`);
    const bytes = new Uint8Array(stream.sizeBytes);
    await stream.read(bytes, 0, options);
    return bytes;
  }

  /** The value of $STANDARD_INFORMATION. */
  async standardInformation(options: ReadOptions): Promise<DataView> {
    const value = await this.value(ATTRIBUTE_TYPE.standardInformation, "", 4096, options);
    if (value === null || value.length < 36) throw damaged("ntfs", this.where, "has no standard information");
    return new DataView(value.buffer, value.byteOffset, value.length);
  }
}
