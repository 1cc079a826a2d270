import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { type DoctorReport, examineRepository } from "../../core/doctor/doctor.js";
import { RepriseError } from "../../core/errors.js";
import { objectName } from "../../core/format/ids.js";
import { encodeForgotten } from "../../core/format/manifest.js";
import type { ObjectVersion, StorageProtection } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { cli, cliJson } from "../cli/runInProcess.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

/** A storage with a policy like the runner's: what is there stays as it is. */
class GuardedBackend extends MemoryBackend {
  guarded = false;
  protectedBy: StorageProtection | null = null;

  override async put(...[key, bytes, options]: Parameters<MemoryBackend["put"]>): Promise<void> {
    if (this.guarded && !key.startsWith("sessions/")) throw denied(key);
    await super.put(key, bytes, options);
  }

  override async putIfAbsent(...args: Parameters<MemoryBackend["putIfAbsent"]>): Promise<"created" | "exists"> {
    const [key] = args;
    if (this.guarded && /^(config|keys|forgotten|gc|probe)/.test(key)) throw denied(key);
    const wasGuarded = this.guarded;
    this.guarded = false;
    return await super.putIfAbsent(...args).finally(() => {
      this.guarded = wasGuarded;
    });
  }

  override async delete(...[key, options]: Parameters<MemoryBackend["delete"]>): Promise<void> {
    if (this.guarded) throw denied(key);
    await super.delete(key, options);
  }

  async protection(): Promise<StorageProtection> {
    return this.protectedBy ?? { versioning: "off", objectLockDays: null };
  }
}

/** Accepts puts and shows what was there first. */
class FirstCountsBackend extends GuardedBackend {
  override async put(...args: Parameters<MemoryBackend["put"]>): Promise<void> {
    const isKeepers = /^(keys|forgotten|gc)\//.test(args[0]);
    if (!this.guarded || isKeepers) await super.put(...args);
  }
}

/** Claims that each object in `overwritten` has got other contents, longer by one byte, at `atMs`. */
class VersionsBackend extends MemoryBackend {
  readonly overwritten = new Set<string>();
  versioning: StorageProtection["versioning"] = "on";
  atMs = 0;

  async protection(): Promise<StorageProtection> {
    return { versioning: this.versioning, objectLockDays: null };
  }

  async *versions(prefix: string): AsyncIterable<ObjectVersion> {
    for await (const info of this.list(prefix)) {
      const sizeBytes = info.sizeBytes + 1;
      const isOver = this.overwritten.has(info.key);
      if (isOver)
        yield { ...info, sizeBytes, modifiedAtMs: this.atMs, versionId: "2", contentsTag: "b", isLatest: true };
      yield { ...info, versionId: "1", contentsTag: "a", isLatest: !isOver };
    }
  }

  async getVersion(key: string): Promise<Uint8Array> {
    return await this.get(key);
  }
}

function denied(key: string): RepriseError {
  return new RepriseError("backend", "STORAGE_ACCESS_DENIED", `not allowed: ${key}`);
}

async function examine(made: TestRepository): Promise<DoctorReport> {
  return await examineRepository(made.repository, { cacheFolder: null, ...made.options });
}

function finding(report: DoctorReport, name: string): string | undefined {
  return report.findings.find((each) => each.name === name)?.status;
}

function detailOf(report: DoctorReport, name: string): string {
  return report.findings.find((each) => each.name === name)?.detail ?? "";
}

