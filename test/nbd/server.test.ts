import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import fc from "fast-check";
import { NbdClient } from "../../core/nbd/client.js";
import type { NbdExport } from "../../core/nbd/export.js";
import { type NbdServer, startNbdServer } from "../../core/nbd/server.js";
import { tlsOptions } from "../../core/nbd/serverTls.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const run = promisify(execFile);
const BLOCK = 65_536;

/** 4 MiB and a bit: noise, a hole of 2 MiB, noise again. */
function makeDisk(): Uint8Array {
  const disk = new Uint8Array(4 * 1024 * 1024 + 512);
  disk.set(noise(1, 1024 * 1024), 0);
  disk.set(noise(2, 1024 * 1024 + 512), 3 * 1024 * 1024);
  return disk;
}

function exportOf(disk: Uint8Array, name = "disk0"): NbdExport {
  return {
    name,
    description: "a test",
    sizeBytes: disk.length,
    read: async (buffer, offset) => {
      if (offset === 13) throw new Error("cannot be read");
      buffer.set(disk.subarray(offset, offset + buffer.length));
    },
    extents: async (offset, length) => {
      const extents = [];
      for (let at = offset; at < offset + length; ) {
        const size = Math.min(BLOCK - (at % BLOCK), offset + length - at);
        extents.push({ offset: at, length: size, zero: disk.subarray(at, at + size).every((byte) => byte === 0) });
        at += size;
      }
      return extents;
    },
  };
}

