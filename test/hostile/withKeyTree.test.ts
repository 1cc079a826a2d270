// Stored trees that open and yet lie, by a writer with bugs or by somebody who has the key: verify names them, whoever reads
// them refuses or ends in bounded time and memory, and other snapshots are as they were.

import assert from "node:assert/strict";
import { type ListedFile, listFiles } from "../../core/files/listFiles.js";
import { openChunkFetcher, openSnapshotTree } from "../../core/files/openTree.js";
import { readFile } from "../../core/files/readFile.js";
import { type BlobIdHex, bytesToHex, objectName } from "../../core/format/ids.js";
import { encodeManifest, type Manifest } from "../../core/format/manifest.js";
import type { BlobKind } from "../../core/format/pack.js";
import { encodeTreeFolder, type TreeEntry } from "../../core/format/treeFolder.js";
import { encodeTreeNode } from "../../core/format/treeNode.js";
import { SessionSink } from "../../core/repository/blobSink.js";
import { WriterSession } from "../../core/repository/session.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

/** Of one reader on one snapshot, on a busy machine. */
const MAX_MS = 60_000;
const MAX_BYTES = 300 * 2 ** 20;

const bare: TreeEntry = {
  ...{ name: new Uint8Array(0), kind: "file", mode: 0o644, uid: 0, gid: 0, linkCount: 1, device: 0, inode: 1n },
  ...{ modifiedAtNs: 0n, changedAtNs: 0n, createdAtNs: null, incomplete: false, unsettled: false, sizeBytes: 0 },
  ...{ entryCount: 0, content: [], folder: null, target: null, rdev: null, attributes: [] },
};

function named(name: string, rest: Partial<TreeEntry>): TreeEntry {
  return { ...bare, name: Buffer.from(name), ...rest };
}

function folderEntry(name: string, folder: Uint8Array, sizeBytes: number, entryCount: number): TreeEntry {
  return named(name, { kind: "directory", mode: 0o755, content: null, folder, sizeBytes, entryCount });
}

