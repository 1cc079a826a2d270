// Two roles and the rescue reader: it checks no signatures, so it hides nothing that somebody has "forgotten".

import assert from "node:assert/strict";
import { join } from "node:path";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { objectName } from "../../core/format/ids.js";
import { encodeForgotten } from "../../core/format/manifest.js";
import { openBackend } from "../../core/index.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { TEST_PASSPHRASE, TestRepository } from "../support/testRepository.js";
import { runRescue } from "./runRescue.js";

describe("rescue: repositories with two roles", () => {
  it("lists forgotten snapshots, too", async () => {
    const folder = await makeTemporaryFolder("rescue-verdicts");
    try {
      const repo = join(folder.path, "repo");
      const backend = await openBackend(repo, { create: true });
      const keeper = await TestRepository.make({ backend, keeperKey: KeeperKey.generate() });
      const gone = await keeper.backUp("vm/gone", { root: noise(1, 50_000) });
      const kept = await keeper.backUp("vm/kept", { root: noise(2, 50_000) });
      await keeper.forget(gone.sid);
      const { objects } = keeper.repository;
      const forged = encodeForgotten({ sid: kept.sid, at: "", by: "thief", reason: "", signature: "00".repeat(64) });
      await objects.write(objectName.forgotten(kept.sid), "forgotten", forged);
      const { code, stdout, stderr } = await runRescue(["list"], {
        repo,
        env: { REPRISE_PASSPHRASE: TEST_PASSPHRASE },
      });
      assert.match(stdout, /vm\/kept/);
      assert.match(stdout, /vm\/gone/);
      assert.equal(code, 0, stderr);
    } finally {
      await folder.remove();
    }
  }).timeout(20_000);
});
