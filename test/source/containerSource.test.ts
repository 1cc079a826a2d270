import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { NbdClient } from "../../core/nbd/client.js";
import type { BlockSource } from "../../core/source/blockSource.js";
import { type OpenedSource, openSource, reopenSource } from "../../core/source/openSource.js";
import {
  type ContainerFormat,
  contentsByQemu,
  convertImage,
  makeSparseRaw,
  mapByQemu,
  qemuImg,
  qemuIo,
} from "../support/diskImages.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const containers: ContainerFormat[] = ["qcow2", "vmdk", "vhdx", "vdi"];
const sizeBytes = 24 * 1024 * 1024;

async function readAll(source: BlockSource): Promise<Uint8Array> {
  const bytes = noise(9, source.sizeBytes);
  await source.read(bytes, 0);
  return bytes;
}

/** Extents say zero only where the disk is zero, and cover the range exactly. */
async function checkExtents(source: BlockSource, disk: Uint8Array, offset: number, length: number): Promise<void> {
  let at = offset;
  for (const extent of await source.extents(offset, length)) {
    assert.equal(extent.offset, at);
    assert.ok(extent.length > 0);
    at += extent.length;
    if (extent.zero) assert.ok(disk.subarray(extent.offset, at).every((byte) => byte === 0));
  }
  assert.equal(at, offset + length);
}

