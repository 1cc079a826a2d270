// Extended attributes of one entry: inside its folder when short, else a node of their own. docs/format/file-tree.md.

import { type ByteReader, ByteWriter } from "./bytes.js";
import { MAX_BLOB_PLAIN } from "./limits.js";
import { decodeTreeNode, encodeTreeNode, expectTreeNode } from "./treeNode.js";

export interface StoredAttribute {
  /** With its namespace, as bytes of UTF-8: `user.comment`. */
  name: Uint8Array;
  value: Uint8Array;
}

/** As in Linux: a name has up to 255 bytes, a value 64 KiB. */
export const MAX_ATTRIBUTE_NAME = 255;
export const MAX_ATTRIBUTE_VALUE = 65_536;
/** What lies inside the folder. */
export const MAX_INLINE_ATTRIBUTES = 1024;
/** All of one entry, so that they fit a blob. */
export const MAX_ATTRIBUTES_BYTES = MAX_BLOB_PLAIN - 1024;
const MAX_ATTRIBUTES = 65_535;

export function attributesBytes(attributes: readonly StoredAttribute[]): number {
  return attributes.reduce((sum, { name, value }) => sum + 5 + name.length + value.length, 2);
}

export function writeAttributes(writer: ByteWriter, attributes: readonly StoredAttribute[]): void {
  writer.u16(attributes.length);
  for (const { name, value } of attributes) {
    writer.u8(name.length);
    writer.u32(value.length);
    writer.put(name);
    writer.put(value);
  }
}

/** Views into the input. */
export function readAttributes(reader: ByteReader): StoredAttribute[] {
  const count = reader.u16();
  const attributes: StoredAttribute[] = [];
  for (let i = 0; i < count; i++) {
    const nameLength = reader.u8();
    const valueLength = reader.u32();
    if (nameLength === 0 || valueLength > MAX_ATTRIBUTE_VALUE) reader.fail("attribute of an impossible size");
    attributes.push({ name: reader.bytes(nameLength), value: reader.bytes(valueLength) });
  }
  return attributes;
}

export function encodeAttributesNode(attributes: readonly StoredAttribute[]): Uint8Array {
  const writer = new ByteWriter(attributesBytes(attributes));
  writeAttributes(writer, attributes);
  return encodeTreeNode({
    type: "attributes",
    level: 0,
    contentBytes: 0,
    entryCount: 0,
    refs: [],
    body: writer.finish(),
  });
}

export function decodeAttributesNode(bytes: Uint8Array, what: string): StoredAttribute[] {
  const node = decodeTreeNode(bytes, what);
  const reader = expectTreeNode(node, ["attributes"], what);
  if (node.refs.length > 0 || node.contentBytes !== 0 || node.entryCount !== 0)
    reader.fail("attributes refer to nothing");
  const attributes = readAttributes(reader);
  reader.expectEnd();
  return attributes;
}

/** Those that can be stored, in order of their names; what does not fit is left out. */
export function storableAttributes(attributes: readonly StoredAttribute[]): StoredAttribute[] {
  const kept: StoredAttribute[] = [];
  let bytes = 2;
  for (const attribute of [...attributes].sort((a, b) => compareNames(a.name, b.name))) {
    const { name, value } = attribute;
    bytes += 5 + name.length + value.length;
    const isSound = name.length > 0 && name.length <= MAX_ATTRIBUTE_NAME && value.length <= MAX_ATTRIBUTE_VALUE;
    if (isSound && bytes <= MAX_ATTRIBUTES_BYTES && kept.length < MAX_ATTRIBUTES) kept.push(attribute);
  }
  return kept;
}

/** The order of names everywhere in a tree: byte by byte. */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
