import assert from "node:assert/strict";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";

describe("the S3 server of the tests", function () {
  this.timeout(120_000);
  let server: S3Server;
  before(async () => {
    server = await sharedS3Server();
  });

  it("keeps what it was given when its gateway is killed and resumed", async () => {
    const bucket = await server.newBucket();
    const client = server.client();
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: "a", Body: new Uint8Array([1, 2, 3]) }));
    await server.killGateway();
    await assert.rejects(client.send(new GetObjectCommand({ Bucket: bucket, Key: "a" })));
    await server.resume();
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "a" }));
    assert.deepEqual(await Body?.transformToByteArray(), new Uint8Array([1, 2, 3]));
    client.destroy();
  });

  it("has a second user without rights, and refuses wrong secrets", async () => {
    const bucket = await server.newBucket();
    const wrong = { ...server.admin, secretAccessKey: server.runner.secretAccessKey };
    for (const user of [server.runner, wrong]) {
      const client = server.client(user);
      const put = new PutObjectCommand({ Bucket: bucket, Key: "a", Body: new Uint8Array(1) });
      await assert.rejects(client.send(put), /AccessDenied|SignatureDoesNotMatch/);
      client.destroy();
    }
  });
});
