// A few lives behind fault proxies; `npm run campaign -- faults` lives many.

import assert from "node:assert/strict";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { sshServer } from "../support/sshServer.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { type FaultyPlace, makeS3Place, makeSftpPlace } from "./faultyPlaces.js";
import { walkWithFaults } from "./faultyWalk.js";

describe("two writers and a collector on a network that breaks", function () {
  this.timeout(180_000);
  this.slow(30_000);
  let folder: TemporaryFolder;
  let server: S3Server;
  let bucket: string;

  before(async () => {
    folder = await makeTemporaryFolder("faulty-walk");
    server = await sharedS3Server();
    bucket = await server.newBucket();
  });
  after(() => folder.remove());

  /** What must never happen, never does. That something comes through in bad weather is usual, not certain: again, then. */
  async function walk(makePlace: (seed: number) => Promise<FaultyPlace>, first: number): Promise<void> {
    for (const seed of [first, first + 100, first + 200]) {
      const place = await makePlace(seed);
      const { violations, outcomes } = await walkWithFaults(place, { seed, folder: folder.path, backups: 2 });
      await place.close();
      assert.deepEqual(violations, []);
      const faults = [...place.faults.values()].reduce((sum, times) => sum + times, 0);
      if (faults > 0 && (outcomes.get("backup done") ?? 0) > 0) return;
    }
    assert.fail("no life had faults and a backup that came through");
  }

  for (const seed of [1, 2, 4, 5]) {
    it(`seed ${seed} on Ceph's gateway`, () => walk((one) => makeS3Place(server, bucket, one), seed));
  }
  for (const seed of [3, 7]) {
    it(`seed ${seed} on sshd`, () => walk(async (one) => makeSftpPlace(await sshServer(), one), seed));
  }
});
