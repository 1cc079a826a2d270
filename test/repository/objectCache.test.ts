// The local cache may be deleted, cut, changed, exchanged or full of nonsense at any time: the only difference is speed.

import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defaultCacheFolder } from "../../core/repository/objectCache.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import type { TestRepository } from "../support/testRepository.js";

for (const encrypted of [true, false]) {
  describe(`repository: local cache, ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(60_000);
    this.slow(20_000);
    let folder: TemporaryFolder;
    let cache: string;
    let sample: DamageSample;
    let truth: unknown;

    before(async () => {
      folder = await makeTemporaryFolder("cache");
      cache = join(folder.path, "cache");
      sample = await makeDamageSample({
        encrypted,
        backend: await openLocalBackend(join(folder.path, "repository"), { create: true }),
      });
      truth = await look(await open(null));
    });
    after(() => folder.remove());

    const open = (cacheFolder: string | null): Promise<TestRepository> => sample.test.reopen({ cacheFolder });

    /** Everything that the cache has a part in: catalog, indexes, map pages, what is present. */
    async function look(test: TestRepository): Promise<unknown> {
      const { snapshots, unreadable, decided } = await test.catalog();
      const digests: string[] = [];
      for (const manifest of sample.manifests)
        digests.push(Buffer.from(await test.restore(manifest, "root")).toString("base64"));
      const { ok, objects, packs } = await test.verify({ readData: false });
      assert.deepEqual(test.takeWarnings(), []);
      return { snapshots, unreadable, decided: [...decided].sort(), digests, ok, objects, listed: packs.listed };
    }

    async function cacheFiles(): Promise<string[]> {
      const entries = await readdir(cache, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
    }

    async function fillCache(): Promise<void> {
      await rm(cache, { recursive: true, force: true });
      await look(await open(cache));
    }

    async function readsWith(cacheFolder: string | null): Promise<number> {
      const recording = new RecordingBackend(sample.test.backend);
      await look(await sample.test.reopen({ cacheFolder, backend: recording }));
      return recording.operations.filter(({ operation }) => operation === "get").length;
    }

    it("answers what the repository answers, and saves reading", async () => {
      await fillCache();
      assert.deepEqual(await look(await open(cache)), truth);
      assert.ok((await cacheFiles()).length > 3);
      assert.ok((await readsWith(cache)) < (await readsWith(null)));
    });

    it("every file of it changed, cut, emptied or made longer changes nothing", async () => {
      await fillCache();
      for (const [turn, path] of (await cacheFiles()).entries()) {
        const sound = await readFile(path);
        const middle = sound.length >> 1;
        const changes = [
          ...[0, 8, 9, 10, 20, 30, 60, middle, sound.length - 1].map((at) =>
            sound.map((byte, i) => (i === at ? byte ^ 0x10 : byte)),
          ),
          sound.subarray(0, middle),
          sound.subarray(0, sound.length - 1),
          new Uint8Array(0),
          Buffer.concat([sound, sound]),
          new Uint8Array(sound.length),
        ];
        // there are several files of each kind: each of them meets every second change
        for (const changed of changes.filter((_, i) => i % 2 === turn % 2)) {
          await writeFile(path, changed);
          assert.deepEqual(await look(await open(cache)), truth, path);
        }
      }
    });

    it("any two files of it exchanged change nothing", async () => {
      await fillCache();
      const paths = await cacheFiles();
      for (let i = 0; i < paths.length; i++) {
        const [a, b] = [paths[i] as string, paths[(i + 1) % paths.length] as string];
        const [first, second] = [await readFile(a), await readFile(b)];
        await writeFile(a, second);
        await writeFile(b, first);
        assert.deepEqual(await look(await open(cache)), truth, `${a} and ${b}`);
      }
    });

    it("any file of it deleted, or a folder in its place, changes nothing", async () => {
      await fillCache();
      for (const path of await cacheFiles()) {
        await rm(path);
        assert.deepEqual(await look(await open(cache)), truth, path);
        await rm(path, { force: true });
        await mkdir(path);
        assert.deepEqual(await look(await open(cache)), truth, path);
        await rm(path, { recursive: true });
      }
    });

    it("deleted as a whole in the middle of the work changes nothing", async () => {
      await fillCache();
      const test = await open(cache);
      assert.equal((await test.catalog()).snapshots.length, sample.manifests.length);
      await rm(cache, { recursive: true });
      assert.deepEqual(await look(test), truth);
    });

    it("of another, equal looking repository is never used", async () => {
      const other = await makeDamageSample({ encrypted, seed: 5 });
      await rm(cache, { recursive: true, force: true });
      await look2(await other.test.reopen({ cacheFolder: cache }));
      const [theirs] = await readdir(cache);
      const ours = sample.test.repository.config.repositoryId;
      await rm(join(cache, ours), { recursive: true, force: true });
      await mkdir(join(cache, ours));
      for (const path of await cacheFiles()) {
        const to = path.replace(theirs as string, ours);
        await mkdir(join(to, ".."), { recursive: true });
        await writeFile(to, await readFile(path));
      }
      const seen = (await look(await open(cache))) as { snapshots: unknown };
      assert.deepEqual(seen, truth);
    });

    it("that cannot be written is no error", async () => {
      await rm(cache, { recursive: true, force: true });
      await writeFile(cache, "a file where the folder should be");
      assert.deepEqual(await look(await open(cache)), truth);
      await rm(cache);
      await mkdir(cache, { mode: 0o500 });
      assert.deepEqual(await look(await open(cache)), truth);
      await chmod(cache, 0o700);
    });

    it("is readable by its owner only, and holds nothing open of an encrypted repository", async () => {
      await fillCache();
      for (const path of await cacheFiles()) {
        assert.equal((await stat(path)).mode & 0o077, 0, path);
        if (encrypted) assert.ok(!(await readFile(path)).includes("vm/a"), path);
      }
    });

    async function look2(test: TestRepository): Promise<void> {
      await test.catalog();
      await test.verify({ readData: false });
    }
  });
}

describe("repository: where the local cache lies", () => {
  it("is said by REPRISE_CACHE_DIR, else by XDG_CACHE_HOME", () => {
    assert.equal(defaultCacheFolder({ REPRISE_CACHE_DIR: "/a", XDG_CACHE_HOME: "/b" }), "/a");
    assert.equal(defaultCacheFolder({ XDG_CACHE_HOME: "/b" }), "/b/reprise");
    assert.match(defaultCacheFolder({}), /\.cache\/reprise$/);
  });
});
