// SFTP over a bad network and on bad disks, with a real sshd: no hang, no part of an object, errors that say what is wrong.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAbort, isOurError } from "../../../core/errors.js";
import type { Backend } from "../../../core/storage/backend.js";
import { openLocalBackend } from "../../../core/storage/localBackend.js";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { pattern } from "../../conformance/contract.js";
import { SeededChoice } from "../../model/seededChoice.js";
import { assertCode } from "../../support/assertCode.js";
import { listKeys } from "../../support/listing.js";
import { mount, unmount } from "../../support/loopDevice.js";
import { type SshServer, sshServer } from "../../support/sshServer.js";

const MIB = 2 ** 20;

for (const transport of ["ssh2", "ssh"] as const) {
  describe(`SFTP faults over ${transport}`, function () {
    this.timeout(120_000);
    let server: SshServer;
    let root: string;
    let backend: Backend;
    before(async () => {
      server = await sshServer();
    });
    beforeEach(async () => {
      root = server.newRoot();
      backend = await openSftpBackend(server.location(root, { transport }));
    });
    afterEach(() => backend.close());

    it("goes on after cuts at random moments; no operation hangs or leaves a part", async () => {
      let busy = true;
      const chance = new SeededChoice(1);
      const cutting = (async () => {
        for (let cuts = 0; cuts < 8; cuts++) {
          await delay(100 + chance.below(700));
          await server.cut();
        }
        busy = false;
      })();
      const stored = new Map<string, Uint8Array>();
      const worker = async (lane: number) => {
        for (let n = 0; busy; n++) {
          const bytes = pattern(n % 3 === 0 ? 2 * MIB + n : 1000 * n, n);
          await retried(() => backend.put(`packs/${lane}-${n}`, bytes));
          const outcome = await retried(() => backend.putIfAbsent(`snapshots/${lane}-${n}`, bytes));
          assert.equal(outcome, "created", "nobody else was there, and every doubt was settled");
          assert.deepEqual(await retried(() => backend.get(`packs/${lane}-${n}`)), bytes);
          for (const folder of ["packs", "snapshots"]) stored.set(`${folder}/${lane}-${n}`, bytes);
        }
      };
      await Promise.all([cutting, ...[0, 1, 2, 3].map(worker)]);
      assert.deepEqual(await listKeys(backend), [...stored.keys()].sort());
      const local = await openLocalBackend(root);
      for (const [key, bytes] of stored) assert.deepEqual(await local.get(key), bytes);
    });

    it("lets exactly one of 30 racers on several connections win while lines are cut", async () => {
      const others = await Promise.all(
        [1, 2].map(() => openSftpBackend(server.location(root, { transport, connections: 3 }))),
      );
      const chance = new SeededChoice(2);
      try {
        for (let round = 0; round < 4; round++) {
          const cut = delay(10 + chance.below(60)).then(() => server.cut());
          const racers = Array.from({ length: 30 }, (_, racer) =>
            retried(() => [backend, ...others][racer % 3]!.putIfAbsent(`race/${round}`, pattern(20_000, racer))),
          );
          const results = await Promise.all(racers);
          await cut;
          const winners = results.flatMap((result, racer) => (result === "created" ? [racer] : []));
          assert.equal(winners.length, 1, `round ${round}: ${winners.join(" ")}`);
          assert.deepEqual(await backend.get(`race/${round}`), pattern(20_000, winners[0]!));
        }
      } finally {
        for (const other of others) await other.close();
      }
    });

    it("waits for a server that comes back, and gives up on one that does not", async () => {
      await backend.put("a", pattern(10, 1));
      await server.down();
      const waiting = backend.get("a");
      const aborted = new AbortController();
      const hopeless = assert.rejects(backend.put("b", pattern(10, 1), { signal: aborted.signal }), isAbort);
      await delay(700);
      aborted.abort();
      await hopeless;
      await server.up();
      assert.deepEqual(await waiting, pattern(10, 1));
    });

    it("ends an operation at once when it is aborted, and keeps the storage usable", async () => {
      await backend.put("big", pattern(20 * MIB, 1));
      const startedMs = performance.now();
      for (const act of [
        (signal: AbortSignal) => backend.get("big", { signal }),
        (signal: AbortSignal) => backend.put("big2", pattern(20 * MIB, 2), { signal }),
      ]) {
        assert.ok(await isAborted(act), "it was aborted before it had ended");
      }
      assert.ok(performance.now() - startedMs < 60_000);
      assert.deepEqual(await listKeys(backend), ["big"]);
      assert.deepEqual(readdirSync(join(root, "tmp")), []);
    });

    it("says STORAGE_FULL on a full disk, and leaves nothing unfinished", async function () {
      const small = server.newRoot();
      if (!mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", small)) this.skip();
      const full = await openSftpBackend(server.location(small, { transport }));
      try {
        await full.put("packs/a", pattern(2 * MIB, 1));
        await assertCode(full.put("packs/b", pattern(3 * MIB, 2)), "STORAGE_FULL");
        await assertCode(full.putIfAbsent("packs/c", pattern(3 * MIB, 3)), "STORAGE_FULL");
        assert.deepEqual(readdirSync(join(small, "tmp")), []);
        assert.deepEqual(await listKeys(full), ["packs/a"]);
        await full.delete("packs/a");
        await full.put("packs/b", pattern(3 * MIB, 2));
      } finally {
        await full.close();
        unmount(small);
      }
    });

    it("says so when the disk is gone or another one is there, and takes neither for an empty repository", async function () {
      const place = server.newRoot();
      if (!mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", place)) this.skip();
      const gone = await openSftpBackend(server.location(place, { transport }));
      try {
        await gone.put("snapshots/a", pattern(10, 1));
        execFileSync("umount", ["-l", place]);
        await assertCode(listKeys(gone), "STORAGE_FAILED");
        await assertCode(gone.get("snapshots/a"), "STORAGE_FAILED");
        await assertCode(gone.putIfAbsent("snapshots/a", pattern(10, 2)), "STORAGE_FAILED");
        await assertCode(gone.delete("snapshots/a"), "STORAGE_FAILED");
      } finally {
        await gone.close();
        unmount(place);
      }
    });

    it("says STORAGE_READ_ONLY where writing is not allowed, and reads there", async function () {
      await backend.put("packs/x", pattern(10, 1));
      const thaw = freeze(root);
      if (thaw === undefined) this.skip();
      try {
        await assertCode(backend.put("a", pattern(1, 1)), "STORAGE_READ_ONLY");
        await assertCode(backend.putIfAbsent("b", pattern(1, 1)), "STORAGE_READ_ONLY");
        await assertCode(backend.put("new/folder", pattern(1, 1)), "STORAGE_READ_ONLY");
        assert.deepEqual(await backend.get("packs/x"), pattern(10, 1));
      } finally {
        thaw();
      }
      assert.deepEqual(readdirSync(join(root, "tmp")), []);
    });

    it("opens folders that exist, and makes the others only when asked", async () => {
      const deep = join(root, "not/yet here");
      const location = server.location(encodeURI(deep), { transport });
      await assertCode(openSftpBackend(location), "STORAGE_NOT_FOUND");
      await (await openSftpBackend(location, { create: true })).close();
      assert.ok(existsSync(deep));
      writeFileSync(join(root, "file"), "x");
      await assertCode(openSftpBackend(server.location(join(root, "file"), { transport })), "STORAGE_LOCATION_INVALID");
      await assertCode(
        openSftpBackend(server.location(join(root, "file/x"), { transport }), { create: true }),
        "STORAGE_FAILED",
      );
    });

    it("goes through no symbolic link", async () => {
      const outside = server.newRoot();
      writeFileSync(join(outside, "victim"), "precious");
      symlinkSync(outside, join(root, "packs"));
      await assertCode(backend.put("packs/victim", pattern(1, 1)), "STORAGE_SYMLINK");
      await assertCode(backend.delete("packs/victim"), "STORAGE_SYMLINK");
      await assertCode(backend.get("packs/victim"), "STORAGE_SYMLINK");
      await assertCode(listKeys(backend, "packs/"), "STORAGE_SYMLINK");
      await assertCode(openSftpBackend(server.location(root, { transport })), "STORAGE_SYMLINK");
      symlinkSync(join(outside, "victim"), join(root, "link"));
      await assertCode(backend.get("link"), "OBJECT_NOT_FOUND");
      assert.equal(await backend.putIfAbsent("link", pattern(1, 1)), "exists");
      await backend.delete("link");
      assert.equal(readFileSync(join(outside, "victim"), "utf8"), "precious");
    });

    it("fails, and leaves no unfinished file, when a file stands where a folder is needed", async () => {
      await backend.put("packs", pattern(1, 1));
      await assertCode(backend.put("packs/0a/x", pattern(1, 1)), "STORAGE_FAILED");
      await assertCode(backend.putIfAbsent("packs/x", pattern(1, 1)), "STORAGE_FAILED");
      await backend.put("folder/x", pattern(1, 1));
      await assertCode(backend.put("folder", pattern(1, 1)), "STORAGE_FAILED");
      assert.deepEqual(readdirSync(join(root, "tmp")), []);
    });

    it("removes old unfinished files of others, by the server's clock, and no young one", async () => {
      mkdirSync(join(root, "tmp"));
      const day = 24 * 60 * 60;
      const now = Date.now() / 1000;
      for (const [name, age] of [
        ["1-00112233aabbccdd", day + 60],
        ["2-00112233aabbccdd", day - 60],
        ["keep", 9 * day],
      ] as const) {
        writeFileSync(join(root, "tmp", name), "x");
        utimesSync(join(root, "tmp", name), now - age, now - age);
      }
      await backend.put("a", pattern(1, 1));
      assert.deepEqual(readdirSync(join(root, "tmp")).sort(), ["2-00112233aabbccdd", "keep"]);
    });

    it("makes folders again that somebody removed", async () => {
      await backend.put("packs/0a/x", pattern(1, 1));
      execFileSync("rm", ["-r", join(root, "packs"), join(root, "tmp")]);
      await backend.put("packs/0a/x", pattern(2, 2));
      execFileSync("rm", ["-r", join(root, "packs"), join(root, "tmp")]);
      assert.equal(await backend.putIfAbsent("packs/0a/x", pattern(3, 3)), "created");
      assert.deepEqual(await backend.get("packs/0a/x"), pattern(3, 3));
    });

    it("loads no object of absurd size, yet reads ranges of it", async () => {
      writeFileSync(join(root, "config"), "");
      execFileSync("truncate", ["-s", "20G", join(root, "config")]);
      await assertCode(backend.get("config"), "OBJECT_TOO_LARGE");
      assert.deepEqual(await backend.get("config", { range: { offset: -4, length: 4 } }), new Uint8Array(4));
    });

    it("refuses what comes after close", async () => {
      await backend.close();
      const error = await assertCode(backend.get("a"), "STORAGE_FAILED");
      assert.match(error.message, /closed/);
    });
  });
}

/** What a caller does on "try again": the contract lets an operation fail that way when the line breaks often. */
async function retried<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (!isOurError(error) || error.retry !== "later" || attempt === 10) throw error;
    }
  }
}

/** Aborts sooner and sooner: how far an operation comes in so many milliseconds depends on what else the machine does. */
async function isAborted(act: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  for (const afterMs of [20, 10, 5, 2, 1, 0]) {
    const controller = new AbortController();
    const acting = act(controller.signal).then(
      () => false,
      (error: unknown) => isAbort(error) || assert.fail(String(error)),
    );
    setTimeout(() => controller.abort(), afterMs);
    if (await acting) return true;
  }
  return false;
}

/** Makes a folder and those in it unwritable for this user, and returns the way back; undefined where that cannot be. */
function freeze(path: string): (() => void) | undefined {
  const folders = [path, join(path, "tmp"), join(path, "packs")];
  if (process.getuid?.() !== 0) {
    for (const folder of folders) chmodSync(folder, 0o500);
    return () => folders.forEach((folder) => void chmodSync(folder, 0o700));
  }
  try {
    // Permission bits do not stop root; the immutable flag does, on file systems that have it.
    execFileSync("chattr", ["+i", ...folders], { stdio: "ignore" });
    return () => void execFileSync("chattr", ["-i", ...folders]);
  } catch {
    return undefined;
  }
}
