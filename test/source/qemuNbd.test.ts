import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NbdClient } from "../../core/nbd/client.js";
import { startQemuNbd } from "../../core/source/qemuNbd.js";
import { isRunning, qemuImg } from "../support/diskImages.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

/** A process of its own that serves an image, tells pid and socket, and then does `then`. */
function startOwner(image: string, then: string): ChildProcess {
  const module = new URL("../../core/source/qemuNbd.js", import.meta.url).href;
  const script = `
    import { startQemuNbd } from ${JSON.stringify(module)};
    const server = await startQemuNbd({ imagePath: ${JSON.stringify(image)}, format: "qcow2", writable: false });
    process.stdout.write(JSON.stringify([server.pid, server.socketPath]) + "\\n");
    ${then}`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
}

async function firstAnswer(owner: ChildProcess): Promise<[number, string]> {
  const line = await new Promise<string>((resolve) => owner.stdout!.once("data", (bytes) => resolve(String(bytes))));
  return JSON.parse(line);
}

async function becomesTrue(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 120_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadlineMs, "waited in vain");
    await sleep(10);
  }
}

describe("qemu-nbd as a child", () => {
  let folder: TemporaryFolder;
  let image: string;
  /** Folders that a killed owner leaves. */
  const left: string[] = [];

  before(async () => {
    folder = await makeTemporaryFolder("qemu-nbd");
    image = join(folder.path, "disk.qcow2");
    await qemuImg("create", "-q", "-f", "qcow2", image, "1M");
  });
  after(async () => {
    for (const path of left) await rm(path, { recursive: true });
    await folder.remove();
  });

  it("is gone after stop, with its folder", async () => {
    const server = await startQemuNbd({ imagePath: image, format: "qcow2", writable: false });
    assert.ok(await isRunning(server.pid));
    assert.equal(await server.stop(), true);
    assert.ok(!(await isRunning(server.pid)));
    assert.ok(!existsSync(dirname(server.socketPath)));
    assert.equal(await server.stop(), true);
  });

  it("is gone after stop even when others are still connected", async () => {
    const server = await startQemuNbd({ imagePath: image, format: "qcow2", writable: false });
    const other = await NbdClient.connect({ socketPath: server.socketPath });
    await server.stop();
    assert.ok(!(await isRunning(server.pid)));
    await other.close();
  });

  it("survives its other clients", async () => {
    const server = await startQemuNbd({ imagePath: image, format: "qcow2", writable: false });
    for (let round = 0; round < 3; round++) {
      const other = await NbdClient.connect({ socketPath: server.socketPath });
      await other.close();
    }
    await server.keeper.read(new Uint8Array(512), 0);
    await server.stop();
  });

  it("serves many clients at once", async () => {
    const server = await startQemuNbd({ imagePath: image, format: "qcow2", writable: false });
    const address = { socketPath: server.socketPath };
    const clients = await Promise.all(Array.from({ length: 40 }, () => NbdClient.connect(address)));
    await Promise.all(clients.map((client) => client.read(new Uint8Array(65536), 4096)));
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  });

  it("dies with its owner by kill -9", async () => {
    const owner = startOwner(image, "setInterval(() => {}, 1000);");
    const [pid, socketPath] = await firstAnswer(owner);
    left.push(dirname(socketPath));
    assert.ok(await isRunning(pid));
    owner.kill("SIGKILL");
    await becomesTrue(async () => !(await isRunning(pid)));
    assert.deepEqual(readdirSync(dirname(socketPath)), []);
  });

  it("sweeps up what killed owners left long ago, and nothing else", async () => {
    const { TMPDIR } = process.env;
    const temporary = join(folder.path, "sweep");
    for (const name of ["reprise-nbd-old", "reprise-nbd-new", "reprise-nbd-busy", "other"]) {
      await mkdir(join(temporary, name), { recursive: true });
    }
    await writeFile(join(temporary, "reprise-nbd-busy", "s"), "");
    for (const name of ["reprise-nbd-old", "reprise-nbd-busy", "other"]) await utimes(join(temporary, name), 1, 1);
    process.env.TMPDIR = temporary;
    try {
      const server = await startQemuNbd({ imagePath: image, format: "qcow2", writable: false });
      await server.stop();
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
    assert.deepEqual(readdirSync(temporary).sort(), ["other", "reprise-nbd-busy", "reprise-nbd-new"]);
  });

  it("dies with its owner by kill -9 where setpriv is missing", async () => {
    const tools = join(folder.path, "tools");
    await mkdir(tools);
    await symlink("/usr/bin/qemu-nbd", join(tools, "qemu-nbd"));
    const { PATH } = process.env;
    process.env.PATH = tools;
    const owner = startOwner(image, "setInterval(() => {}, 1000);");
    process.env.PATH = PATH;
    const [pid, socketPath] = await firstAnswer(owner);
    left.push(dirname(socketPath));
    owner.kill("SIGKILL");
    await becomesTrue(async () => !(await isRunning(pid)));
  });

  it("dies when its owner exits without closing, folder included", async () => {
    const owner = startOwner(image, "process.exit(3);");
    const [pid, socketPath] = await firstAnswer(owner);
    await becomesTrue(async () => !(await isRunning(pid)) && !existsSync(dirname(socketPath)));
  });

  it("does not start after an abort, nor stay", async () => {
    const { TMPDIR } = process.env;
    const temporary = join(folder.path, "tmp");
    await mkdir(temporary);
    process.env.TMPDIR = temporary;
    try {
      const abort = new AbortController();
      const starting = startQemuNbd({ imagePath: image, format: "qcow2", writable: false, signal: abort.signal });
      while (readdirSync(temporary).length === 0) await sleep(1);
      abort.abort();
      await assert.rejects(starting, { name: "AbortError" });
      assert.deepEqual(readdirSync(temporary), []);
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
  });
});
