// What can lie in the folder of a repository: links, enormous files, pipes, thousands of strange names.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, open, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { objectName } from "../../core/format/ids.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { assertCode } from "../support/assertCode.js";
import { type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("hostile: a repository's folder", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let root: string;
  let outside: string;
  let sample: DamageSample;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("hostile");
    root = join(folder.path, "repository");
    outside = join(folder.path, "outside");
    await mkdir(outside);
    sample = await makeDamageSample({ backend: await openLocalBackend(root, { create: true }) });
  });
  afterEach(() => folder.remove());

  const first = () => sample.manifests[0]!;
  const reopen = async () => sample.test.reopen({ backend: await openLocalBackend(root) });

  it("with a link in the place of an object: the link is never followed", async () => {
    const path = join(root, objectName.snapshot(first().sid));
    await rename(path, join(outside, "manifest"));
    await symlink(join(outside, "manifest"), path);
    const test = await reopen();
    assert.ok((await test.catalog()).snapshots.every(({ sid }) => sid !== first().sid));
    const pack = sample.blobs.find(
      ({ id, kind }) =>
        kind === "chunk" && sample.needs.get(id)?.some(({ snapshot }) => snapshot === sample.manifests[1]!.sid),
    )!.pack;
    const packPath = join(root, objectName.pack(pack));
    await rename(packPath, join(outside, "pack"));
    await symlink(join(outside, "pack"), packPath);
    const report = await test.verify();
    assert.equal(report.ok, false);
    assert.equal(report.snapshots.find(({ sid }) => sid === sample.manifests[1]!.sid)?.result, "damaged");
  });

  it("with a link in the place of a folder: nothing is read, written or deleted behind it", async () => {
    for (const part of ["packs/00", "packs"]) {
      const path = join(root, part);
      await rm(join(outside, "taken"), { recursive: true, force: true });
      await rename(path, join(outside, "taken"));
      await symlink(join(outside, "taken"), path);
      const before = execFileSync("find", [outside, "-type", "f", "-printf", "%p %s %T@\n"]).toString();
      if (part === "packs") await assertCode(openLocalBackend(root), "STORAGE_SYMLINK");
      const { test } = sample;
      for (const attempt of [
        () => test.backUp("vm/new", { root: noise(3, 50_000) }),
        () => test.gc(),
        () => test.verify({ record: true }),
      ]) {
        await attempt().catch((error: { name?: string }) => assert.equal(error.name, "RepriseError"));
      }
      assert.equal(execFileSync("find", [outside, "-type", "f", "-printf", "%p %s %T@\n"]).toString(), before);
      await rm(path);
      await rename(join(outside, "taken"), path);
      await test.gc().catch(() => undefined);
    }
  });

  for (const sparseBytes of [300 * 2 ** 20, 10 * 2 ** 30]) {
    it(`with a file of ${sparseBytes / 2 ** 20} MiB in the place of any object: named, and not loaded`, async () => {
      const test = await reopen();
      const names = [
        objectName.snapshot(first().sid),
        ...(await firstOf("records", "index", "forgotten", "quarantine", "gc", "sessions")),
        objectName.pack(sample.blobs[0]!.pack),
      ];
      for (const name of names) {
        const path = join(root, name);
        await rename(path, join(outside, "sound"));
        const file = await open(path, "w");
        await file.truncate(sparseBytes);
        await file.close();
        const before = process.memoryUsage().rss;
        const report = await test.verify();
        assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20, `${name} was loaded`);
        assert.equal(report.ok, false, name);
        const blamed = [
          ...report.objects.problems.map(({ object }) => object),
          ...report.packs.problems.map(({ pack }) => objectName.pack(pack)),
        ];
        assert.deepEqual([...new Set(blamed)], [name]);
        await rename(join(outside, "sound"), path);
      }
      assert.equal((await test.verify()).ok, true);
    });
  }

  it("with pipes, sockets and folders in the place of objects: skipped, and nobody waits for them", async () => {
    execFileSync("mkfifo", [
      join(root, objectName.snapshot("0".repeat(32) as never)),
      join(root, "records", "1".repeat(32)),
    ]);
    await mkdir(join(root, "snapshots", "2".repeat(32)));
    const test = await reopen();
    const report = await test.verify();
    assert.equal(report.ok, true);
    assert.equal(report.snapshots.length, sample.manifests.length);
    await test.backUp("vm/a", { root: noise(1, 1000) });
  });

  it("with thousands of strange files: they cost a moment, and are listed", async () => {
    for (const part of ["snapshots", "records", "index", "gc", "keys", "quarantine"]) {
      for (let i = 0; i < 1000; i++) await writeFile(join(root, part, `junk-${i}`), "x");
    }
    await writeFile(join(root, "snapshots", "with space"), "x");
    await writeFile(join(root, "snapshots", "line\nend"), "x");
    const started = performance.now();
    const test = await reopen();
    const report = await test.verify();
    assert.equal(report.ok, true);
    assert.equal(report.objects.foreign.length, 6000);
    const { snapshots } = await test.catalog();
    assert.equal(snapshots.length, sample.manifests.length);
    await test.backUp("vm/a", { root: noise(1, 1000) });
    await test.gc();
    assert.deepEqual([...new Set(test.takeWarnings())], []);
    assert.ok(performance.now() - started < 120_000);
    assert.equal((await readdir(join(root, "records"))).filter((name) => name.startsWith("junk")).length, 1000);
  });

  async function firstOf(...folders: string[]): Promise<string[]> {
    const names: string[] = [];
    for (const part of folders) names.push(`${part}/${(await readdir(join(root, part))).sort()[0]}`);
    return names;
  }
});