describe("doctor", () => {
  it("says that writers can destroy an unprotected repository, and leaves nothing behind", async () => {
    const made = await TestRepository.make();
    const before = await keysOf(made);
    const report = await examine(made);
    assert.equal(report.destructible, "yes");
    assert.equal(finding(report, "thief"), "warning");
    assert.ok(report.findings.filter(({ name }) => name.startsWith("probe.")).every(({ status }) => status === "ok"));
    assert.deepEqual(report.clockOffsetMs, 0);
    assert.deepEqual(await keysOf(made), before);
  });

  it("expects the keeper to be able to delete", async () => {
    const made = await TestRepository.make({ keeperKey: KeeperKey.generate() });
    const report = await examine(made);
    assert.equal(finding(report, "thief"), "ok");
    assert.equal(report.keeper.isKeeper, true);
  });

  it("says that a runner can destroy nothing where the storage refuses it", async () => {
    const backend = new GuardedBackend();
    const keeper = await TestRepository.make({ backend, keeperKey: KeeperKey.generate() });
    const runner = await keeper.reopen();
    backend.guarded = true;
    for (let run = 0; run < 2; run++) {
      const report = await examine(runner);
      assert.equal(report.destructible, "no");
      assert.equal(finding(report, "thief"), "ok");
      assert.equal(finding(report, "probe.range"), "skipped");
    }
    const canaries = (await keysOf(runner)).filter((key) => key.endsWith("/canary"));
    assert.ok(canaries.length <= 6, "one in each folder, however often");
    assert.ok((await runner.verify()).ok);
    await runner.backUp("vm/a", { root: new Uint8Array(10_000) });
  });

  it("tells an overwriting that is refused from one that is accepted without effect", async () => {
    const backend = new FirstCountsBackend();
    const keeper = await TestRepository.make({ backend, keeperKey: KeeperKey.generate() });
    const runner = await keeper.reopen();
    backend.guarded = true;
    const report = await examine(runner);
    for (const { folder, owner, overwrite } of report.trials) {
      assert.equal(overwrite, owner === "runner" ? "without-effect" : "refused", folder);
    }
    assert.deepEqual([report.destructible, finding(report, "thief")], ["no", "ok"]);
    assert.match(detailOf(report, "thief"), /overwriting it is accepted without effect/);
  });

  it("tells the keeper's private key from credentials that may delete", async () => {
    const backend = new GuardedBackend();
    const keeper = await TestRepository.make({ backend, keeperKey: KeeperKey.generate() });
    backend.guarded = true;
    const report = await examine(keeper);
    assert.match(detailOf(report, "roles"), /its private key is here/);
    assert.equal(finding(report, "thief"), "warning");
    assert.match(detailOf(report, "thief"), /private key is here, but these storage credentials cannot delete/);
  });

  it("says which clock is behind", async () => {
    for (const [offsetMs, words] of [
      [-1_201_000, "1201 s behind this"],
      [1_201_000, "1201 s ahead of this"],
    ] as const) {
      let nowMs = 0;
      const made = await TestRepository.make({ backend: new MemoryBackend({ now: () => nowMs }) });
      nowMs = made.repository.environment.now() + offsetMs;
      const report = await examine(made);
      assert.equal(finding(report, "clock"), "warning");
      assert.match(detailOf(report, "clock"), new RegExp(words));
    }
  });

  it("tells what versions would undo from what is lost", async () => {
    const backend = new GuardedBackend();
    backend.protectedBy = { versioning: "on", objectLockDays: 30 };
    const made = await TestRepository.make({ backend });
    assert.equal((await examine(made)).destructible, "undoable");
  });

  it("names what was overwritten, and when that is urgent", async () => {
    const backend = new VersionsBackend();
    const made = await TestRepository.make({ backend });
    const { sid } = await made.backUp("vm/a", { root: new Uint8Array(10_000) });
    const [pack = ""] = (await keysOf(made)).filter((key) => key.startsWith("packs/"));
    assert.equal(finding(await examine(made), "overwritten"), "ok");
    const snapshot = objectName.snapshot(sid);
    backend.overwritten.add(snapshot);
    backend.atMs = made.repository.environment.now();
    const fresh = await examine(made);
    assert.equal(finding(fresh, "overwritten"), "warning");
    assert.match(detailOf(fresh, "overwritten"), /1 in snapshots\/; the last at .*they do not expire$/);
    backend.atMs -= 31 * 24 * 60 * 60_000;
    assert.equal(finding(await examine(made), "overwritten"), "ok", "it stays so for ever");
    backend.overwritten.add(pack);
    const report = await examine(made);
    assert.equal(finding(report, "overwritten"), "warning");
    assert.match(detailOf(report, "overwritten"), /run repair versions before$/);
    assert.deepEqual(report.overwritten?.objects, { "packs/": 1, "snapshots/": 1 });
    assert.deepEqual(report.overwritten?.first, [pack, snapshot]);
    backend.versioning = "off";
    assert.equal(finding(await examine(made), "overwritten"), "failed");
  });

  it("fails when somebody has decided without the keeper, or a manifest does not open", async () => {
    const keeper = await TestRepository.make({ keeperKey: KeeperKey.generate() });
    const { sid } = await keeper.backUp("vm/a", { root: new Uint8Array(10_000) });
    const forged = encodeForgotten({ sid, at: "", by: "thief", reason: "" });
    await keeper.repository.objects.write(objectName.forgotten(sid), "forgotten", forged);
    const report = await examine(keeper);
    assert.deepEqual([report.status, report.unsigned], ["failed", [objectName.forgotten(sid)]]);
    await keeper.backend.put(objectName.snapshot(sid), new Uint8Array(100));
    assert.equal(finding(await examine(keeper), "manifests"), "failed");
    assert.equal(finding(await examine(keeper), "records"), "ok");
    await keeper.backend.put(`records/${"ee".repeat(16)}`, new Uint8Array(50));
    assert.equal(finding(await examine(keeper), "records"), "failed");
  });
});

describe("doctor on the command line", () => {
  it("ends with 3 for a folder that its writers can destroy, in words and as a document", async () => {
    const folder = await makeTemporaryFolder("doctor");
    try {
      const env = { REPRISE_REPOSITORY: join(folder.path, "repository") };
      await cliJson(["init", "--no-encryption"], { env });
      const cache = join(folder.path, "cache");
      await mkdir(cache);
      await writeFile(join(cache, "file"), new Uint8Array(1000));
      const text = await cli(["doctor", "--cache-dir", cache], { env });
      assert.equal(text.code, 3);
      assert.match(text.stdout, /can be destroyed by its writers/);
      const report = await cliJson<DoctorReport>(["doctor", "--cache-dir", cache], { env, code: 3 });
      assert.deepEqual(report.cache, { folder: cache, sizeBytes: 1000, files: 1, writable: true });
      assert.ok(report.tools.some(({ name, version }) => name === "node" && version === process.version));
      const untried = await cliJson<DoctorReport>(["doctor", "--no-trial", "--cache-dir", cache], { env, code: 3 });
      assert.deepEqual([untried.destructible, untried.trials], ["unknown", []]);
    } finally {
      await folder.remove();
    }
  });
});

async function keysOf(made: TestRepository): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of made.backend.list("")) keys.push(key);
  return keys;
}