describe("NBD server", function () {
  this.timeout(60_000);
  const disk = makeDisk();
  let folder: TemporaryFolder;
  let server: NbdServer;
  let socketPath: string;
  const errors: unknown[] = [];

  before(async () => {
    folder = await makeTemporaryFolder("nbd");
    socketPath = join(folder.path, "nbd.sock");
    const exports = [exportOf(disk), exportOf(noise(5, 3000), "small")];
    server = await startNbdServer({ address: { socketPath }, exports, onError: (error) => errors.push(error) });
  });
  after(async () => {
    await server.close();
    await folder.remove();
  });

  it("lets only its owner in, refuses a taken socket, and removes its file in the end", async () => {
    assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
    await assertCode(startNbdServer({ address: { socketPath }, exports: [] }), "NBD_ADDRESS_TAKEN");
    const path = join(folder.path, "other.sock");
    const other = await startNbdServer({ address: { socketPath: path }, exports: [exportOf(disk)] });
    await other.close();
    await other.close();
    assert.equal(existsSync(path), false);
  });

  it("serves our own client any range, and zeros as holes", async () => {
    const client = await NbdClient.connect({ socketPath }, { exportName: "disk0", contexts: ["base:allocation"] });
    try {
      assert.equal(client.sizeBytes, disk.length);
      assert.deepEqual([client.readOnly, client.canMultiConn], [true, true]);
      await fc.assert(
        fc.asyncProperty(fc.nat(disk.length - 1), fc.integer({ min: 1, max: 200_000 }), async (offset, wanted) => {
          fc.pre(offset !== 13);
          const buffer = new Uint8Array(Math.min(wanted, disk.length - offset));
          await client.read(buffer, offset);
          assert.deepEqual(buffer, disk.subarray(offset, offset + buffer.length));
        }),
        { numRuns: 60 },
      );
    } finally {
      await client.close();
    }
  });

  it("tells the client that a read failed, and goes on", async () => {
    const client = await NbdClient.connect({ socketPath }, { exportName: "disk0" });
    try {
      await assert.rejects(client.read(new Uint8Array(10), 13), /cannot be read|EIO/);
      assert.equal((errors.at(-1) as Error).message, "cannot be read");
      await client.read(new Uint8Array(10), 14);
    } finally {
      await client.close();
    }
  });

  it("refuses an export that it does not have", async () => {
    await assert.rejects(NbdClient.connect({ socketPath }, { exportName: "nothing" }));
  });

  it("is read right by nbdcopy, nbdinfo and qemu-img, with its holes", async () => {
    const uri = `nbd+unix:///disk0?socket=${socketPath}`;
    const [raw, copy] = [join(folder.path, "raw"), join(folder.path, "copy")];
    await writeFile(raw, disk);
    await run("nbdcopy", [uri, copy]);
    assert.ok(disk.length === (await stat(copy)).size && Buffer.compare(await readFile(copy), disk) === 0);
    const { stdout } = await run("nbdinfo", ["--json", "--map=base:allocation", uri]);
    const map = JSON.parse(stdout) as { offset: number; length: number; type: number }[];
    assert.deepEqual(
      map.map(({ offset, length, type }) => [offset, length, type]),
      [
        [0, 1024 * 1024, 0],
        [1024 * 1024, 2 * 1024 * 1024, 3],
        [3 * 1024 * 1024, 1024 * 1024 + 512, 0],
      ],
    );
    const compared = await run("qemu-img", ["compare", "-f", "raw", "-F", "raw", raw, uri]);
    assert.match(compared.stdout, /identical/);
    const listed = await run("nbdinfo", ["--list", "--json", `nbd+unix:///?socket=${socketPath}`]);
    const names = (JSON.parse(listed.stdout) as { exports: { "export-name": string }[] }).exports;
    assert.deepEqual(names.map((one) => one["export-name"]).sort(), ["disk0", "small"]);
  });

  it("serves twenty clients at once", async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => NbdClient.connect({ socketPath }, { exportName: "disk0" })),
    );
    await Promise.all(
      clients.map(async (client, i) => {
        const buffer = new Uint8Array(disk.length - 100 - i);
        await client.read(buffer, 100 + i);
        assert.ok(Buffer.compare(buffer, disk.subarray(100 + i)) === 0);
      }),
    );
    await Promise.all(clients.map((client) => client.close()));
  });

  it("asks for TLS when it has keys, and gives nothing without", async () => {
    const key = randomBytes(32).toString("hex");
    const keys = join(folder.path, "keys.psk");
    await writeFile(keys, `alice:${key}\n`);
    const path = join(folder.path, "tls.sock");
    const tls = tlsOptions({ pskLines: `# made for a test\nalice:${key}\n` });
    const secure = await startNbdServer({ address: { socketPath: path }, exports: [exportOf(disk)], tls });
    try {
      const copy = join(folder.path, "tls-copy");
      await run("nbdcopy", [`nbds+unix://alice@/disk0?socket=${path}&tls-psk-file=${keys}`, copy]);
      assert.ok(Buffer.compare(await readFile(copy), disk) === 0);
      await assert.rejects(run("nbdinfo", [`nbd+unix:///disk0?socket=${path}`]));
      await writeFile(keys, `alice:${randomBytes(32).toString("hex")}\n`);
      await assert.rejects(run("nbdinfo", [`nbds+unix://alice@/disk0?socket=${path}&tls-psk-file=${keys}`]));
    } finally {
      await secure.close();
    }
  });

  it("refuses keys that are none, without repeating them", async () => {
    for (const text of ["", "alice", "alice:abc", `alice:${"zz".repeat(20)}`]) {
      await assertCode(
        Promise.resolve().then(() => tlsOptions({ pskLines: text })),
        "NBD_TLS_INVALID",
      ).then((error) => assert.ok(text === "" || !error.message.includes(text)));
    }
  });

  it("answers at most sixteen requests of a client that does not read", async () => {
    let [running, most] = [0, 0];
    const slow: NbdExport = {
      ...exportOf(disk),
      read: async () => {
        most = Math.max(most, ++running);
        await sleep(5);
        running--;
      },
    };
    const path = join(folder.path, "slow.sock");
    const other = await startNbdServer({ address: { socketPath: path }, exports: [slow] });
    const requests = Array.from({ length: 500 }, () => request(0, 0n, 1024 * 1024));
    const socket = connect(path);
    socket.pause();
    socket.write(Buffer.concat([Buffer.from([0, 0, 0, 3]), go("disk0"), ...requests]));
    while (most < 2) await sleep(5);
    await sleep(500);
    assert.ok(most <= 16, `${most}`);
    socket.destroy();
    await other.close();
  });

  it("survives clients that send rubbish, stop in the middle, or ask for too much", async () => {
    const hello = Buffer.concat([Buffer.from([0, 0, 0, 3]), go("disk0")]);
    const rubbish: Uint8Array[] = [
      new Uint8Array(0),
      noise(9, 5000),
      Buffer.from([0, 0, 0, 255]),
      Buffer.concat([Buffer.from([0, 0, 0, 3]), optionHeader(7, 0xffff_ffff)]),
      Buffer.concat([Buffer.from([0, 0, 0, 3]), optionHeader(7, 4), Buffer.from([255, 255, 255, 255])]),
      Buffer.concat([Buffer.from([0, 0, 0, 3]), optionHeader(10, 8), Buffer.from([0, 0, 0, 0, 255, 255, 255, 255])]),
      Buffer.concat([hello, request(0, 0n, 0xffff_ffff)]),
      Buffer.concat([hello, request(0, 2n ** 63n, 10)]),
      Buffer.concat([hello, request(1, 0n, 0xffff_ffff)]),
      Buffer.concat([hello, request(7, 0n, 10), request(99, 0n, 10), request(0, 0n, 512)]),
      Buffer.concat([hello, ...Array.from({ length: 500 }, () => request(0, 0n, 1024 * 1024))]),
    ];
    for (const bytes of rubbish) await speak(socketPath, bytes);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (tail) => speak(socketPath, Buffer.concat([hello, tail]))),
      { numRuns: 50 },
    );
    const client = await NbdClient.connect({ socketPath }, { exportName: "small" });
    await client.read(new Uint8Array(3000), 0);
    await client.close();
    for (let i = 0; i < 1200 && server.clientCount > 0; i++) await sleep(50);
    assert.equal(server.clientCount, 0);
  });
});

function optionHeader(option: number, length: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(0x49484156454f5054n, 0);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(length, 12);
  return bytes;
}

function go(name: string): Buffer {
  const data = Buffer.alloc(4 + name.length + 2);
  data.writeUInt32BE(name.length, 0);
  data.write(name, 4);
  return Buffer.concat([optionHeader(7, data.length), data]);
}

function request(command: number, offset: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt32BE(0x25609513, 0);
  bytes.writeUInt16BE(command, 6);
  bytes.writeBigUInt64BE(7n, 8);
  bytes.writeBigUInt64BE(offset, 16);
  bytes.writeUInt32BE(length, 24);
  return bytes;
}

/** Sends all of it, reads what comes for a moment, and leaves without a word. */
async function speak(path: string, bytes: Uint8Array): Promise<void> {
  const socket: Socket = connect(path);
  socket.on("error", () => {});
  socket.resume();
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(bytes);
  await sleep(10);
  socket.destroy();
}
