// Eight machines, a collector and a retention policy in processes that are killed, on a gateway that is killed; `npm run
// campaign -- eight --minutes M` does that for as long as wanted.

import assert from "node:assert/strict";
import { runEight } from "../campaign/eight.js";
import { sharedS3Server } from "../support/s3Server.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("eight machines and one repository on Ceph's gateway", function () {
  this.timeout(900_000);
  this.slow(60_000);
  let folder: TemporaryFolder;
  before(async () => {
    folder = await makeTemporaryFolder("eight");
    await sharedS3Server();
  });
  after(() => folder.remove());

  it("keeps what was finished while processes and the gateway are killed", async () => {
    const options = {
      seed: 1,
      folder: folder.path,
      workMs: 12_000,
      leastFinished: 4,
      gatewayLivesMs: 4000,
      restores: 8,
    };
    const { violations, outcomes, gatewayKills, finished } = await runEight(await sharedS3Server(), options);
    assert.deepEqual(violations, []);
    const seen = JSON.stringify([...outcomes]);
    assert.ok(finished >= 4 && gatewayKills >= 1, `${finished} finished, ${gatewayKills} kills: ${seen}`);
    assert.match(seen, /killed/, "some were killed");
  });
});
