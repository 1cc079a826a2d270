// A runner behind HAProxy in front of a real S3 server, with the configuration and the policy that init prints: it backs up,
// restores and keeps records, and the server refuses every deletion and every overwriting, whatever the request looks like.

import assert from "node:assert/strict";
import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { examineRepository } from "../../core/doctor/doctor.js";
import { bytesToHex, objectName } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { storeTestRecord, testHistory } from "../../core/restoreTest/storedRecords.js";
import { s3Policy } from "../../core/roles/s3Policy.js";
import type { Backend } from "../../core/storage/backend.js";
import { openBackend } from "../../core/storage/openBackend.js";
import { assertCode } from "../support/assertCode.js";
import { PROXY_ADDRESS, RunnerProxy } from "../support/runnerProxy.js";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { noise } from "../support/sampleBytes.js";
import { sampleTestRecord } from "../support/sampleTestRecord.js";
import { postForm, type RawAnswer, type SignedRequest, sendSigned } from "../support/signedRequest.js";
import { TestRepository } from "../support/testRepository.js";

const DISK = noise(31, 500_000);
const STAR = { "If-None-Match": "*" };
const EVIL = "overwritten";

/** Ways to put something else under a name that is taken. `works`: the server takes it from who may overwrite. */
interface Attempt {
  name: string;
  request: Omit<SignedRequest, "path"> & { path?: string };
  works: boolean;
}

