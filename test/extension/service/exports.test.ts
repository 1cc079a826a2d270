// What leaves a repository from the editor, as other programs read it; and who may destroy, in a repository with two roles.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import { cliJson } from "../../cli/runInProcess.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { type StartedService, startService } from "../support/startService.js";

const run = promisify(execFile);

describe("exports of the service", function () {
  this.timeout(180_000);
  let sample: SampleRepository;
  let service: StartedService;
  let info: RepositoryInfo;

  before(async () => {
    sample = await makeSampleRepository();
    service = startService();
    info = await service.open(sample.location, SAMPLE_PASSPHRASE);
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
  });

  const archive = (path: string, name: string, more = {}) => ({
    ...{ repository: info.handle, snapshot: sample.snapshots[2], path, to: join(sample.folder, name) },
    ...{ format: "tar" as const, replace: false, ...more },
  });

  it("write a folder as tar, with its contents", async () => {
    const made = await service.client.call("exportArchive", archive("/sda/p2/etc", "etc.tar"));
    assert.equal(made.skipped, 0);
    const { stdout } = await run("tar", ["-xOf", made.to, "etc/hostname"]);
    assert.equal(stdout, "web1\n");
    assert.equal((await readFile(made.to)).length, made.sizeBytes);
  });

  it("write a folder and a whole snapshot as zip", async () => {
    const part = await service.client.call("exportArchive", archive("/sda/p2/etc", "etc.zip", { format: "zip" }));
    assert.equal((await readFile(part.to)).subarray(0, 2).toString(), "PK");
    const whole = await service.client.call("exportArchive", archive("/", "whole.tar"));
    const { stdout } = await run("tar", ["-tf", whole.to], { maxBuffer: 1 << 24 });
    assert.match(stdout, /^(?:\.\/)?sda\/p2\/etc\/hostname$/m);
  });

  it("replace nothing that is there unless they are told to, and leave nothing half", async () => {
    await writeFile(join(sample.folder, "there.tar"), "mine");
    const argument = archive("/sda/p2/etc", "there.tar");
    await assert.rejects(service.client.call("exportArchive", argument), { code: "TARGET_EXISTS" });
    assert.equal(await readFile(argument.to, "utf8"), "mine");
    await service.client.call("exportArchive", { ...argument, replace: true });
    assert.notEqual(await readFile(argument.to, "utf8"), "mine");
    const abort = new AbortController();
    const options = { signal: abort.signal, onProgress: () => abort.abort() };
    const cancelled = service.client.call("exportArchive", archive("/", "cancelled.tar"), options);
    await assert.rejects(cancelled, { name: "AbortError" });
    // the caller is told at once, and the service cleans up behind it
    const left = async () => (await readdir(sample.folder)).filter((name) => name.includes("cancelled"));
    for (const endMs = Date.now() + 10_000; (await left()).length > 0 && Date.now() < endMs; await sleep(20));
    assert.deepEqual(await left(), []);
    await assert.rejects(
      service.client.call("exportArchive", { ...archive("/", "x"), to: join(sample.location, "x.tar") }),
      { code: "TARGET_IN_REPOSITORY" },
    );
  });

  it("write the evidence of a snapshot into a folder", async () => {
    const [first] = sample.snapshots;
    const to = join(sample.folder, "evidence");
    const what = { repository: info.handle, snapshot: first, to, replace: false };
    const made = await service.client.call("exportEvidence", what);
    assert.equal(made.tests, 0);
    assert.deepEqual([...made.files].sort(), (await readdir(to)).sort());
    await assert.rejects(service.client.call("exportEvidence", what), { code: "TARGET_EXISTS" });
  });
});

describe("the keeper's key in the service", function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;
  let location: string;
  let pem: string;
  let service: StartedService;

  before(async () => {
    folder = await makeTemporaryFolder("keeper");
    location = join(folder.path, "repository");
    const key = join(folder.path, "keeper.pem");
    const env = { REPRISE_REPOSITORY: location, REPRISE_STATE_DIR: join(folder.path, "state") };
    await cliJson(["init", "--no-encryption", "--new-keeper-key", key], { env });
    await mkdir(join(folder.path, "source"));
    await writeFile(join(folder.path, "source", "file"), "text");
    await cliJson(["backup", "--dir", join(folder.path, "source"), "--group", "host/a"], { env });
    pem = await readFile(key, "utf8");
    service = startService();
  });
  after(async () => {
    await service?.client.close();
    await folder?.remove();
  });

  const open = (keeperKey: string | null) => {
    const argument = { location, secret: null, keeperKey, cacheFolder: null, stateFolder: join(folder.path, "state") };
    return service.client.call("openRepository", argument);
  };

  it("says whether it is needed, and whether it was given", async () => {
    assert.equal((await open(null)).keeper, "elsewhere");
    assert.equal((await open(pem)).keeper, "here");
    await assert.rejects(open("no key"), { code: "KEEPER_KEY_INVALID" });
  });

  it("is what forgetting needs", async () => {
    const runner = await open(null);
    const { items } = await service.client.call("snapshots", {
      ...{ repository: runner.handle, machine: "host/a", offset: 0, limit: 1 },
    });
    const ids = items.map(({ snapshotId }) => snapshotId);
    const forget = (repository: RepositoryInfo) =>
      service.client.call("forget", { repository: repository.handle, snapshots: ids });
    await assert.rejects(forget(runner), (error: Error & { code?: string }) => {
      assert.equal(error.code, "KEEPER_KEY_REQUIRED");
      assert.ok(!JSON.stringify(error).includes("PRIVATE KEY"));
      return true;
    });
    assert.deepEqual(await forget(await open(pem)), { forgotten: 1 });
  });
});
