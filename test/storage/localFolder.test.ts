// What a folder can hold that is no object of ours: links, pipes, leftovers, giants. On the real file system.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { assertCode } from "../support/assertCode.js";
import { listKeys } from "../support/listing.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const bytes = new Uint8Array([1, 2, 3, 4]);

describe("local folder", () => {
  let folder: TemporaryFolder;
  let root: string;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("folder");
    root = join(folder.path, "repository");
    fs.mkdirSync(root);
  });
  afterEach(() => folder.remove());

  describe("opening", () => {
    it("makes the folder and its parents only when asked", async () => {
      const deep = join(folder.path, "a/b/c");
      await assertCode(openLocalBackend(deep), "STORAGE_NOT_FOUND");
      assert.equal(fs.existsSync(join(folder.path, "a")), false);
      const backend = await openLocalBackend(deep, { create: true });
      await backend.put("packs/0a/x", bytes);
      for (const path of ["", "tmp", "packs", "packs/0a"]) assert.equal(modeOf(join(deep, path)), 0o700, path);
      assert.equal(modeOf(join(deep, "packs/0a/x")), 0o600);
      assert.deepEqual(await (await openLocalBackend(deep, { create: true })).get("packs/0a/x"), bytes);
    });

    it("refuses what is no folder", async () => {
      const file = join(folder.path, "file");
      fs.writeFileSync(file, "x");
      for (const create of [false, true]) {
        await assertCode(openLocalBackend(file, { create }), "STORAGE_LOCATION_INVALID");
        await assertCode(openLocalBackend(join(file, "below"), { create }), "STORAGE_LOCATION_INVALID");
      }
    });

    it("goes through a link to the folder, once and for all", async () => {
      const link = join(folder.path, "link");
      fs.symlinkSync(root, link);
      const backend = await openLocalBackend(link);
      assert.equal(backend.location, fs.realpathSync(root));
      fs.unlinkSync(link);
      await backend.put("a", bytes);
      assert.ok(fs.existsSync(join(root, "a")));
    });

    it("writes nothing into a folder that is only read", async () => {
      const backend = await openLocalBackend(root);
      await listKeys(backend);
      await backend.get("a").catch(() => undefined);
      assert.deepEqual(fs.readdirSync(root), []);
    });

    it("removes unfinished files after a day, and nothing else", async () => {
      const tmp = join(root, "tmp");
      fs.mkdirSync(tmp);
      const stale = "4711-0123456789abcdef";
      const kept = ["4711-0123456789abcdee", "notes.txt", "4711-0123456789abcdef0"];
      for (const name of [stale, ...kept]) fs.writeFileSync(join(tmp, name), "x");
      const dayAgo = Date.now() / 1000 - 24 * 3600;
      for (const name of [stale, ...kept.slice(1)]) fs.utimesSync(join(tmp, name), dayAgo - 60, dayAgo - 60);
      fs.utimesSync(join(tmp, kept[0]!), dayAgo + 60, dayAgo + 60);
      const backend = await openLocalBackend(root);
      assert.deepEqual(fs.readdirSync(tmp).sort(), [...kept].sort());
      assert.deepEqual(await listKeys(backend), []);
    });
  });

  describe("symbolic links", () => {
    it("refuses to open with a link directly inside", async () => {
      for (const name of ["packs", "tmp", "config"]) {
        fs.symlinkSync(join(folder.path, "elsewhere"), join(root, name));
        await assertCode(openLocalBackend(root), "STORAGE_SYMLINK");
        fs.unlinkSync(join(root, name));
      }
    });

    it("does not go through a folder that became a link later", async () => {
      const outside = join(folder.path, "outside");
      fs.mkdirSync(outside);
      fs.writeFileSync(join(outside, "victim"), "precious");
      const backend = await openLocalBackend(root);
      await backend.put("seen/x", bytes);
      for (const name of ["packs", "seen"]) {
        fs.rmSync(join(root, name), { recursive: true, force: true });
        fs.symlinkSync(outside, join(root, name));
        await assertCode(backend.put(`${name}/victim`, bytes), "STORAGE_SYMLINK");
        await assertCode(backend.put(`${name}/0a/new`, bytes), "STORAGE_SYMLINK");
        await assertCode(backend.putIfAbsent(`${name}/new`, bytes), "STORAGE_SYMLINK");
        await assertCode(backend.delete(`${name}/victim`), "STORAGE_SYMLINK");
        await assertCode(listKeys(backend, `${name}/`), "STORAGE_SYMLINK");
      }
      await assertCode(backend.get("packs/victim"), "STORAGE_SYMLINK");
      fs.rmSync(join(root, "tmp"), { recursive: true });
      fs.symlinkSync(outside, join(root, "tmp"));
      await assertCode(backend.put("b", bytes), "STORAGE_SYMLINK");
      assert.deepEqual(fs.readdirSync(outside), ["victim"]);
      assert.equal(fs.readFileSync(join(outside, "victim"), "utf8"), "precious");
    });

    it("never reads, writes or removes the file behind a link with an object's name", async () => {
      const outside = join(folder.path, "outside");
      fs.writeFileSync(outside, "precious");
      const backend = await openLocalBackend(root);
      await backend.put("packs/x", bytes);
      fs.symlinkSync(outside, join(root, "packs/link"));
      fs.symlinkSync(folder.path, join(root, "packs/folder-link"));
      assert.deepEqual(await listKeys(backend), ["packs/x"]);
      await assertCode(backend.get("packs/link"), "OBJECT_NOT_FOUND");
      await assertCode(backend.stat("packs/link"), "OBJECT_NOT_FOUND");
      assert.equal(await backend.putIfAbsent("packs/link", bytes), "exists");
      await backend.put("packs/link", bytes);
      assert.deepEqual(await backend.get("packs/link"), bytes);
      fs.rmSync(join(root, "packs/link"));
      fs.symlinkSync(outside, join(root, "packs/link"));
      await backend.delete("packs/link");
      assert.equal(fs.readFileSync(outside, "utf8"), "precious");
    });
  });

  it("ignores pipes, folders in place of objects, and names that no object has", async () => {
    const backend = await openLocalBackend(root);
    await backend.put("packs/x", bytes);
    execFileSync("mkfifo", [join(root, "packs/pipe")]);
    fs.mkdirSync(join(root, "packs/folder"));
    for (const name of ["a b", "lost+found", "é", "x~"]) fs.writeFileSync(join(root, "packs", name), "x");
    fs.mkdirSync(join(root, "lost+found"));
    fs.writeFileSync(join(root, "lost+found/inside"), "x");
    assert.deepEqual(await listKeys(backend), ["packs/x"]);
    await assertCode(backend.get("packs/pipe"), "OBJECT_NOT_FOUND");
    await assertCode(backend.get("packs/folder"), "OBJECT_NOT_FOUND");
    await assertCode(backend.stat("packs/folder"), "OBJECT_NOT_FOUND");
  });

  it("loads no object of absurd size, yet reads ranges of it", async () => {
    const backend = await openLocalBackend(root);
    fs.writeFileSync(join(root, "config"), "");
    fs.truncateSync(join(root, "config"), 20 * 2 ** 30);
    await assertCode(backend.get("config"), "OBJECT_TOO_LARGE");
    await assertCode(backend.get("config", { range: { offset: 0, length: 10 * 2 ** 30 } }), "OBJECT_TOO_LARGE");
    await assertCode(backend.get("config", { range: { offset: -(10 * 2 ** 30), length: 0 } }), "OBJECT_TOO_LARGE");
    assert.deepEqual(await backend.get("config", { range: { offset: -4, length: 4 } }), new Uint8Array(4));
    assert.equal((await backend.stat("config")).sizeBytes, 20 * 2 ** 30);
  });

  it("fails, and leaves no unfinished file, when a file stands where a folder is needed", async () => {
    const backend = await openLocalBackend(root);
    await backend.put("packs", bytes);
    await assertCode(backend.put("packs/0a/x", bytes), "STORAGE_FAILED");
    await assertCode(backend.putIfAbsent("packs/x", bytes), "STORAGE_FAILED");
    await backend.put("folder/x", bytes);
    await assertCode(backend.put("folder", bytes), "STORAGE_FAILED");
    assert.deepEqual(fs.readdirSync(join(root, "tmp")), []);
    assert.deepEqual(await listKeys(backend), ["folder/x", "packs"]);
  });

  it("makes folders again that somebody removed", async () => {
    const backend = await openLocalBackend(root);
    await backend.put("packs/0a/x", bytes);
    fs.rmSync(join(root, "packs"), { recursive: true });
    fs.rmSync(join(root, "tmp"), { recursive: true });
    await backend.put("packs/0a/x", bytes);
    assert.deepEqual(await backend.get("packs/0a/x"), bytes);
  });

  it("says STORAGE_READ_ONLY when the system refuses to write", async function () {
    const backend = await openLocalBackend(root);
    await backend.put("packs/x", bytes);
    const thaw = freeze(root);
    if (thaw === undefined) this.skip();
    try {
      await assertCode(backend.put("a", bytes), "STORAGE_READ_ONLY");
      await assertCode(backend.putIfAbsent("b", bytes), "STORAGE_READ_ONLY");
      await assertCode(backend.put("new/folder", bytes), "STORAGE_READ_ONLY");
      await assertCode(openLocalBackend(join(root, "new"), { create: true }), "STORAGE_READ_ONLY");
      assert.deepEqual(await backend.get("packs/x"), bytes);
    } finally {
      thaw();
    }
    assert.deepEqual(fs.readdirSync(join(root, "tmp")), []);
  });

  it("keeps no file open", async function () {
    if (!fs.existsSync("/proc/self/fd")) this.skip();
    const backend = await openLocalBackend(root);
    const openFiles = () => fs.readdirSync("/proc/self/fd").flatMap(targetInside(root));
    await backend.put("packs/x", bytes);
    await backend.putIfAbsent("packs/x", bytes);
    await backend.get("packs/none").catch(() => undefined);
    await backend.get("packs/x", { range: { offset: 9, length: 9 } }).catch(() => undefined);
    await backend.get("packs").catch(() => undefined);
    await backend.put("packs", bytes).catch(() => undefined);
    for await (const _ of backend.list("")) break;
    assert.deepEqual(openFiles(), []);
  });
});

/** Makes a folder unwritable for this user, and returns the way back; undefined where that cannot be done. */
function freeze(path: string): (() => void) | undefined {
  if (process.getuid?.() !== 0) {
    fs.chmodSync(path, 0o500);
    return () => fs.chmodSync(path, 0o700);
  }
  try {
    // Permission bits do not stop root; the immutable flag does, on file systems that have it.
    execFileSync("chattr", ["+i", path], { stdio: "ignore" });
    return () => execFileSync("chattr", ["-i", path]);
  } catch {
    return undefined;
  }
}

function targetInside(root: string): (descriptor: string) => string[] {
  return (descriptor) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(root) ? [target] : [];
    } catch {
      return []; // the descriptor of the reading itself
    }
  };
}

function modeOf(path: string): number {
  return fs.statSync(path).mode & 0o777;
}