describe("a runner behind a proxy that refuses overwriting", () => {
  let server: S3Server;
  let proxy: RunnerProxy;
  let bucket: string;
  let keeper: TestRepository;
  let runner: TestRepository;
  let first: Manifest;
  const opened: Backend[] = [];

  before(async function start() {
    this.timeout(120_000);
    server = await sharedS3Server();
    bucket = await server.newBucket();
    const { hostname: host, port } = new URL(server.endpoint);
    proxy = await RunnerProxy.start({ bucket, prefix: "lab/", server: { host, port: Number(port), tls: false } });
    await setPolicy();
    const open = async (location: string, user: S3Server["admin"]) => {
      const backend = await openBackend(location, { s3Credentials: user });
      opened.push(backend);
      return backend;
    };
    const keepers = await open(server.location(bucket, "lab"), server.admin);
    keeper = await TestRepository.make({ backend: keepers, keeperKey: KeeperKey.generate() });
    runner = await keeper.reopen({ backend: await open(`s3:${proxy.endpoint}/${bucket}/lab`, server.runner) });
    first = await runner.backUp("vm/a", { root: DISK });
  });

  after(async () => {
    for (const backend of opened) await backend.close();
    await proxy?.stop();
  });

  async function setPolicy(): Promise<void> {
    const policy = s3Policy("s3-bucket", {
      bucket,
      prefix: "lab/",
      runner: "arn:aws:iam:::user/runner",
      keeper: "arn:aws:iam:::user/admin",
      conditionalPuts: false,
      proxy: `${PROXY_ADDRESS}/32`,
      noncurrentDays: 30,
    });
    const client = server.client();
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }));
    client.destroy();
  }

  async function keysOf(...folders: string[]): Promise<string[]> {
    const keys: string[] = [];
    for (const name of folders) for await (const { key } of keeper.backend.list(name)) keys.push(key);
    return keys;
  }

  it("lets it back up, restore, verify, and keep notes and records of tests", async () => {
    const again = await runner.backUp("vm/a", { root: DISK });
    assert.equal(again.statistics.chunksNew, 0);
    assert.deepEqual(await runner.restore(again, "root"), DISK);
    assert.ok((await runner.verify({ record: true })).ok);
    const { snapshots, records } = await runner.catalog();
    const snapshot = snapshots.find(({ sid }) => sid === first.sid);
    assert.ok(snapshot);
    const sample = sampleTestRecord();
    const backup = { ...sample.backup, manifestDigest: snapshot.digest, snapshotId: snapshot.sid };
    await storeTestRecord(runner.repository, snapshot, { ...sample, backup }, [], records);
    const catalog = await keeper.catalog();
    assert.equal(testHistory(catalog).tests.length, 1);
    assert.deepEqual(runner.takeWarnings(), []);
  }).timeout(60_000);

  it("refuses every deletion, and what is the keeper's", async () => {
    const keys = await keysOf("");
    for (const key of keys) {
      await assertCode(runner.backend.delete(key), "STORAGE_ACCESS_DENIED", key);
      for (const endpoint of [proxy.endpoint, server.endpoint]) {
        const path = `/${bucket}/lab/${key}`;
        for (const query of [{}, { versionId: "null" }] as Record<string, string>[]) {
          assertRefused(await sendSigned(endpoint, server.runner, { method: "DELETE", path, query }), key);
        }
      }
    }
    const body = `<Delete>${keys.map((key) => `<Object><Key>lab/${key}</Key></Object>`).join("")}</Delete>`;
    const batch = { method: "POST", path: `/${bucket}`, query: { delete: "" }, body };
    for (const endpoint of [proxy.endpoint, server.endpoint]) {
      const { status, body: text } = await sendSigned(endpoint, server.runner, batch);
      assert.ok(status === 403 || !text.includes("<Deleted>"), text);
    }
    for (const key of ["config", "keys/x", objectName.forgotten(first.sid), `gc/${first.sid}.plan`, "rescue.mjs"]) {
      await assertCode(runner.backend.put(key, new Uint8Array(3)), "STORAGE_ACCESS_DENIED", key);
      await assertCode(runner.backend.putIfAbsent(key, new Uint8Array(3)), "STORAGE_ACCESS_DENIED", key);
    }
    assert.deepEqual(await keysOf(""), keys);
  }).timeout(60_000);

  it("refuses to overwrite any object that is written once", async () => {
    for (const key of await keysOf("packs/", "index/", "snapshots/", "records/")) {
      const before = bytesToHex(await keeper.backend.get(key));
      await assertCode(runner.backend.put(key, new Uint8Array(9)), "STORAGE_ACCESS_DENIED", key);
      assert.equal(await runner.backend.putIfAbsent(key, new Uint8Array(9)), "exists", key);
      assert.equal(bytesToHex(await keeper.backend.get(key)), before, key);
    }
  }).timeout(60_000);

  it("refuses whatever else would put other bytes under a name", async () => {
    const [pack] = await keysOf("packs/");
    assert.ok(pack);
    const before = bytesToHex(await keeper.backend.get(pack));
    for (const { name, request, works } of attempts(pack)) {
      for (const endpoint of [proxy.endpoint, server.endpoint]) {
        const path = request.path ?? `/${bucket}/lab/${pack}`;
        const answer = await sendSigned(endpoint, server.runner, { ...request, path });
        const where = `${name}, ${endpoint === proxy.endpoint ? "proxy" : "past the proxy"}: ${answer.status}`;
        assertRefused(answer, where);
        if (works) assert.equal(answer.status, 403, where);
        assert.doesNotMatch(answer.body, /SignatureDoesNotMatch/, where);
        assert.equal(bytesToHex(await keeper.backend.get(pack)), before, where);
      }
    }
    for (const headers of [{}, STAR]) {
      for (const endpoint of [proxy.endpoint, server.endpoint]) {
        const form = { bucket, key: `lab/${pack}`, body: EVIL, headers };
        assertRefused(await postForm(endpoint, server.runner, form), "form");
      }
    }
    assert.equal(bytesToHex(await keeper.backend.get(pack)), before);
    assert.ok((await keeper.verify()).ok);
  }).timeout(60_000);

  it("would have let them through: the same requests overwrite for who may", async () => {
    const scratch = await server.newBucket();
    const asAdmin = (request: SignedRequest) => sendSigned(server.endpoint, server.admin, request);
    const read = async (key: string) => (await asAdmin({ method: "GET", path: `/${scratch}/lab/${key}` })).body;
    const put = (key: string, body: string) => asAdmin({ method: "PUT", path: `/${scratch}/lab/${key}`, body });
    await put("sessions/source", EVIL);
    for (const i of attempts("", scratch).keys()) {
      const key = `packs/${i}`;
      const { name, request, works } = attempts(key, scratch)[i] as Attempt;
      if (!works) continue;
      await put(key, "first");
      const answer = await asAdmin({ path: `/${scratch}/lab/${key}`, ...request });
      assert.equal(answer.status, 200, `${name}: ${answer.body}`);
      assert.equal(await read(key), EVIL, name);
    }
    await put("packs/a", "first");
    const form = { bucket: scratch, key: "lab/packs/a", body: EVIL };
    const posted = await postForm(server.endpoint, server.admin, form);
    assert.ok(posted.status < 300, posted.body);
    assert.equal(await read("packs/a"), EVIL);
  }).timeout(60_000);

  it("is what doctor sees", async () => {
    const report = await examineRepository(runner.repository, { cacheFolder: null, ...runner.options });
    for (const { folder, owner, create, overwrite, delete: deletion } of report.trials) {
      assert.deepEqual([overwrite, deletion], ["refused", "refused"], folder);
      assert.equal(create, owner === "runner" ? "allowed" : "refused", folder);
    }
    assert.equal(report.destructible, "no");
    assert.equal(report.findings.find(({ name }) => name === "thief")?.status, "ok");
  }).timeout(60_000);

  it("does not stand in the keeper's way", async () => {
    const gone = await runner.backUp("vm/b", { root: noise(32, 300_000) });
    await keeper.forget(gone.sid);
    assert.ok((await keeper.gc()).deletedPacks > 0);
    assert.ok((await keeper.verify()).ok);
    assert.deepEqual(await runner.restore(first, "root"), DISK);
  }).timeout(60_000);

  function attempts(key: string, within = bucket): Attempt[] {
    const path = `/${within}/lab/${key}`;
    const put = (name: string, works: boolean, request: Partial<SignedRequest> = {}): Attempt => ({
      name,
      works,
      request: { method: "PUT", body: EVIL, ...request },
    });
    const copies = { "x-amz-copy-source": `/${within}/lab/${within === bucket ? "config" : "sessions/source"}` };
    const encoded = `/${within}/lab/${key.slice(0, -1)}%${key.slice(-1).charCodeAt(0).toString(16)}`;
    return [
      put("no condition", true),
      put("the SDK's query", true, { query: { "x-id": "PutObject" } }),
      put("another query", true, { query: { a: "b" } }),
      put("a condition", false, { headers: STAR }),
      put("in lower case", false, { headers: { "if-none-match": "*" } }),
      put("in upper case", false, { headers: { "IF-NONE-MATCH": "*" } }),
      put("another value", true, { headers: { "If-None-Match": '"d41d8cd98f00b204e9800998ecf8427e"' } }),
      put("quoted", true, { headers: { "If-None-Match": '"*"' } }),
      put("a list", true, { headers: { "If-None-Match": '*, "a"' } }),
      put("twice, other last", true, { headers: { "If-None-Match": ["*", '"a"'] } }),
      put("twice, other first", false, { headers: { "If-None-Match": ['"a"', "*"] } }),
      put("an underscore", true, { headers: { ...STAR, If_None_Match: '"a"' } }),
      put("If-Match", true, { headers: { "If-Match": "*" } }),
      put("both", false, { headers: { ...STAR, "If-Match": "*" } }),
      put("an ACL", true, { headers: { "x-amz-acl": "public-read-write" } }),
      put("a version of its own", true, { query: { versionId: "other" }, headers: STAR }),
      put("the version that there is", true, { query: { versionId: "null" } }),
      put("appended", false, { query: { append: "", position: "0" }, headers: STAR }),
      put("presigned", true, { presigned: true }),
      put("presigned, with a condition", false, { presigned: true, headers: STAR }),
      put("encoded", true, { path: encoded, signedPath: path }),
      put("encoded, with a version", true, {
        path: encoded,
        signedPath: path,
        query: { versionId: "other" },
        headers: STAR,
      }),
      put("copied", true, { body: "", headers: copies }),
      put("copied, with a condition", true, { body: "", headers: { ...copies, ...STAR } }),
      put("copied onto itself", false, {
        body: "",
        headers: { ...STAR, "x-amz-copy-source": path, "x-amz-metadata-directive": "REPLACE" },
      }),
      put("a part", false, { query: { partNumber: "1", uploadId: "2~none" }, headers: STAR }),
      put("a rule", false, { query: { acl: "" }, headers: { "x-amz-acl": "public-read-write" }, body: "" }),
      put("tags", false, {
        query: { tagging: "" },
        body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
      }),
      { name: "an upload", works: false, request: { method: "POST", query: { uploads: "" }, headers: STAR } },
      { name: "PATCH", works: false, request: { method: "PATCH", body: EVIL } },
    ];
  }
});

function assertRefused({ status, body }: RawAnswer, message: string): void {
  assert.ok([403, 405, 409, 412, 400, 404].includes(status), `${message} ${status} ${body}`);
}