describe("hostile: with the key, trees", function () {
  this.timeout(120_000);
  this.slow(30_000);
  let test: TestRepository;
  let honest: Manifest;
  // mocha wants whole stacks, and each error of a deep walk would hold one
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 10;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  beforeEach(async () => {
    test = await TestRepository.make();
    honest = await test.backUp("vm/honest", { root: noise(1, 100_000) });
  });

  let writing: { session: WriterSession; sink: SessionSink } | null = null;

  /** Until the next snapshot, all blobs go into one session. */
  async function store(kind: BlobKind, plain: Uint8Array): Promise<Uint8Array> {
    if (writing === null) {
      const session = await WriterSession.open(test.repository, {
        ...{ purpose: "test", group: null, onWarning: test.onWarning },
      });
      writing = { session, sink: new SessionSink(test.repository, session) };
    }
    return await writing.sink.storeBlob(kind, plain);
  }

  async function finishWriting(): Promise<void> {
    await writing?.sink.finish();
    await writing?.session.abandon("test");
    writing = null;
  }

  const storeFolder = (...entries: TreeEntry[]) => store("tree", encodeTreeFolder(entries));

  /** A snapshot of one tree whose top is a folder with that node. */
  async function snapshotOf(folder: Uint8Array, sizeBytes: number, entryCount: number): Promise<Manifest> {
    const top = folderEntry("", folder, sizeBytes, entryCount);
    return await snapshotWith(await store("tree", encodeTreeFolder([top], "root")), sizeBytes);
  }

  async function snapshotWith(root: Uint8Array, sizeBytes: number): Promise<Manifest> {
    await finishWriting();
    const sid = test.repository.newId();
    const archive = {
      ...{
        name: "www",
        kind: "tree" as const,
        sizeBytes,
        root: bytesToHex(root) as BlobIdHex,
        format: "tree",
        lost: [],
      },
    };
    const manifest: Manifest = { ...honest, sid, group: "host/liar", archives: [archive] };
    await test.repository.objects.writeOnce(objectName.snapshot(sid), "snapshot", encodeManifest(manifest));
    return manifest;
  }

  /** Verify blames this snapshot and no other. */
  async function assertBlamed(manifest: Manifest, expected: "damaged" | "ok" = "damaged"): Promise<void> {
    const report = await within("verify", () => test.verify());
    assert.equal(report.snapshots.find(({ sid }) => sid === honest.sid)?.result, "ok");
    assert.equal(report.snapshots.find(({ sid }) => sid === manifest.sid)?.result, expected);
    const told = report.snapshots.reduce((sum, { damaged }) => sum + damaged.length, 0);
    assert.ok(told < 100_000, `${told} places of damage`);
  }

  /** Codes of what could not be read, over all files. */
  async function readAll(manifest: Manifest, atMost = Number.POSITIVE_INFINITY): Promise<Set<string>> {
    const codes = new Set<string>();
    const { snapshots } = await test.catalog();
    const fetcher = await openChunkFetcher(test.repository, { onWarning: test.onWarning });
    const note = (error: unknown) => codes.add(String((error as { code?: string }).code ?? error));
    try {
      const tree = await openSnapshotTree(snapshots.find(({ sid }) => sid === manifest.sid)!, fetcher);
      let count = 0;
      const look = async (file: ListedFile) => {
        if (file.problem !== null) note(file.problem);
        if (file.kind !== "file") return;
        const node = await tree.resolve(file.path);
        if ("fileSystem" in node) for await (const _ of readFile(node)) if (_.length === 0) return;
      };
      for await (const file of listFiles(tree, await tree.resolve([]), { recursive: true })) {
        if (++count > atMost) break;
        await look(file).catch(note);
      }
    } catch (error) {
      note(error);
    } finally {
      await fetcher.close();
    }
    return codes;
  }

  async function within<T>(what: string, work: () => Promise<T>): Promise<T> {
    const [started, before] = [performance.now(), process.memoryUsage().rss];
    const result = await work();
    assert.ok(performance.now() - started < MAX_MS, `${what}: ${performance.now() - started} ms`);
    assert.ok(process.memoryUsage().rss - before < MAX_BYTES, `${what}: memory`);
    return result;
  }

  it("a tree whose size is not that of its manifest", async () => {
    const chunk = await store("chunk", noise(2, 5000));
    const content = [{ kind: "chunk" as const, bytes: 5000, id: chunk }];
    const folder = await storeFolder(named("file", { content, sizeBytes: 5000 }));
    const top = folderEntry("", folder, 5000, 1);
    const root = await store("tree", encodeTreeFolder([top], "root"));
    for (const sizeBytes of [0, 4999, 5001, 2 ** 50]) {
      const manifest = await snapshotWith(root, sizeBytes);
      assert.deepEqual([...(await readAll(manifest))], ["FORMAT_INVALID"]);
      await assertBlamed(manifest);
    }
  });

  it("a root that is a chunk, a page, a folder, a list, or not there", async () => {
    const folder = await storeFolder();
    const list = encodeTreeNode({
      ...{ type: "content", level: 0, contentBytes: 0, entryCount: 0, refs: [], body: new Uint8Array(4) },
    });
    const roots = [await store("chunk", noise(3, 100)), await store("page", noise(4, 100)), folder];
    for (const root of [...roots, await store("tree", list), noise(5, 32)]) {
      const manifest = await snapshotWith(root, 0);
      assert.equal((await readAll(manifest)).size, 1);
      await assertBlamed(manifest);
    }
  });

  it("a chunk that is longer or shorter than its file says", async () => {
    const chunk = await store("chunk", noise(6, 5000));
    for (const bytes of [4999, 5001, 1]) {
      const content = [{ kind: "chunk" as const, bytes, id: chunk }];
      const manifest = await snapshotOf(await storeFolder(named("file", { content, sizeBytes: bytes })), bytes, 1);
      assert.equal((await readAll(manifest)).size, 1, `${bytes} bytes`);
    }
  });

  it("a folder that is a page of a disk, a chunk, or a root", async () => {
    const inner = await store("tree", encodeTreeFolder([folderEntry("", await storeFolder(), 0, 0)], "root"));
    for (const id of [await store("chunk", noise(7, 100)), await store("page", noise(8, 100)), inner]) {
      const manifest = await snapshotOf(await storeFolder(folderEntry("sub", id, 0, 0)), 0, 1);
      assert.equal((await readAll(manifest)).size, 1);
      await assertBlamed(manifest);
    }
  });

  it("folders within folders, each of them twice, 45 levels deep: looked through once", async () => {
    let below = await storeFolder(named("leaf", { inode: 7n }));
    let count = 1;
    for (let level = 0; level < 45; level++) {
      below = await storeFolder(folderEntry("a", below, 0, count), folderEntry("b", below, 0, count));
      count = 2 * count + 2;
    }
    const manifest = await snapshotOf(below, 0, count);
    await assertBlamed(manifest, "ok");
    await within("gc", () => test.gc());
    await within("ls", () => readAll(manifest, 10_000));
  });

  it("the same with a chunk at the bottom that is not there: blamed, and not for every path", async () => {
    const content = [{ kind: "chunk" as const, bytes: 1, id: noise(9, 32) }];
    let below = await storeFolder(named("leaf", { content, sizeBytes: 1 }));
    let [count, size] = [1, 1];
    for (let level = 0; level < 45; level++) {
      below = await storeFolder(folderEntry("a", below, size, count), folderEntry("b", below, size, count));
      [count, size] = [2 * count + 2, 2 * size];
    }
    await assertBlamed(await snapshotOf(below, size, count));
  });

  it("3,000 levels: walked to its end or refused, never out of stack", async () => {
    let below = await storeFolder(named("leaf", {}));
    for (let level = 1; level <= 3000; level++) below = await storeFolder(folderEntry("d", below, 0, level));
    const manifest = await snapshotOf(below, 0, 3001);
    await assertBlamed(manifest, "ok");
    await within("ls", () => readAll(manifest));
    await within("gc", () => test.gc());
  });
});
