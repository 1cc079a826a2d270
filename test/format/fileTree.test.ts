import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { decodeAttributesNode, encodeAttributesNode } from "../../core/format/treeAttributes.js";
import { type ContentPiece, decodeContentList, encodeContentList, sumOf } from "../../core/format/treeContent.js";
import {
  decodeTreeFolder,
  encodeTreeFolder,
  encodeTreeIndex,
  refsOf,
  TREE_ENTRY_KINDS,
  type TreeEntry,
  treeIndexOf,
} from "../../core/format/treeFolder.js";
import { decodeTreeNode, encodeTreeNode, replaceTreeRefs } from "../../core/format/treeNode.js";

const id = fc.uint8Array({ minLength: 32, maxLength: 32 });
const count = fc.integer({ min: 0, max: 0xffff_ffff });
const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n });
const name = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .filter((bytes) => !bytes.includes(0) && !bytes.includes(0x2f) && !bytes.every((byte) => byte === 0x2e));
const attribute = fc.record({ name: fc.uint8Array({ minLength: 1, maxLength: 255 }), value: fc.uint8Array() });

/** No two holes in a row. */
const pieces: fc.Arbitrary<ContentPiece[]> = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant("chunk" as const), bytes: fc.integer({ min: 1, max: 4 * 1024 * 1024 }), id }),
      fc.record({ kind: fc.constant("hole" as const), bytes: fc.integer({ min: 1, max: 2 ** 40 }) }),
    ),
    { maxLength: 16 },
  )
  .map((list) => list.filter(({ kind }, i) => kind !== "hole" || list[i - 1]?.kind !== "hole"));

const entry: fc.Arbitrary<TreeEntry> = fc
  .record({
    name,
    kind: fc.constantFrom(...TREE_ENTRY_KINDS),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: count,
    gid: count,
    linkCount: count,
    device: fc.integer({ min: 0, max: 0xffff }),
    inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    modifiedAtNs: time,
    changedAtNs: time,
    createdAtNs: fc.option(time),
    incomplete: fc.boolean(),
    unsettled: fc.boolean(),
    sizeBytes: fc.integer({ min: 0, max: 2 ** 40 }),
    entryCount: fc.integer({ min: 0, max: 2 ** 30 }),
    content: fc.oneof(pieces, id),
    folder: id,
    target: fc.uint8Array({ maxLength: 300 }),
    rdev: fc.record({ major: count, minor: count }),
    attributes: fc.oneof(fc.array(attribute, { maxLength: 4 }), id),
  })
  .map((made): TreeEntry => {
    const { kind, content } = made;
    const isFile = kind === "file";
    const isFolder = kind === "directory";
    const filled = isFile && Array.isArray(content) ? sumOf(content) : made.sizeBytes;
    return {
      ...made,
      sizeBytes: isFile || isFolder ? filled : 0,
      entryCount: isFolder ? made.entryCount : 0,
      content: isFile ? content : null,
      folder: isFolder ? made.folder : null,
      target: kind === "symlink" ? made.target : null,
      rdev: kind.endsWith("-device") ? made.rdev : null,
    };
  });

const folder = fc
  .uniqueArray(entry, { maxLength: 12, selector: (made) => Buffer.from(made.name).toString("hex") })
  .map((entries) => entries.sort((a, b) => Buffer.compare(a.name, b.name)));

/** Bytes of arrays, so that views and copies are equal. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member) => {
      if (typeof member === "bigint") return `${member}n`;
      return member instanceof Uint8Array ? Buffer.from(member).toString("hex") : member;
    }),
  );
}

describe("file trees", () => {
  it("folders decode to what was encoded, and encode to the same bytes", () => {
    fc.assert(
      fc.property(folder, (entries) => {
        const bytes = encodeTreeFolder(entries);
        const decoded = decodeTreeFolder(bytes, "folder");
        assert.deepEqual(plain(decoded), plain(entries));
        assert.deepEqual(encodeTreeFolder(decoded), bytes);
      }),
    );
  });

  it("lists, indexes and attributes do, too", () => {
    fc.assert(
      fc.property(pieces, fc.array(attribute, { maxLength: 5 }), fc.uniqueArray(name, { maxLength: 9 }), (...made) => {
        const [list, attributes, names] = made;
        const content = { level: 0, contentBytes: sumOf(list), pieces: list };
        assert.deepEqual(plain(decodeContentList(encodeContentList(content), "list")), plain(content));
        assert.deepEqual(
          plain(decodeAttributesNode(encodeAttributesNode(attributes), "attributes")),
          plain(attributes),
        );
        const hex = names.map((each) => Buffer.from(each).toString("hex"));
        const sorted = [...new Set(hex)].map((each) => Uint8Array.from(Buffer.from(each, "hex"))).sort(Buffer.compare);
        const ref = { kind: "node" as const, bytes: 7, id: new Uint8Array(32) };
        const pages = sorted.map((firstName) => ({ ref, firstName }));
        const index = treeIndexOf(decodeTreeNode(encodeTreeIndex(pages, 12), "index"), "index");
        assert.deepEqual(plain(index), plain(pages));
      }),
    );
  });

  it("keep everything but the ids when those are replaced", () => {
    fc.assert(
      fc.property(folder, (entries) => {
        const bytes = encodeTreeFolder(entries);
        const refs = entries.flatMap(refsOf);
        const other = new Uint8Array(refs.length * 32).fill(9);
        const node = decodeTreeNode(replaceTreeRefs(bytes, other), "folder");
        assert.ok(node.refs.every((ref) => ref.id.every((byte) => byte === 9)));
        assert.deepEqual(
          node.refs.map(({ kind, bytes: length }) => [kind, length]),
          refs.map(({ kind, bytes: length }) => [kind, length]),
        );
        const back = Uint8Array.from(refs.flatMap((ref) => [...ref.id]));
        assert.deepEqual(replaceTreeRefs(replaceTreeRefs(bytes, other), back), bytes);
      }),
    );
  });

  it("hostile bytes are refused with one of our errors, or are a tree", () => {
    const decoders = [decodeTreeFolder, decodeContentList, decodeAttributesNode] as const;
    fc.assert(
      fc.property(folder, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (entries, at, mask, cut) => {
        const bytes = encodeTreeFolder(entries);
        const broken = bytes.slice(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length);
        if (broken.length > 0) broken[at % broken.length] = (broken[at % broken.length] as number) ^ mask;
        for (const decode of decoders) {
          try {
            decode(broken, "broken");
          } catch (error) {
            if (!isOurError(error)) throw error;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("counts that lie take no memory", () => {
    const node = { type: "folder" as const, level: 0, contentBytes: 0, entryCount: 0, refs: [] };
    for (const body of [Uint8Array.of(255, 255, 255, 255), new Uint8Array(0)]) {
      assert.throws(() => decodeTreeFolder(encodeTreeNode({ ...node, body }), "lies"), { code: "FORMAT_INVALID" });
    }
    const bytes = encodeTreeNode({ ...node, body: new Uint8Array(4) });
    bytes.set([255, 255, 255, 255], 12);
    assert.throws(() => decodeTreeNode(bytes, "lies"), { code: "FORMAT_INVALID" });
  });
});