/** There is a moment between the socket's file and somebody who listens. */
async function connected(connect: () => Promise<NbdClient>): Promise<NbdClient> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe("disk images in containers", () => {
  let folder: TemporaryFolder;
  let opened: OpenedSource | undefined;

  before(async () => {
    folder = await makeTemporaryFolder("container");
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });
  after(() => folder.remove());

  for (const format of containers) {
    it(`of ${format} read as qemu-img reads them`, async () => {
      const raw = join(folder.path, `${format}.raw`);
      const disk = await makeSparseRaw(raw, containers.indexOf(format) + 1, sizeBytes);
      const image = join(folder.path, `disk.${format}`);
      await convertImage(raw, format, image);
      opened = await openSource(image);
      assert.equal(opened.format, format);
      assert.equal(opened.source.sizeBytes, sizeBytes);
      const bytes = await readAll(opened.source);
      assert.deepEqual(bytes, await contentsByQemu(image, format));
      assert.deepEqual(bytes, disk);
      assert.deepEqual(await opened.source.extents(0, sizeBytes), await mapByQemu(image, format));
      for (const [offset, length] of [
        [1, 70_000],
        [65_535, 2],
        [sizeBytes - 513, 513],
        [12345, 5_000_000],
      ] as const) {
        await checkExtents(opened.source, disk, offset, length);
        const part = new Uint8Array(length);
        await opened.source.read(part, offset);
        assert.deepEqual(part, disk.slice(offset, offset + length));
      }
      assert.equal(await opened.changedSinceOpen(), false);
    });
  }

  for (const subformat of ["streamOptimized", "monolithicFlat", "twoGbMaxExtentSparse"]) {
    it(`of vmdk ${subformat} read as qemu-img reads them`, async () => {
      const raw = join(folder.path, `${subformat}.raw`);
      const disk = await makeSparseRaw(raw, 5, 8 * 1024 * 1024);
      const image = join(folder.path, `${subformat}.vmdk`);
      await convertImage(raw, "vmdk", image, "-o", `subformat=${subformat}`);
      opened = await openSource(image);
      assert.deepEqual(await readAll(opened.source), disk);
    });
  }

  it("with compressed clusters and many small reads at once", async () => {
    const raw = join(folder.path, "compressed.raw");
    const disk = await makeSparseRaw(raw, 6, sizeBytes);
    const image = join(folder.path, "compressed.qcow2");
    await convertImage(raw, "qcow2", image, "-c");
    opened = await openSource(image);
    const { source } = opened;
    const reads = Array.from({ length: 300 }, async (_, index) => {
      const offset = (index * 7919 * 101) % (sizeBytes - 5000);
      const part = new Uint8Array(1 + ((index * 37) % 5000));
      await source.read(part, offset);
      assert.deepEqual(part, disk.slice(offset, offset + part.length));
    });
    await Promise.all(reads);
  });

  it("can be opened again by location, also in a worker thread", async () => {
    const raw = join(folder.path, "again.raw");
    const disk = await makeSparseRaw(raw, 7, sizeBytes);
    const image = join(folder.path, "again.qcow2");
    await convertImage(raw, "qcow2", image);
    opened = await openSource(image);
    const again = await reopenSource(opened.location);
    assert.deepEqual(await readAll(again), disk);
    await again.close();
    const script = `
      const { parentPort, workerData } = await import("node:worker_threads");
      const { reopenSource } = await import(workerData.module);
      const source = await reopenSource(workerData.location);
      const bytes = new Uint8Array(source.sizeBytes);
      await source.read(bytes, 0);
      parentPort.postMessage(bytes, [bytes.buffer]);`;
    const module = new URL("../../core/source/openSource.js", import.meta.url).href;
    const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
    const worker = new Worker(url, { workerData: { module, location: opened.location } });
    const bytes = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    assert.deepEqual(bytes, disk);
    // The worker's end closed its connection; the server is ours and lives on.
    assert.deepEqual(await readAll(opened.source), disk);
  });

  it("leave neither process nor folder behind", async () => {
    const image = join(folder.path, "gone.qcow2");
    await qemuImg("create", "-q", "-f", "qcow2", image, "1M");
    const { location, close } = await openSource(image);
    assert.ok(location.kind === "nbd" && existsSync(location.socketPath));
    await close();
    await close();
    assert.ok(!existsSync(dirname(location.socketPath)));
  });

  it("of awkward names are opened, not interpreted", async () => {
    for (const name of ['quote".qcow2', "comma,file.driver=x.qcow2", "json:{}.qcow2", "-o.qcow2", "nbd:x y.qcow2"]) {
      const image = join(folder.path, name);
      await qemuImg("create", "-q", "-f", "qcow2", image, "1M");
      const { source, close } = await openSource(image);
      assert.equal(source.sizeBytes, 1048576);
      await close();
    }
  });

  it("say when the file was changed", async () => {
    const image = join(folder.path, "changed.qcow2");
    await qemuImg("create", "-q", "-f", "qcow2", image, "1M");
    opened = await openSource(image);
    await qemuImg("create", "-q", "-f", "qcow2", `${image}.new`, "1M");
    await rename(`${image}.new`, image);
    assert.equal(await opened.changedSinceOpen(), true);
  });

  it("serve dirty bitmaps as further contexts", async () => {
    const image = join(folder.path, "bitmap.qcow2");
    await qemuImg("create", "-q", "-f", "qcow2", image, "16M");
    await qemuImg("bitmap", "--add", "-g", "65536", "-f", "qcow2", image, "b1");
    await qemuIo(image, "qcow2", "write -P 7 1M 100k");
    const socketPath = join(folder.path, "bitmap.sock");
    const server = spawn("qemu-nbd", ["-r", "-f", "qcow2", "-B", "b1", "-k", socketPath, image]);
    const ended = new Promise((resolve) => server.once("close", resolve));
    while (!existsSync(socketPath)) await new Promise((resolve) => setTimeout(resolve, 5));
    const contexts = ["base:allocation", "qemu:dirty-bitmap:b1"];
    const client = await connected(() => NbdClient.connect({ socketPath }, { contexts }));
    const dirty = await client.map("qemu:dirty-bitmap:b1", 0, client.sizeBytes);
    assert.deepEqual(dirty, [
      { offset: 0, length: 1048576, flags: 0 },
      { offset: 1048576, length: 131072, flags: 1 },
      { offset: 1179648, length: 16 * 1048576 - 1179648, flags: 0 },
    ]);
    assert.ok((await client.map("base:allocation", 0, client.sizeBytes)).length >= 3);
    await client.close();
    await ended;
  });
});
