// In a versioned bucket of Ceph 16, which forgets If-None-Match there, the first version of an object counts.

import assert from "node:assert/strict";
import { PutBucketPolicyCommand, PutBucketVersioningCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Backend } from "../../core/storage/backend.js";
import { probeBackend } from "../../core/storage/probe.js";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { createS3Bucket } from "../../core/storage/s3/s3Bucket.js";
import { assertCode } from "../support/assertCode.js";
import type { Fault } from "../support/faultProxy/fault.js";
import { HttpFaultProxy } from "../support/faultProxy/httpFaultProxy.js";
import { collect, listKeys } from "../support/listing.js";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const PACK = "packs/00/a";

describe("first versions in a bucket of S3", function () {
  this.timeout(120_000);
  let server: S3Server;
  let bucket: string;
  const opened: Backend[] = [];

  async function open(user = server.admin): Promise<Backend> {
    const backend = await openS3Backend(server.location(bucket, "r"), { credentials: user });
    opened.push(backend);
    return backend;
  }

  /** As a thief, or a request that arrives late. */
  async function putPlainly(key: string, text: string): Promise<void> {
    const client = server.client();
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `r/${key}`, Body: bytes(text) }));
    client.destroy();
  }

  before(async () => {
    server = await sharedS3Server();
  });
  beforeEach(async () => {
    bucket = server.freshName();
    await createS3Bucket(server.location(bucket), { objectLock: false }, server.admin);
  });
  afterEach(async () => {
    for (const backend of opened.splice(0)) await backend.close();
  });

  it("lets one of 30 clients win, and shows everybody what it wrote", async () => {
    const clients = await Promise.all(Array.from({ length: 30 }, () => open()));
    const key = "snapshots/s";
    const seen = new Set<string>();
    const outcomes = await Promise.all(
      clients.map(async (client, n) => {
        const outcome = await client.putIfAbsent(key, bytes(`racer ${n}`));
        seen.add(Buffer.from(await client.get(key)).toString());
        return outcome;
      }),
    );
    assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
    assert.deepEqual([...seen], [`racer ${outcomes.indexOf("created")}`]);
    const [late] = seen;
    await putPlainly(key, "a late one");
    for (const client of [clients[0]!, clients[29]!, await open()]) {
      assert.deepEqual(await client.get(key), bytes(late!));
      assert.equal((await client.stat(key)).sizeBytes, late!.length);
      assert.equal((await collect(client.list("snapshots/")))[0]?.sizeBytes, late!.length);
    }
  });

  it("reads ranges of the first version, whether it has been listed or not", async () => {
    const backend = await open();
    await backend.put(PACK, bytes("what was first"));
    assert.equal((await collect(backend.list("packs/"))).length, 1);
    for (const later of ["x", "longer than what was first, by far"]) {
      await putPlainly(PACK, later);
      for (const reader of [backend, await open()]) {
        assert.deepEqual(await reader.get(PACK, { range: { offset: 5, length: 3 } }), bytes("was"));
        assert.deepEqual(await reader.get(PACK, { range: { offset: -5, length: 5 } }), bytes("first"));
        await assertCode(reader.get(PACK, { range: { offset: 14, length: 1 } }), "OBJECT_RANGE");
        assert.deepEqual(await reader.get(PACK), bytes("what was first"));
      }
    }
  });

  it("takes one look for a pack, not one for each read", async () => {
    await (await open()).put(PACK, bytes("a pack"));
    const reader = await open();
    for (let n = 0; n < 5; n++) await reader.get(PACK, { range: { offset: n, length: 1 } });
    const { LIST, GET } = reader.traffic?.().requests ?? {};
    assert.deepEqual([LIST, GET], [1, 6], "one look, and whether there are versions");
  });

  it("counts from the last delete marker, and pages through many versions", async () => {
    const backend = await open();
    for (const text of ["1", "2"]) await putPlainly(PACK, text);
    await backend.delete(PACK);
    assert.deepEqual(await listKeys(backend), []);
    await assertCode(backend.get(PACK), "OBJECT_NOT_FOUND");
    await assertCode(backend.stat(PACK), "OBJECT_NOT_FOUND");
    assert.equal(await backend.putIfAbsent(PACK, bytes("3")), "created");
    for (let n = 0; n < 20; n++) await putPlainly(PACK, `4 ${n}`);
    await putPlainly(`${PACK}.b`, "next");
    const reader = await open();
    assert.deepEqual(await reader.get(PACK), bytes("3"));
    assert.deepEqual(
      (await collect(reader.list("packs/"))).map(({ sizeBytes }) => sizeBytes),
      [1, 4],
    );
    await backend.put(PACK, bytes("replaced"));
    assert.deepEqual(await reader.get(PACK), bytes("replaced"));
  });

  it("shows the last version of what is put again", async () => {
    const backend = await open();
    for (const text of ["1", "22"]) await backend.put("sessions/s", bytes(text));
    await putPlainly("sessions/s", "333");
    assert.deepEqual(await backend.get("sessions/s"), bytes("333"));
    assert.equal((await collect(backend.list("")))[0]?.sizeBytes, 3);
  });

  it("passes the probe", async () => {
    const { checks } = await probeBackend(await open(), "0123456789abcdef");
    for (const { name, ok, detail } of checks) assert.ok(ok, `${name}: ${detail}`);
  });

  it("keeps what was there before versions were switched on", async () => {
    bucket = await server.newBucket();
    await putPlainly(PACK, "old");
    const early = await open();
    assert.deepEqual(await early.get(PACK), bytes("old"));
    const client = server.client();
    const VersioningConfiguration = { Status: "Enabled" as const };
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    client.destroy();
    await putPlainly(PACK, "younger");
    assert.deepEqual(await (await open()).get(PACK), bytes("old"));
    assert.equal(await early.putIfAbsent("snapshots/s", bytes("s")), "created");
    assert.deepEqual(await early.get(PACK), bytes("old"), "the reply to the put has told that there are versions");
  });

  const faults: Fault[] = [
    { kind: "lose answer" },
    { kind: "lie about success" },
    { kind: "duplicate", laterMs: 200, answer: "first" },
    { kind: "duplicate", laterMs: 0, answer: "second" },
    { kind: "hold back", ms: 300 },
  ];
  for (const fault of faults) {
    it(`knows its own put after a fault: ${JSON.stringify(fault)}`, async () => {
      const proxy = await HttpFaultProxy.start(server.endpoint);
      try {
        const backend = await openS3Backend(`s3:${proxy.endpoint}/${bucket}/r?timeout=60`, {
          credentials: server.admin,
          retry: { baseMs: 20, capMs: 100, patienceMs: () => 60_000 },
        });
        opened.push(backend);
        let left = 2;
        proxy.schedule(({ method }) => (method === "PUT" && left-- > 0 ? fault : { kind: "none" }));
        assert.equal(await backend.putIfAbsent("snapshots/a", bytes("a")), "created");
        await backend.put(PACK, bytes("pack"));
        assert.ok(left <= 0);
        assert.equal(await backend.putIfAbsent("snapshots/a", bytes("later")), "exists");
        await proxy.settled();
        assert.deepEqual(await backend.get("snapshots/a"), bytes("a"));
        assert.deepEqual(await backend.get(PACK), bytes("pack"));
        assert.equal(backend.traffic().requests.DELETE, undefined, "put has found its own version first");
      } finally {
        await proxy.close();
      }
    });
  }

  it("says which permission is missing", async () => {
    await (await open()).put(PACK, bytes("a pack"));
    const client = server.client();
    const statement = (Action: string[], Resource: string) => ({
      Effect: "Allow",
      Principal: { AWS: ["arn:aws:iam:::user/runner"] },
      Action,
      Resource: [Resource],
    });
    const Statement = [
      statement(["s3:GetObject", "s3:PutObject"], `arn:aws:s3:::${bucket}/*`),
      statement(["s3:ListBucket"], `arn:aws:s3:::${bucket}`),
    ];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    client.destroy();
    const backend = await open(server.runner);
    for (const operation of [() => backend.get(PACK), () => backend.putIfAbsent("snapshots/s", bytes("s"))]) {
      const { message } = await assertCode(operation(), "STORAGE_ACCESS_DENIED");
      assert.match(message, /s3:ListBucketVersions/);
    }
  });
});
