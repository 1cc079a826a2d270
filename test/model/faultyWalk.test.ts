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

  async function walk(place: FaultyPlace, seed: number): Promise<void> {
    const { violations, outcomes } = await walkWithFaults(place, { seed, folder: folder.path, backups: 2 });
    await place.close();
    assert.deepEqual(violations, []);
    assert.ok((outcomes.get("backup done") ?? 0) > 0, "a backup came through");
    assert.ok([...place.faults.values()].reduce((sum, times) => sum + times, 0) > 0, "there were faults");
  }

  for (const seed of [1, 2, 4, 5]) {
    it(`seed ${seed} on Ceph's gateway`, async () => walk(await makeS3Place(server, bucket, seed), seed));
  }
  for (const seed of [3, 7]) {
    it(`seed ${seed} on sshd`, async () => walk(await makeSftpPlace(await sshServer(), seed), seed));
  }
});
