import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { describeBackend } from "../conformance/backend.js";
import { sharedS3Server } from "../support/s3Server.js";

describe("S3 backend", function () {
  this.timeout(120_000);
  before(async () => void (await sharedS3Server()));

  describeBackend("S3 bucket (Ceph)", async () => {
    const server = await sharedS3Server();
    const location = server.location(await server.newBucket(), "some/folder");
    const backend = await openS3Backend(location, { credentials: server.admin });
    return { backend, cleanup: async () => {} };
  });
});
