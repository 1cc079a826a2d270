// What the local backend makes of failing system calls. The calls are Node's, with one of them replaced.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as fsPromises from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isOurError } from "../../core/errors.js";
import type { Backend } from "../../core/storage/backend.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { localError } from "../../core/storage/localErrors.js";
import type { FileCalls } from "../../core/storage/localFiles.js";
import { assertCode } from "../support/assertCode.js";
import { listKeys } from "../support/listing.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const before = new Uint8Array([1, 2, 3, 4]);
const after = new Uint8Array(100_000).fill(5);
const system: FileCalls = { ...fsPromises };

describe("local backend on failing system calls", () => {
  let folder: TemporaryFolder;
  let root: string;
  let calls: FileCalls;
  let backend: Backend;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("faults");
    calls = { ...system };
    root = fs.realpathSync(folder.path);
    backend = await openLocalBackend(folder.path, { calls });
    await backend.put("config", before);
    await backend.put("packs/x", before);
  });
  afterEach(() => folder.remove());

  /** No unfinished file, and nothing but what beforeEach stored. */
  async function assertUntouched(): Promise<void> {
    assert.deepEqual(fs.readdirSync(join(folder.path, "tmp")), []);
    const reader = await openLocalBackend(folder.path);
    const keys: string[] = [];
    for await (const { key } of reader.list("")) keys.push(key);
    assert.deepEqual(keys, ["config", "packs/x"]);
    for (const key of keys) assert.deepEqual(await reader.get(key), before);
  }

  /** Files and folders opened from now on fail in one method. */
  function breakHandles(method: "sync" | "writeFile" | "close", code: string, which: (path: string) => boolean): void {
    calls.open = (async (...args: Parameters<FileCalls["open"]>) => {
      const handle = await fsPromises.open(...args);
      if (!which(String(args[0]))) return handle;
      const original = handle[method].bind(handle) as (...args: unknown[]) => Promise<unknown>;
      const broken = async () => {
        if (method === "writeFile") await original(after.subarray(0, 1000));
        if (method === "close") await original();
        throw systemError(code);
      };
      return Object.assign(handle, { [method]: broken });
    }) as FileCalls["open"];
  }

  const isTemporary = (path: string) => dirname(path) === join(root, "tmp");

  for (const [code, expected] of [
    ["ENOSPC", "STORAGE_FULL"],
    ["EDQUOT", "STORAGE_FULL"],
    ["EIO", "STORAGE_FAILED"],
  ] as const) {
    for (const method of ["writeFile", "sync", "close"] as const) {
      it(`${code} in ${method}: ${expected}, and nothing changes`, async () => {
        breakHandles(method, code, isTemporary);
        await assertCode(backend.put("config", after), expected);
        await assertCode(backend.put("new/folder/x", after), expected);
        await assertCode(backend.putIfAbsent("y", after), expected);
        await assertUntouched();
      });
    }
    it(`${code} in rename, link, mkdir and open`, async () => {
      for (const call of ["rename", "link", "mkdir"] as const) {
        calls[call] = (() => Promise.reject(systemError(code))) as never;
        if (call !== "link") await assertCode(backend.put(`put-${call}/x`, after), expected);
        if (call !== "rename") await assertCode(backend.putIfAbsent(`once-${call}/x`, after), expected);
        calls[call] = system[call] as never;
      }
      calls.open = () => Promise.reject(systemError(code));
      await assertCode(backend.put("config", after), expected);
      await assertUntouched();
    });
  }

  it("EROFS in open: STORAGE_READ_ONLY for a put, STORAGE_FAILED for a get", async () => {
    calls.open = () => Promise.reject(systemError("EROFS"));
    const error = await assertCode(backend.put("config", after), "STORAGE_READ_ONLY");
    assert.equal(error.data.path, root);
    assert.equal(error.data.key, "config");
    calls.open = () => Promise.reject(systemError("EACCES"));
    const refused = await assertCode(backend.get("config"), "STORAGE_FAILED");
    assert.match(refused.hint ?? "", /permissions/);
    await assertUntouched();
  });

  it("flushes the file before it gets its name, and the folder after", async () => {
    const log: string[] = [];
    const watch = (call: "rename" | "link") => {
      calls[call] = async (from, to) => {
        log.push(call);
        return await system[call](from, to);
      };
    };
    watch("rename");
    watch("link");
    calls.open = (async (...args: Parameters<FileCalls["open"]>) => {
      const handle = await fsPromises.open(...args);
      const sync = handle.sync.bind(handle);
      const name = isTemporary(String(args[0])) ? "file" : basename(String(args[0]));
      return Object.assign(handle, { sync: () => sync().then(() => log.push(`flush ${name}`)) });
    }) as FileCalls["open"];
    await backend.put("index/a", after);
    assert.deepEqual(
      log,
      ["flush file", `flush ${basename(root)}`, "rename", "flush index"],
      "index is flushed into the root once",
    );
    log.length = 0;
    await backend.put("index/b", after);
    await backend.putIfAbsent("index/c", after);
    assert.deepEqual(log, ["flush file", "rename", "flush index", "flush file", "link", "flush index"]);
    log.length = 0;
    assert.equal(await backend.putIfAbsent("index/c", after), "exists");
    assert.equal(log.at(-1), "flush index", "somebody else's object is durable too before it decides anything");
    log.length = 0;
    await backend.delete("index/a");
    assert.deepEqual(log, ["flush index"]);
  });

  it("does not need folders that can be flushed", async () => {
    for (const code of ["EINVAL", "ENOTSUP", "EISDIR", "EPERM", "EACCES"]) {
      breakHandles("sync", code, (path) => path === root);
      await backend.put("config", before);
      calls.open = ((path, ...rest) =>
        path === root ? Promise.reject(systemError(code)) : fsPromises.open(path, ...rest)) as FileCalls["open"];
      await backend.put("config", before);
    }
    breakHandles("sync", "EIO", (path) => path === root);
    await assertCode(backend.put("config", before), "STORAGE_FAILED");
    calls.open = fsPromises.open;
    await assertUntouched();
  });

  it("tells a file system without hard links from a folder that refuses names", async () => {
    for (const code of ["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"]) {
      calls.link = () => Promise.reject(systemError(code));
      const error = await assertCode(backend.putIfAbsent("y", after), "PUT_IF_ABSENT_UNSUPPORTED");
      assert.equal(error.family, "unsupported");
      assert.ok(error.hint);
    }
    await backend.put("config", before);
    calls.link = (from, to) =>
      isTemporary(String(to)) ? fsPromises.link(from, to) : Promise.reject(systemError("EPERM"));
    await assertCode(backend.putIfAbsent("y", after), "STORAGE_READ_ONLY");
    await assertUntouched();
  });

  it("believes the link count when the reply to link was lost and its repetition failed (NFS)", async () => {
    calls.link = async (from, to) => {
      await fsPromises.link(from, to);
      await fsPromises.link(from, to);
    };
    assert.equal(await backend.putIfAbsent("y", after), "created");
    assert.equal(await backend.putIfAbsent("packs/x", after), "exists");
    assert.deepEqual(await backend.get("y"), after);
    assert.equal(fs.statSync(join(folder.path, "y")).nlink, 1);
  });

  it("takes an unmounted disk for a failure, never for an empty storage", async () => {
    const gone: [string, () => Promise<unknown>][] = [
      ["other device", async () => ({ dev: -1n })],
      ["no folder", () => Promise.reject(systemError("ENOENT"))],
      ["input/output error", () => Promise.reject(systemError("EIO"))],
    ];
    for (const [name, stat] of gone) {
      calls.stat = stat as FileCalls["stat"];
      await assertCode(listKeys(backend, ""), "STORAGE_FAILED", name);
      await assertCode(listKeys(backend, "sessions/"), "STORAGE_FAILED", name);
      await assertCode(backend.get("none"), "STORAGE_FAILED", name);
      await assertCode(backend.stat("none/x"), "STORAGE_FAILED", name);
      await assertCode(backend.delete("none"), "STORAGE_FAILED", name);
      await assertCode(backend.put("config", after), "STORAGE_FAILED", name);
      await assertCode(backend.putIfAbsent("y", after), "STORAGE_FAILED", name);
    }
    calls.stat = fsPromises.stat;
    await assertUntouched();
  });

  it("notices a disk that is unmounted during a listing", async () => {
    let stats = 0;
    calls.stat = (async (...args: Parameters<FileCalls["stat"]>) =>
      ++stats === 1 ? await fsPromises.stat(...args) : { dev: -1n }) as FileCalls["stat"];
    await assertCode(listKeys(backend, "packs/"), "STORAGE_FAILED");
  });

  it("fails a listing when a folder or a file cannot be looked at", async () => {
    for (const call of ["readdir", "lstat"] as const) {
      for (const code of ["EIO", "EMFILE", "EACCES"]) {
        calls[call] = (() => Promise.reject(systemError(code))) as never;
        const error = await assertCode(listKeys(backend, "packs/"), "STORAGE_FAILED");
        assert.equal(error.retry, code === "EMFILE" ? "later" : "never");
      }
      calls[call] = system[call] as never;
    }
  });

  it("lists what is left when files and folders vanish meanwhile", async () => {
    await backend.put("packs/y", before);
    await backend.put("z/x", before);
    calls.readdir = (async (...args: Parameters<typeof fsPromises.readdir>) => {
      const entries = await fsPromises.readdir(...args);
      fs.rmSync(join(folder.path, "packs/y"), { force: true });
      fs.rmSync(join(folder.path, "z"), { recursive: true, force: true });
      return entries;
    }) as FileCalls["readdir"];
    assert.deepEqual(await listKeys(backend, ""), ["config", "packs/x"]);
  });

  it("shows a file that one of two readings of its folder misses", async () => {
    let reading = 0;
    calls.readdir = (async (...args: Parameters<typeof fsPromises.readdir>) => {
      const entries = await fsPromises.readdir(...args);
      return reading++ % 2 === 0 ? [] : entries;
    }) as FileCalls["readdir"];
    assert.deepEqual(await listKeys(backend, "packs/"), ["packs/x"]);
  });

  it("says so when a file ends before its size", async () => {
    calls.open = (async (...args: Parameters<FileCalls["open"]>) => {
      const handle = await fsPromises.open(...args);
      return Object.assign(handle, { stat: async () => ({ isFile: () => true, size: 100, mtimeMs: 0 }) });
    }) as FileCalls["open"];
    await assertCode(backend.get("config"), "STORAGE_FAILED");
  });

  it("names the remedy when a folder inside is a mount of its own", async () => {
    calls.rename = () => Promise.reject(systemError("EXDEV"));
    assert.match((await assertCode(backend.put("config", after), "STORAGE_FAILED")).hint ?? "", /one file system/);
    await assertUntouched();
  });
});

describe("local errors", () => {
  it("keep the cause and say what was done to what", () => {
    const cause = systemError("ENOSPC");
    const error = localError(cause, { operation: "put", key: "packs/x", path: "/backup" });
    assert.ok(isOurError(error, "STORAGE_FULL"));
    assert.deepEqual(error.data, { operation: "put", key: "packs/x", path: "/backup", systemError: "ENOSPC" });
    assert.equal(error.cause, cause);
    assert.equal(error.retry, "later");
    assert.ok(isOurError(localError("odd", { operation: "get", path: "/backup" }), "STORAGE_FAILED"));
    assert.equal(localError(error, { operation: "get", path: "/other" }), error);
  });
});

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code, syscall: "test", errno: -1 });
}
