import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { objectName } from "../../core/format/ids.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { listBlobs } from "../support/damageSample.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { describeFolder, makeOddFolder } from "../support/sampleTree.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TEST_PASSPHRASE, TestRepository } from "../support/testRepository.js";
import { backUpFolder } from "../support/treeRepository.js";
import { runRescue } from "./runRescue.js";

describe("rescue of a folder", function () {
  this.timeout(60_000);
  this.slow(20_000);
  let temporary: TemporaryFolder;
  let repo: string;
  let folder: string;
  let test: TestRepository;
  const env = { REPRISE_PASSPHRASE: TEST_PASSPHRASE };

  before(async () => {
    temporary = await makeTemporaryFolder("rescue-tree");
    repo = join(temporary.path, "repository");
    folder = join(temporary.path, "tree");
    makeOddFolder(folder);
    test = await TestRepository.make({ backend: await openLocalBackend(repo, { create: true }) });
    await backUpFolder(test, folder);
    for (const name of ["pipe", "null", "disk"]) rmSync(join(folder, name), { force: true });
  });
  after(() => temporary.remove());

  it("brings back names, contents, links, modes and owners", async () => {
    const to = join(temporary.path, "restored");
    const { code, stderr } = await runRescue(["tree", "host/web1", "--to", to], { repo, env });
    assert.equal(code, 0, stderr);
    assert.deepEqual(describeFolder(to, { times: false }), describeFolder(folder, { times: false }));
    assert.match(stderr, /left out: \/pipe/);
  });

  it("lists it, checks it, and refuses a folder that exists", async () => {
    assert.match((await runRescue(["list"], { repo, env })).stdout, /www \(/);
    assert.equal((await runRescue(["check"], { repo, env })).code, 0);
    assert.notEqual((await runRescue(["tree", "host/web1", "--to", folder], { repo, env })).code, 0);
  });

  it("names what is lost and restores the rest", async () => {
    const blobs = await listBlobs(test.repository);
    const chunk = blobs.find(({ kind, end, start }) => kind === "chunk" && end - start > 5000);
    assert.ok(chunk);
    const { pack, end } = chunk;
    await changeObject(test.backend, objectName.pack(pack), (bytes) => flipped(bytes, end - 1));
    const to = join(temporary.path, "with losses");
    const { code, stderr } = await runRescue(["tree", "host/web1", "--to", to], { repo, env });
    assert.equal(code, 3);
    assert.match(stderr, /damaged: \//);
    assert.equal(describeFolder(to, { times: false }).length, describeFolder(folder, { times: false }).length);
    const checked = await runRescue(["check"], { repo, env });
    assert.equal(checked.code, 1);
    assert.match(checked.stderr, /damaged: www of host\/web1/);
  });
});
