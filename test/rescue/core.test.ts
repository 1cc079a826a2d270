// What the core writes, the rescue reader reads: two programs that share nothing but the format pages.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBackend } from "../../core/index.js";
import type { CodecChoice } from "../../core/repository/packBuilder.js";
import { cli, cliJson } from "../cli/runInProcess.js";
import { makeSparseRaw } from "../support/diskImages.js";
import { join as joinBytes, noise, prose } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TEST_PASSPHRASE, TestRepository } from "../support/testRepository.js";
import { runRescue } from "./runRescue.js";

const codecs: CodecChoice[] = [
  { codec: "none", level: 3 },
  { codec: "zstd", level: 3 },
  { codec: "zstd", level: 19 },
  { codec: "lz4", level: 3 },
];

for (const encrypted of [true, false]) {
  describe(`rescue: repositories of the core, ${encrypted ? "encrypted" : "not encrypted"}`, () => {
    let folder: TemporaryFolder;
    let repo: string;
    let made: TestRepository;
    const env = { REPRISE_PASSPHRASE: TEST_PASSPHRASE };
    const rescue = (...args: string[]) => runRescue(args, { repo, env });

    beforeEach(async () => {
      folder = await makeTemporaryFolder("rescue");
      repo = join(folder.path, "repo");
      made = await TestRepository.make({ encrypted, backend: await openBackend(repo, { create: true }) });
    });

    afterEach(async () => {
      await made.repository.backend.close();
      await folder.remove();
    });

    async function restores(snapshot: string, disk: string, bytes: Uint8Array): Promise<void> {
      const target = join(folder.path, "restored");
      const run = await rescue("restore", snapshot, "--disk", disk, "--to", target, "--force");
      assert.equal(run.code, 0, run.stderr);
      assert.ok(Buffer.from(bytes).equals(readFileSync(target)), `${snapshot} ${disk}`);
    }

    it("restores every disk of every snapshot, with and without the index", async () => {
      const base = joinBytes(prose(1, 700_000), new Uint8Array(600_000), noise(2, 300_000), new Uint8Array(123));
      const edited = joinBytes(base.subarray(0, 200_000), noise(3, 999), base.subarray(200_000));
      for (const [day, codec] of codecs.entries()) {
        const disks = {
          scsi0: joinBytes(edited, prose(day, 50_000)),
          scsi1: noise(day, 70_001),
          zeros: new Uint8Array(300_000),
        };
        const files = [{ name: "vm.conf", bytes: prose(day, 1000) }];
        const { sid } = await made.backUp("vm/a", disks, { codec, files, namespace: "office" });
        for (const [name, bytes] of Object.entries(disks)) await restores("office:vm/a@latest", name, bytes);
        if (day === 1) rmSync(join(repo, "index"), { recursive: true });
        const target = join(folder.path, `files${day}`);
        assert.equal((await rescue("files", sid, "--to", target)).code, 0);
        assert.ok(Buffer.from(prose(day, 1000)).equals(readFileSync(join(target, "vm.conf"))));
      }
      assert.equal((await rescue("check")).code, 0);
    });

    it("agrees with the core after forget and gc", async () => {
      const disks = [1, 2, 3].map((seed) => joinBytes(noise(seed, 400_000), prose(9, 400_000)));
      const manifests = [];
      for (const sda of disks) manifests.push(await made.backUp("vm/a", { sda }));
      await made.forget(manifests[1]!.sid);
      await made.gc();
      const list = await rescue("list");
      assert.equal(list.code, 0, list.stderr);
      assert.equal(list.stdout.trim().split("\n").length, 2);
      await restores("vm/a~1", "sda", disks[0]!);
      await restores("vm/a~0", "sda", disks[2]!);
      assert.equal((await rescue("show", manifests[1]!.sid)).code, 2);
      assert.equal((await rescue("check")).code, 0);
    });

    it("reads packs whose end and whose first header are gone", async () => {
      const sda = joinBytes(prose(1, 500_000), noise(2, 500_000));
      await made.backUp("vm/a", { sda });
      rmSync(join(repo, "index"), { recursive: true });
      for (const name of readdirSync(join(repo, "packs"), { recursive: true, encoding: "utf8" })) {
        if (!/-[0-9a-f]{8}$/.test(name)) continue;
        const bytes = readFileSync(join(repo, "packs", name));
        writeFileSync(join(repo, "packs", name), bytes.fill(0, 0, 64).fill(0, bytes.length - 32));
      }
      await restores("vm/a@latest", "sda", sda);
    });
  });
}

describe("rescue: what the command line puts into a repository", () => {
  let folder: TemporaryFolder;

  before(async () => {
    folder = await makeTemporaryFolder("rescue");
  });

  after(() => folder.remove());

  it("restores with the program and the recovery key that init gave", async () => {
    const [repo, disk, elsewhere] = ["repo", "disk.raw", "elsewhere"].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(elsewhere);
    const bytes = await makeSparseRaw(disk, 7, 20 * 2 ** 20);
    const env = { REPRISE_PASSPHRASE: "one secret" };
    const keyFile = join(folder.path, "key.txt");
    await cliJson(["init", "--repo", repo, "--recovery-key-file", keyFile], { env });
    const backup = await cli(["backup", disk, "--repo", repo, "--group", "vm/a", "--quiet"], { env });
    assert.equal(backup.code, 0, backup.stderr);
    const recovery = /RPRS1-[0-9A-Z-]+/.exec(readFileSync(keyFile, "utf8"))![0];
    const program = join(repo, "rescue.mjs");
    for (const secret of [env, { REPRISE_RECOVERY_KEY: recovery }] as Record<string, string>[]) {
      const args = ["restore", "vm/a@latest", "--to", "disk.raw", "--force"];
      const run = await runRescue(args, { program, cwd: elsewhere, env: secret });
      assert.equal(run.code, 0, run.stderr);
      assert.ok(Buffer.from(bytes).equals(readFileSync(join(elsewhere, "disk.raw"))));
    }
  });
});
