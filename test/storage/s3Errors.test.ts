// What goes wrong with a real S3 server: wrong keys, missing things, one forbidden verb, clocks, lost connections.

import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { isAbort } from "../../core/errors.js";
import type { Backend, StorageRetry } from "../../core/storage/backend.js";
import { deleteAll } from "../../core/storage/deleteAll.js";
import { probeBackend } from "../../core/storage/probe.js";
import { openS3Backend, type S3BackendOptions } from "../../core/storage/s3/s3Backend.js";
import { createS3Bucket } from "../../core/storage/s3/s3Bucket.js";
import { assertCode } from "../support/assertCode.js";
import { collect, listKeys } from "../support/listing.js";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";

const CANARY = "canary0SECRET0canary0SECRET0canary0SECRE";
const bytes = (text: string) => new TextEncoder().encode(text);

describe("S3 in trouble", function () {
  this.timeout(120_000);
  let server: S3Server;
  let bucket: string;
  const opened: Backend[] = [];

  async function open(query = "", options: S3BackendOptions = {}): Promise<Backend> {
    const location = `${server.location(bucket, "r")}${query}`;
    const backend = await openS3Backend(location, { credentials: server.admin, ...options });
    opened.push(backend);
    return backend;
  }

  before(async () => {
    server = await sharedS3Server();
  });
  beforeEach(async () => {
    bucket = await server.newBucket();
  });
  afterEach(async () => {
    for (const backend of opened.splice(0)) await backend.close();
  });

  it("lets one of two clients win each of 30 races", async () => {
    const [one, two] = [await open(), await open()];
    const races = Array.from({ length: 30 }, async (_, race) => {
      const outcomes = await Promise.all(
        [one, two].map((backend, n) => backend.putIfAbsent(`k/${race}`, bytes(`${n}`))),
      );
      assert.deepEqual([...outcomes].sort(), ["created", "exists"]);
      assert.deepEqual(await two.get(`k/${race}`), bytes(String(outcomes.indexOf("created"))));
    });
    await Promise.all(races);
  });

  it("deletes 1100 objects in two requests, gone ones included", async () => {
    const backend = await open();
    const keys = Array.from({ length: 1100 }, (_, n) => `x/${n}`);
    await Promise.all(keys.filter((_, n) => n % 10 === 0).map((key) => backend.put(key, bytes("x"))));
    await deleteAll(backend, keys);
    assert.deepEqual(await listKeys(backend), []);
    assert.equal(backend.traffic?.().requests["DELETE-MANY"], 2);
  });

  it("leaves foreign objects of the bucket alone", async () => {
    const backend = await open();
    await backend.put("packs/00/a", bytes("a"));
    const client = server.client();
    for (const Key of ["r/a b+c=ü'(1)!*~.txt", "r/packs/00/x y", "r/tmp/z", "other/packs/00/b", "r2/a"]) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: bytes("foreign") }));
    }
    client.destroy();
    assert.deepEqual(await listKeys(backend), ["packs/00/a"]);
    assert.deepEqual(await listKeys(backend, "packs/"), ["packs/00/a"]);
  });

  it("says that a bucket is missing, whatever is asked first", async () => {
    bucket = server.freshName();
    const operations: ((backend: Backend) => Promise<unknown>)[] = [
      (backend) => backend.get("config"),
      (backend) => backend.stat("config"),
      (backend) => backend.put("config", bytes("x")),
      (backend) => backend.putIfAbsent("config", bytes("x")),
      (backend) => collect(backend.list("")),
    ];
    for (const operation of operations) {
      const error = await assertCode(operation(await open()), "S3_BUCKET_MISSING");
      assert.match(error.hint ?? "", /--create-bucket/);
    }
  });

  it("makes a bucket, once, with versions, where the first one counts", async () => {
    bucket = server.freshName();
    const location = server.location(bucket, "r");
    const report = await createS3Bucket(location, { objectLock: false }, server.admin);
    assert.deepEqual([report.created, report.conditionalPut], [true, true]);
    assert.equal((await createS3Bucket(location, { objectLock: false }, server.admin)).created, false);
    const backend = await open();
    const racers = Array.from({ length: 30 }, (_, racer) => backend.putIfAbsent("config", bytes(`${racer}`)));
    assert.equal((await Promise.all(racers)).filter((outcome) => outcome === "created").length, 1);
    await backend.delete("config");
    assert.deepEqual(await listKeys(backend), [], "a deleted name is gone although a version of it may stay");
    assert.equal(await backend.putIfAbsent("config", bytes("x")), "created");
    assert.equal(await backend.putIfAbsent("config", bytes("y")), "exists");
    const taken = createS3Bucket(location, { objectLock: false }, server.runner);
    await assertCode(taken, "S3_BUCKET_TAKEN");
  });

  it("makes a bucket with object lock, where conditional puts work, too", async () => {
    bucket = server.freshName();
    const report = await createS3Bucket(server.location(bucket, "r"), { objectLock: 3 }, server.admin);

    const { checks } = await probeBackend(await open(), "0123456789abcdef");
    assert.equal(report.conditionalPut, true);
    assert.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    const plain = await server.newBucket();
    await assertCode(createS3Bucket(server.location(plain), { objectLock: 3 }, server.admin), "S3_FEATURE_MISSING");
  });

  it("tells wrong keys from missing ones, and shows none of them", async () => {
    const errors = [
      await assertCode(
        (await open("", { credentials: { ...server.admin, secretAccessKey: CANARY } })).stat("config"),
        "S3_CREDENTIALS_WRONG",
      ),
      await assertCode(
        (await open("", { credentials: { accessKeyId: "NOBODY", secretAccessKey: CANARY } })).get("config"),
        "S3_CREDENTIALS_WRONG",
      ),
    ];
    for (const error of errors) assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes("0SECRET0"));
  });

  it("names the one verb that is not allowed, and its object", async () => {
    const admin = await open();
    await admin.put("packs/00/a", bytes("a"));
    await allowRunner(["s3:PutObject", "s3:GetObject", "s3:ListBucket"]);
    const runner = await open("", { credentials: server.runner });
    await runner.put("packs/00/b", bytes("b"));
    assert.equal(await runner.putIfAbsent("packs/00/b", bytes("b")), "exists");
    const deletions = [() => runner.delete("packs/00/a"), () => deleteAll(runner, ["packs/00/a", "packs/00/b"])];
    for (const attempt of deletions) {
      const error = await assertCode(attempt(), "STORAGE_ACCESS_DENIED");
      assert.match(error.message, /s3:DeleteObject on packs\/00\/a/);
    }
    await allowRunner(["s3:GetObject", "s3:ListBucket"]);
    assert.match(
      (await assertCode(runner.put("packs/00/c", bytes("c")), "STORAGE_ACCESS_DENIED")).message,
      /s3:PutObject/,
    );
    await allowRunner(["s3:PutObject", "s3:ListBucket"]);
    for (const attempt of [() => runner.get("packs/00/a"), () => runner.stat("packs/00/a")]) {
      assert.match((await assertCode(attempt(), "STORAGE_ACCESS_DENIED")).message, /s3:GetObject on packs\/00\/a/);
    }
    await allowRunner(["s3:PutObject", "s3:GetObject"]);
    assert.match((await assertCode(collect(runner.list("packs/")), "STORAGE_ACCESS_DENIED")).message, /s3:ListBucket/);
    assert.deepEqual(await listKeys(admin), ["packs/00/a", "packs/00/b"]);
  });

  async function allowRunner(Action: string[]): Promise<void> {
    const client = server.client();
    const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    const Principal = { AWS: ["arn:aws:iam:::user/runner"] };
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal, Action, Resource }],
    });
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    client.destroy();
  }

  it("works with a clock that is 20 minutes off", async () => {
    const { now } = Date;
    const RealDate = Date;
    for (const minutes of [-20, 20]) {
      const offsetMs = minutes * 60_000;
      globalThis.Date = class extends RealDate {
        constructor(...args: unknown[]) {
          super(...((args.length === 0 ? [now() + offsetMs] : args) as [number]));
        }
        static override now(): number {
          return now() + offsetMs;
        }
      } as DateConstructor;
      try {
        const backend = await open();
        await backend.put(`clock/${minutes}`, bytes("x"));
        assert.equal(await backend.putIfAbsent(`clock/${minutes}`, bytes("y")), "exists");
        assert.deepEqual(await backend.get(`clock/${minutes}`), bytes("x"));
        const { modifiedAtMs } = await backend.stat(`clock/${minutes}`);
        assert.ok(Math.abs(modifiedAtMs - now()) < 60_000, "times are the server's");
      } finally {
        globalThis.Date = RealDate;
      }
    }
  });

  it("waits while the gateway is killed and comes back", async () => {
    const backend = await open();
    await backend.put("packs/00/a", new Uint8Array(1_000_000).fill(1));
    const work = Promise.all(
      Array.from({ length: 24 }, async (_, n) => {
        await delay(n * 100);
        const content = new Uint8Array(2_000_000).fill(n);
        assert.equal(await backend.putIfAbsent(`k/${n}`, content), "created", "a lost answer is no foreign object");
        await backend.get("packs/00/a");
        assert.deepEqual(await backend.get(`k/${n}`, { range: { offset: -5, length: 5 } }), content.subarray(0, 5));
      }),
    );
    await delay(300);
    await server.killGateway();
    await delay(1000);
    await server.resume();
    await work;
    assert.equal((await listKeys(backend, "k/")).length, 24);
    assert.ok((backend.traffic?.().retries ?? 0) > 0, "requests were repeated");
  });

  it("says at once that it tries a refused connection again, and gives up within seconds", async () => {
    const told: [number, StorageRetry][] = [];
    const startMs = performance.now();
    const onRetry = (retry: StorageRetry) => void told.push([performance.now() - startMs, retry]);
    const backend = await openS3Backend("s3:http://127.0.0.1:1/bucket", { credentials: server.admin, onRetry });
    await assertCode(Promise.all([backend.get("config"), backend.stat("config")]), "STORAGE_UNREACHABLE");
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs > 1000 && tookMs < 10_000, `${tookMs} ms`);
    const [[toldAtMs, retry] = [Number.NaN, undefined]] = told;
    assert.equal(told.length, 1, "once");
    assert.ok(toldAtMs < 1500, `${toldAtMs} ms`);
    assert.equal(retry?.storage, "http://127.0.0.1:1");
    assert.match(retry?.reason ?? "", /ECONNREFUSED/);
    assert.equal(retry?.patienceMs, 4000);
    await backend.close();
  });

  it("gives up on a server that is not there, that is unknown, or that never answers", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on("error", () => {})));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const retry = { patienceMs: () => 500 };
    const credentials = server.admin;
    try {
      for (const host of [`http://127.0.0.1:${port}`, "http://127.0.0.1:1", "http://no-such-host.invalid"]) {
        const backend = await openS3Backend(`s3:${host}/bucket?timeout=1`, { credentials, retry });
        const error = await assertCode(backend.get("config"), "STORAGE_UNREACHABLE", host);
        assert.equal(error.retry, "later");
        assert.ok(error.message.includes(host), error.message);
        assert.match(error.hint ?? "", /endpoint.* in the location/);
        await backend.close();
      }
      const backend = await openS3Backend(`s3:http://127.0.0.1:${port}/bucket`, { credentials });
      const aborted = backend.put("config", bytes("x"), { signal: AbortSignal.timeout(200) });
      await assert.rejects(aborted, (error) => isAbort(error) || (error as Error).name === "TimeoutError");
      await backend.close();
      const tls = await openS3Backend(server.location(bucket).replace("http:", "https:"), { credentials, retry });
      await assertCode(tls.get("config"), "STORAGE_TLS_FAILED");
      await tls.close();
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
