import assert from "node:assert/strict";
import { setImmediate as soon } from "node:timers/promises";
import { HostCapacity, measureHost } from "../../../core/restoreTest/run/hostCapacity.js";

interface Job {
  running: boolean;
  end: () => void;
  done: Promise<void>;
}

function start(capacity: HostCapacity, memoryMiB: number, cpus: number, signal?: AbortSignal): Job {
  const { promise, resolve } = Promise.withResolvers<void>();
  const job: Job = { running: false, end: resolve, done: promise };
  job.done = capacity.carry(
    { memoryMiB, cpus },
    async () => {
      job.running = true;
      await promise;
      job.running = false;
    },
    signal,
  );
  return job;
}

describe("restore test: what a host can carry", () => {
  it("runs what fits, and the next in line when there is room again", async () => {
    const capacity = new HostCapacity({ memoryMiB: 1000, cpus: 4 });
    const jobs = [600, 300, 500, 100].map((memoryMiB) => start(capacity, memoryMiB, 1));
    await soon();
    // the last one would fit, but the third was there before it
    assert.deepEqual(
      jobs.map(({ running }) => running),
      [true, true, false, false],
    );
    jobs[0]?.end();
    await jobs[0]?.done;
    await soon();
    assert.deepEqual(
      jobs.map(({ running }) => running),
      [false, true, true, true],
    );
    for (const job of jobs) job.end();
    await Promise.all(jobs.map(({ done }) => done));
  });

  it("gives a machine with more processors than the host the whole host, and refuses one with more memory", async () => {
    const capacity = new HostCapacity({ memoryMiB: 1000, cpus: 2 });
    assert.ok(capacity.couldCarry({ memoryMiB: 1000, cpus: 16 }));
    assert.ok(!capacity.couldCarry({ memoryMiB: 1001, cpus: 1 }));
    const jobs = [start(capacity, 10, 16), start(capacity, 10, 1)];
    await soon();
    assert.deepEqual(
      jobs.map(({ running }) => running),
      [true, false],
    );
    jobs[0]?.end();
    await jobs[0]?.done;
    await soon();
    assert.ok(jobs[1]?.running);
    jobs[1]?.end();
    await jobs[1]?.done;
  });

  it("lets one that is aborted out of the line, and frees what a failed one took", async () => {
    const capacity = new HostCapacity({ memoryMiB: 100, cpus: 1 });
    const failing = capacity.carry({ memoryMiB: 100, cpus: 1 }, async () => {
      await soon();
      throw new Error("failed");
    });
    const abort = new AbortController();
    const waiting = start(capacity, 100, 1, abort.signal);
    const behind = start(capacity, 100, 1);
    abort.abort(new Error("enough"));
    await assert.rejects(waiting.done, /enough/);
    await assert.rejects(failing, /failed/);
    await soon();
    assert.ok(behind.running && !waiting.running);
    behind.end();
    await behind.done;
  });

  it("measures this host", async () => {
    const { memoryMiB, cpus } = await measureHost();
    assert.ok(memoryMiB > 0 && cpus > 0);
  });
});
