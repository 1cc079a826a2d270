// Objects that open and yet lie: by a writer with bugs, or by somebody who has the key. Whoever reads them must say what is
// wrong with which, in bounded memory and time, and write nothing but the disk.

import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { encodeCanonicalJson, type JsonValue } from "../../core/format/canonicalJson.js";
import { type BlobIdHex, bytesToHex, objectName, type Sid } from "../../core/format/ids.js";
import { encodeImagePage, encodeImageRoot, zeroEntry } from "../../core/format/imageMap.js";
import { type Archive, encodeManifest, type Manifest } from "../../core/format/manifest.js";
import type { BlobKind } from "../../core/format/pack.js";
import { SessionSink } from "../../core/repository/blobSink.js";
import { WriterSession } from "../../core/repository/session.js";
import { assertCode } from "../support/assertCode.js";
import { restoreToFile } from "../support/restoreToFile.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

const SPAN = 262_144;

for (const encrypted of [true, false]) {
  describe(`hostile: with the key, ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(60_000);
    let test: TestRepository;
    let honest: Manifest;
    let folder: TemporaryFolder;
    const bytes = noise(1, 300_000);
    beforeEach(async () => {
      test = await TestRepository.make({ encrypted });
      honest = await test.backUp("vm/honest", { root: bytes });
      folder = await makeTemporaryFolder("hostile");
    });
    afterEach(() => folder.remove());

    /** Stores blobs as they are given; answers their ids. */
    async function store(...blobs: [BlobKind, Uint8Array][]): Promise<Uint8Array[]> {
      const session = await WriterSession.open(test.repository, {
        purpose: "test",
        group: null,
        onWarning: test.onWarning,
      });
      const sink = new SessionSink(test.repository, session);
      const ids: Uint8Array[] = [];
      for (const [kind, plain] of blobs) ids.push(await sink.storeBlob(kind, plain));
      await sink.finish();
      await session.abandon("test");
      return ids;
    }

    /** A snapshot whose one disk has the given root and size. */
    async function snapshotOf(root: Uint8Array, sizeBytes: number, rest: Partial<Archive> = {}): Promise<Manifest> {
      const sid = test.repository.newId();
      const archive = {
        name: "root",
        kind: "image" as const,
        sizeBytes,
        root: bytesToHex(root) as BlobIdHex,
        format: "raw",
        lost: [],
        ...rest,
      };
      const manifest: Manifest = { ...honest, sid, group: "vm/liar", archives: [archive] };
      await test.repository.objects.writeOnce(objectName.snapshot(sid), "snapshot", encodeManifest(manifest));
      return manifest;
    }

    async function imageOf(
      page: Uint8Array,
      imageBytes: number,
      rest: { pages?: number; span?: number } = {},
    ): Promise<Manifest> {
      const { pages = 1, span = SPAN } = rest;
      const [pageId] = await store(["page", page]);
      const pageIds = new Uint8Array(32 * pages);
      for (let i = 0; i < pages; i++) pageIds.set(pageId!, 32 * i);
      const [rootId] = await store(["root", encodeImageRoot({ imageBytes, pageSpanBytes: span, pageIds })]);
      return snapshotOf(rootId!, imageBytes);
    }

    /** Restoring fails with the code and leaves nothing; verify blames this snapshot and no other; gc does not guess. */
    async function assertRefused(manifest: Manifest, code: string, gcCode?: string): Promise<void> {
      const error = await assertCode(restoreToFile(test, manifest, "root", join(folder.path, "x")), code);
      assert.match(error.message, /root|[0-9a-f]{64}/);
      await assertCode(test.restore(manifest, "root"), code);
      assert.deepEqual(await readdir(folder.path), []);
      const report = await test.verify();
      assert.equal(report.snapshots.find(({ sid }) => sid === honest.sid)?.result, "ok");
      assert.equal(report.snapshots.find(({ sid }) => sid === manifest.sid)?.result, "damaged");
      assert.equal(report.ok, false);
      if (gcCode) await assertCode(test.gc(), gcCode);
      assert.deepEqual(await test.restore(honest, "root"), bytes);
    }

    it("a disk whose size is not that of its map", async () => {
      const root = Buffer.from(honest.archives[0]!.root, "hex");
      for (const sizeBytes of [0, 1, bytes.length - 1, bytes.length + 1, 2 ** 40]) {
        const manifest = await snapshotOf(root, sizeBytes);
        await assertRefused(manifest, "FORMAT_INVALID");
        await test.forget(manifest.sid);
      }
    });

    it("a disk whose root is another kind of blob, or none", async () => {
      const [chunk, page, file] = await store(
        ["chunk", noise(5, 100)],
        ["page", noise(6, 100)],
        ["file", new Uint8Array(24)],
      );
      for (const id of [chunk!, page!, file!])
        await assertRefused(await snapshotOf(id, 1000), "FORMAT_INVALID", "GC_SNAPSHOT_UNREADABLE");
      await assertRefused(await snapshotOf(noise(7, 32), 1000), "CHUNK_MISSING", "GC_SNAPSHOT_UNREADABLE");
    });

    it("a page whose lengths do not sum to its span", async () => {
      const ids = new Uint8Array(32);
      const page = (lengths: number[], chunks: number) =>
        encodeImagePage({
          lengths: Uint32Array.from(lengths),
          ids: new Uint8Array([...Array(chunks)].flatMap(() => [...ids])),
        });
      for (const given of [
        page([zeroEntry(SPAN - 1)], 0),
        page([zeroEntry(SPAN + 1)], 0),
        page([], 0),
        page([zeroEntry(SPAN), 1], 1),
        page([zeroEntry(SPAN)], 1),
      ]) {
        await assertRefused(await imageOf(given, SPAN), "FORMAT_INVALID", "GC_SNAPSHOT_UNREADABLE");
      }
    });

    it("a chunk that is longer or shorter than the map says", async () => {
      const [id] = await store(["chunk", noise(8, 5000)]);
      for (const length of [4999, 5001, 1]) {
        const page = encodeImagePage({ lengths: Uint32Array.of(length, zeroEntry(SPAN - length)), ids: id! });
        const manifest = await imageOf(page, SPAN);
        const error = await assertCode(
          restoreToFile(test, manifest, "root", join(folder.path, "x")),
          "RESTORE_DAMAGED",
        );
        assert.match(error.message, /5000 bytes/);
        await assertCode(test.restore(manifest, "root"), "RESTORE_DAMAGED");
        const skipped = await restoreToFile(test, manifest, "root", join(folder.path, "y"), { skipDamaged: true });
        assert.deepEqual(
          skipped.lost.map(({ offset, length: lost }) => [offset, lost]),
          [[0, length]],
        );
        assert.ok(skipped.bytes.every((byte) => byte === 0) && skipped.bytes.length === SPAN);
        await rm(join(folder.path, "y"));
      }
    });

    it("a page that says that a chunk has two gigabytes takes no memory for them", async () => {
      const [id] = await store(["chunk", noise(8, 5000)]);
      const length = 0x7000_0000;
      const manifest = await imageOf(encodeImagePage({ lengths: Uint32Array.of(length), ids: id! }), length, {
        span: length,
      });
      const before = process.memoryUsage().rss;
      await assertRefused(manifest, "FORMAT_INVALID", "GC_SNAPSHOT_UNREADABLE");
      assert.ok(process.memoryUsage().rss - before < 300 * 2 ** 20);
    });

    it("as many tiny entries as a page can hold: restored in bounded memory and time", async () => {
      const [id] = await store(["chunk", Uint8Array.of(7)]);
      const chunks = 100_000;
      const lengths = new Uint32Array(2 * chunks).map((_, i) => (i % 2 === 0 ? 1 : zeroEntry(1)));
      const ids = new Uint8Array(32 * chunks);
      for (let i = 0; i < chunks; i++) ids.set(id!, 32 * i);
      const imageBytes = 2 * chunks;
      const manifest = await imageOf(encodeImagePage({ lengths, ids }), imageBytes, { span: imageBytes });
      const started = performance.now();
      const before = process.memoryUsage().rss;
      const restored = await test.restore(manifest, "root");
      const expected = new Uint8Array(imageBytes).map((_, i) => (i % 2 === 0 ? 7 : 0));
      assert.ok(Buffer.from(restored).equals(Buffer.from(expected)));
      const written = await restoreToFile(test, manifest, "root", join(folder.path, "tiny"), { verify: false });
      assert.ok(Buffer.from(written.bytes).equals(Buffer.from(expected)));
      assert.ok((await test.verify()).ok);
      assert.ok(process.memoryUsage().rss - before < 500 * 2 ** 20, "memory");
      assert.ok(performance.now() - started < 200_000, "time");
    });

    it("a blob above 4 MiB is not stored at all", async () => {
      await assertCode(store(["page", noise(3, 4 * 1024 * 1024 + 1)]), "BLOB_TOO_LARGE");
      await store(["file", noise(3, 4 * 1024 * 1024)]);
    });

    it("two million entries of zeros are no page", async () => {
      const lengths = new Uint32Array(1_048_000).fill(zeroEntry(1));
      const page = encodeImagePage({ lengths, ids: new Uint8Array(0) });
      // Too large for a blob of 4 MiB when doubled; one page of a million is refused for its form.
      await assertRefused(
        await imageOf(page, lengths.length, { span: lengths.length }),
        "FORMAT_INVALID",
        "GC_SNAPSHOT_UNREADABLE",
      );
    });

    it("an empty disk of 64 TiB is looked through at once", async () => {
      const span = 2 ** 30;
      const [root] = await store([
        "root",
        encodeImageRoot({ imageBytes: 2 ** 46, pageSpanBytes: span, pageIds: new Uint8Array(32 * 65_536) }),
      ]);
      const started = performance.now();
      await snapshotOf(root!, 2 ** 46);
      assert.equal((await test.verify()).ok, true);
      await test.gc();
      assert.ok(performance.now() - started < 90_000);
    });

    it("a manifest with names that lead elsewhere, or another id, counts as unreadable and is named", async () => {
      const plain = JSON.parse(Buffer.from(encodeManifest(honest)).toString()) as { [name: string]: JsonValue };
      const archive = (plain.archives as { [name: string]: JsonValue }[])[0]!;
      const changes: { [name: string]: JsonValue }[] = [
        { archives: [{ ...archive, name: "../../etc/cron.d/x" }] },
        { archives: [{ ...archive, name: "\u001b]0;x\u0007" }] },
        { archives: [archive, archive] },
        { group: "vm/../../x" },
        { namespace: "../x" },
        { time: "9999-99-99T99:99:99Z" },
        { sid: honest.sid },
        { version: 2 },
      ];
      const keys: string[] = [];
      for (const change of changes) {
        const sid = test.repository.newId();
        keys.push(objectName.snapshot(sid));
        const bytesOf = encodeCanonicalJson({ ...plain, sid, ...change });
        await test.repository.objects.write(objectName.snapshot(sid), "snapshot", bytesOf);
      }
      const { snapshots, unreadable } = await test.catalog();
      assert.deepEqual(
        snapshots.map(({ sid }) => sid),
        [honest.sid],
      );
      assert.deepEqual(unreadable.map(({ object }) => object).sort(), keys.sort());
      const { objects, ok } = await test.verify();
      assert.equal(ok, false);
      assert.deepEqual(
        objects.problems.map(({ object }) => object),
        keys,
      );
      const error = await assertCode(test.gc(), "GC_SNAPSHOT_UNREADABLE");
      assert.ok(keys.includes(error.data.object as string));
    });

    it("a file that is a disk and a disk that is a file", async () => {
      const [file] = await store(["file", noise(9, 700)]);
      await assertRefused(await snapshotOf(file!, 700), "FORMAT_INVALID", "GC_SNAPSHOT_UNREADABLE");
    });

    it("a hundred thousand records about nothing", async () => {
      const sids = Array.from({ length: 1000 }, (_, i) => Buffer.from(noise(i + 50, 16)).toString("hex") as Sid);
      for (let i = 0; i < 100; i++) {
        const rid = test.repository.newId();
        const record = {
          version: 1,
          rid,
          snapshots: sids,
          sequence: Number.MAX_SAFE_INTEGER,
          at: "",
          by: "",
          type: "tags",
          data: { tags: ["x"] },
        };
        await test.repository.objects.write(objectName.record(rid), "record", encodeCanonicalJson(record));
      }
      const started = performance.now();
      const { snapshots } = await test.catalog();
      assert.deepEqual(
        snapshots.map(({ tags }) => tags),
        [[]],
      );
      assert.ok(performance.now() - started < 90_000);
    });
  });
}
