import assert from "node:assert/strict";
import { openBackend } from "../../core/storage/openBackend.js";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { createS3Bucket } from "../../core/storage/s3/s3Bucket.js";
import { describeBackend } from "../conformance/backend.js";
import { sharedS3Server } from "../support/s3Server.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

describe("S3 backend", function () {
  this.timeout(120_000);
  before(async () => void (await sharedS3Server()));

  it("gives worker threads the credentials that its caller has given", async () => {
    const server = await sharedS3Server();
    const credentials = server.admin;
    const backend = await openBackend(server.location(await server.newBucket()), { s3Credentials: credentials });
    const made = await TestRepository.make({ backend });
    const disk = noise(1, 3_000_000);
    const manifest = await made.backUp("vm/web1", { disk });
    assert.deepEqual(await made.restore(manifest, "disk", 2), disk);
    assert.equal((await made.verify({ lanes: 2 })).packs.read > 0, true);
    await backend.close();
  });

  describeBackend("S3 bucket (Ceph)", async () => {
    const server = await sharedS3Server();
    const location = server.location(await server.newBucket(), "some/folder");
    const backend = await openS3Backend(location, { credentials: server.admin });
    return { backend, cleanup: async () => {} };
  });

  describeBackend("S3 bucket with versions (Ceph)", async () => {
    const server = await sharedS3Server();
    const location = server.location(server.freshName(), "some/folder");
    await createS3Bucket(location, { objectLock: false }, server.admin);
    const backend = await openS3Backend(location, { credentials: server.admin });
    return { backend, cleanup: async () => {} };
  });
});
