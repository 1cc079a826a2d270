// The connection to a real S3 server is lost at each request of a backup and a prune in turn, and at some of a gc: once,
// which nobody may notice, and for good, which ends the operation with an error and costs nothing that was finished.

import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { applyPrune, planRepositoryPrune } from "../../core/forget/forget.js";
import type { Manifest } from "../../core/format/manifest.js";
import type { Backend } from "../../core/storage/backend.js";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { type Fault, NO_FAULTS } from "../support/faultProxy/fault.js";
import { HttpFaultProxy } from "../support/faultProxy/httpFaultProxy.js";
import { sharedS3Server } from "../support/s3Server.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

const KEEP_LAST = 2;
/** Ways to lose one request; in turn. */
const ONCE: readonly Fault[] = [
  { kind: "reset" },
  { kind: "lose answer" },
  { kind: "truncate", share: 0.5 },
  { kind: "lie about success" },
];

interface Finished {
  manifest: Manifest;
  disk: Uint8Array;
}

describe("the connection to an S3 server is lost at each request", function () {
  this.timeout(180_000);
  this.slow(60_000);
  let proxy: HttpFaultProxy;
  let backend: Backend;
  let test: TestRepository;
  let folder: TemporaryFolder;
  /** The newest snapshots; a policy keeps so many. */
  const finished: Finished[] = [];
  let disks = 0;

  before(async () => {
    const server = await sharedS3Server();
    proxy = await HttpFaultProxy.start(server.endpoint);
    backend = await openS3Backend(`s3:${proxy.endpoint}/${await server.newBucket()}/lost`, {
      credentials: server.admin,
      retry: { baseMs: 5, capMs: 20, patienceMs: () => 60 },
    });
    folder = await makeTemporaryFolder("lost-connections");
    test = await TestRepository.make({ backend, encrypted: false, cacheFolder: folder.path });
    for (let n = 0; n < KEEP_LAST; n++) await backUp();
  });
  after(async () => {
    await backend.close();
    await proxy.close();
    await folder.remove();
  });

  /** A third of the disk is as the last time. */
  async function backUp(): Promise<void> {
    const disk = noise(++disks, 300_000);
    disk.set(noise(0, 100_000));
    finished.push({ manifest: await test.backUp("vm/lost", { disk }), disk });
    finished.splice(0, finished.length - KEEP_LAST);
  }

  async function prune(): Promise<void> {
    const keep = { last: KEEP_LAST };
    const scope = { group: null, namespace: null, keep, timeZone: "UTC", nowMs: test.environment.nowMs };
    await applyPrune(test.repository, planRepositoryPrune(await test.catalog(), scope), { confirmed: true });
  }

  const collect = async () => void (await test.gc());
  const operations: [name: string, losses: number, prepare: () => Promise<void>, operate: () => Promise<void>][] = [
    ["backup", 30, async () => {}, backUp],
    ["prune", 30, backUp, prune],
    ["gc", 8, () => backUp().then(prune), collect],
  ];
  for (const [name, losses, prepare, operate] of operations) {
    it(`once, of ${name}: it comes through`, async () => {
      const count = await countRequests(prepare, operate);
      for (let k = 1; k <= count; k += Math.ceil(count / losses)) {
        await prepare();
        const fault = ONCE[k % ONCE.length]!;
        proxy.schedule(({ number }) => (number === k ? fault : { kind: "none" }));
        await operate();
        proxy.schedule(NO_FAULTS);
      }
      await expectFinished();
    });

    it(`for good, from there on, of ${name}: an error, and all that was finished is there`, async () => {
      const count = await countRequests(prepare, operate);
      for (let k = 2; k <= count; k += Math.ceil(count / losses)) {
        await prepare();
        proxy.schedule(({ number }) => ({ kind: number >= k ? "reset" : "none" }));
        await endsWell(operate);
        proxy.schedule(NO_FAULTS);
        if (k % 5 === 0) await expectFinished();
      }
      await expectFinished();
      await backUp();
      assert.deepEqual((await test.gc()).waitingFor, []);
      await expectFinished();
    });
  }

  async function countRequests(prepare: () => Promise<void>, operate: () => Promise<void>): Promise<number> {
    await collect();
    await prepare();
    proxy.schedule(NO_FAULTS);
    await operate();
    return proxy.requests;
  }

  /** Done, or an error that says what is wrong. */
  async function endsWell(operate: () => Promise<void>): Promise<void> {
    try {
      await operate();
    } catch (error) {
      assert.ok(isOurError(error) && error.family === "backend", String(error));
      assert.match(error.code, /^(STORAGE_UNREACHABLE|COMMIT_UNCERTAIN)$/);
    }
  }

  async function expectFinished(): Promise<void> {
    const { snapshots, unreadable } = await test.catalog();
    assert.deepEqual(unreadable, []);
    for (const { manifest, disk } of finished) {
      assert.ok(
        snapshots.some(({ sid }) => sid === manifest.sid),
        `${manifest.sid} is there`,
      );
      assert.deepEqual(await test.restore(manifest, "disk"), disk);
    }
    const report = await test.verify({ readData: false });
    assert.ok(report.ok, JSON.stringify(report));
  }
});
