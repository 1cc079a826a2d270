// Each fault of the proxy between the S3 backend and a real gateway: the faults happen, and the backend copes with them.

import assert from "node:assert/strict";
import type { Backend } from "../../../core/storage/backend.js";
import { probeBackend } from "../../../core/storage/probe.js";
import { openS3Backend } from "../../../core/storage/s3/s3Backend.js";
import { assertCode } from "../assertCode.js";
import { listKeys } from "../listing.js";
import { type S3Server, sharedS3Server } from "../s3Server.js";
import { noise } from "../sampleBytes.js";
import type { ChooseFault, Fault, ProxiedRequest } from "./fault.js";
import { staleListings } from "./faultSchedule.js";
import { HttpFaultProxy } from "./httpFaultProxy.js";

const BYTES = noise(1, 100_000);

/** That fault for the first so many requests that match, none for the others. */
function first(count: number, fault: Fault, matches: (request: ProxiedRequest) => boolean = () => true): ChooseFault {
  let left = count;
  return (request) => (matches(request) && left-- > 0 ? fault : { kind: "none" });
}

const isPut = ({ method }: ProxiedRequest) => method === "PUT";
const isGet = ({ method, isList }: ProxiedRequest) => method === "GET" && !isList;

describe("fault proxy in front of an S3 server", function () {
  this.timeout(120_000);
  let server: S3Server;
  let proxy: HttpFaultProxy;
  let bucket: string;
  let backend: Backend;

  before(async () => {
    server = await sharedS3Server();
  });
  beforeEach(async () => {
    proxy = await HttpFaultProxy.start(server.endpoint);
    bucket = await server.newBucket();
    backend = await open(60_000);
  });
  afterEach(async () => {
    await backend.close();
    await proxy.close();
  });

  /** One second for each request; on a busy machine an honest one may need several tries. */
  function open(patienceMs: number): Promise<Backend> {
    return openS3Backend(`s3:${proxy.endpoint}/${bucket}/r?timeout=1`, {
      credentials: server.admin,
      retry: { baseMs: 20, capMs: 100, patienceMs: () => patienceMs },
    });
  }

  it("lets everything through unchanged, signatures included", async () => {
    await backend.put("packs/a", BYTES);
    assert.equal(await backend.putIfAbsent("packs/a", BYTES), "exists");
    assert.deepEqual(await backend.get("packs/a"), BYTES);
    assert.deepEqual(await listKeys(backend), ["packs/a"]);
    await backend.deleteMany?.(["packs/a"]);
    assert.ok((await probeBackend(backend, "0123456789abcdef")).ok);
  });

  const survived: [string, Fault][] = [
    ["a delay", { kind: "delay", ms: 100 }],
    ["a reset", { kind: "reset" }],
    ["a lost answer", { kind: "lose answer" }],
    ["a slow answer", { kind: "drip", pieces: 10, everyMs: 30 }],
    ["SlowDown", { kind: "refuse", status: 503, code: "SlowDown" }],
    ["an error after success", { kind: "lie about success" }],
    ["a duplicate whose first answer counts", { kind: "duplicate", laterMs: 0, answer: "first" }],
    ["a duplicate whose second answer counts", { kind: "duplicate", laterMs: 0, answer: "second" }],
    ["a request held back", { kind: "hold back", ms: 300 }],
    ["an answer cut off", { kind: "truncate", share: 0.5 }],
    ["an answer that stops", { kind: "stall", share: 0.5 }],
  ];
  for (const [name, fault] of survived) {
    it(`each operation survives ${name}`, async () => {
      proxy.schedule(first(1, fault, isPut));
      assert.equal(await backend.putIfAbsent("packs/a", BYTES), "created");
      proxy.schedule(first(1, fault, isPut));
      await backend.put("packs/b", BYTES);
      proxy.schedule(first(1, fault, isGet));
      assert.deepEqual(await backend.get("packs/a"), BYTES);
      proxy.schedule(first(1, fault));
      assert.deepEqual(
        await backend.get("packs/a", { range: { offset: 1000, length: 2000 } }),
        BYTES.slice(1000, 3000),
      );
      proxy.schedule(first(1, fault));
      assert.deepEqual(await listKeys(backend), ["packs/a", "packs/b"]);
      proxy.schedule(first(1, fault));
      assert.equal((await backend.stat("packs/b")).sizeBytes, BYTES.length);
      proxy.schedule(first(1, fault));
      assert.equal(await backend.putIfAbsent("packs/b", new Uint8Array(1)), "exists");
      proxy.schedule(first(1, fault));
      await backend.delete("packs/b");
      proxy.schedule(first(1, fault));
      await backend.deleteMany?.(["packs/a", "packs/b"]);
      await proxy.settled();
      assert.deepEqual(await listKeys(backend), []);
      assert.ok((proxy.counts.get(fault.kind) ?? 0) >= 8, "the faults happened");
    });
  }

  it("delivers what was held back, and duplicates, after later requests", async () => {
    const late = Promise.withResolvers<void>();
    proxy.schedule(first(1, { kind: "hold back", ms: late.promise }, isPut));
    await backend.put("zombie", new Uint8Array([1]));
    await backend.put("zombie", new Uint8Array([2]));
    late.resolve();
    await proxy.settled();
    assert.deepEqual(await backend.get("zombie"), new Uint8Array([1]), "the old put has won in the end");
    const again = Promise.withResolvers<void>();
    proxy.schedule(first(1, { kind: "duplicate", laterMs: again.promise, answer: "first" }, isPut));
    assert.equal(await backend.putIfAbsent("snapshots/a", new Uint8Array([3])), "created");
    await backend.delete("snapshots/a");
    again.resolve();
    await proxy.settled();
    assert.deepEqual(await backend.get("snapshots/a"), new Uint8Array([3]), "a put of a deleted name arrives late");
    proxy.schedule(first(1, { kind: "hold back", ms: 500 }, isPut));
    assert.equal(await backend.putIfAbsent("snapshots/b", new Uint8Array([4])), "created");
    await proxy.settled();
    assert.deepEqual(await backend.get("snapshots/b"), new Uint8Array([4]));
  });

  it("lists what was there one listing earlier, which the probe finds", async () => {
    await backend.put("a", BYTES);
    proxy.schedule(staleListings);
    assert.deepEqual(await listKeys(backend), []);
    await backend.put("b", BYTES);
    assert.deepEqual(await listKeys(backend), ["a"]);
    assert.deepEqual(await listKeys(backend), ["a", "b"]);
    const { checks } = await probeBackend(backend, "0123456789abcdef");
    const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
    assert.deepEqual(failed, ["list-after-put"]);
  });

  it("an answer that never ends is given up, however slowly it goes on", async () => {
    await backend.put("big", BYTES.subarray(0, 8000));
    proxy.schedule((request) => (isGet(request) ? { kind: "drip", pieces: 10_000, everyMs: 100 } : { kind: "none" }));
    const impatient = await open(2000);
    const started = performance.now();
    await assertCode(impatient.get("big"), "STORAGE_UNREACHABLE");
    const ms = performance.now() - started;
    await impatient.close();
    assert.ok(ms < 120_000, `${ms} ms`);
  });
});
