import assert from "node:assert/strict";
import type { Cost } from "../../bench/measure.js";
import { readOptions } from "../../bench/options.js";
import { judgeS3, s3Report } from "../../bench/s3/s3Report.js";
import type { SideBySideResults, Step } from "../../bench/sideBySide.js";
import { isReached } from "../../bench/targets.js";
import { trafficOf } from "../../bench/tools/reprise.js";

function cost(wallSeconds: number, rest: Partial<Cost> = {}): Cost {
  return { wallSeconds, cpuSeconds: 4, peakBytes: 399e6, ...rest };
}

function results(times: Record<string, Partial<Record<Step, Cost[]>>>): SideBySideResults {
  return new Map(Object.entries(times).map(([name, costs]) => [name, { costs, storedBytes: [], failures: [] }]));
}

const raw = {
  ...{ objectBytes: 1 << 24, objects: 8, atOnce: 8, putBytesPerSecond: 2e8, getBytesPerSecond: 3e8 },
  ...{ putCpuSeconds: 1, putServerCpuSeconds: 2 },
};

describe("the bench's S3 column", () => {
  const traffic = { requests: { GET: 3, PUT: 29 }, bytesUp: 4e8, bytesDown: 0, retries: 0 };
  const measured = results({
    reprise: { "first backup": [cost(3)], restore: [cost(4)] },
    "reprise-s3": { "first backup": [cost(5, { serverCpuSeconds: 2, traffic })], restore: [cost(10)] },
    "restic-s3": { "first backup": [cost(15)], restore: [cost(14)] },
  });

  it("judges against restic on the same server and against the local folder", () => {
    const verdicts = judgeS3(measured);
    assert.deepEqual(
      verdicts.map(({ value }) => value),
      [3, 0.6, 1.4, 0.4, 399],
    );
    assert.deepEqual(verdicts.map(isReached), [true, true, false, false, true]);
  });

  it("calls nothing reached that was not run", () => {
    const verdicts = judgeS3(results({ "restic-s3": { restore: [cost(1)] } }));
    assert.deepEqual(verdicts.map(isReached), [false, false, false, false, false]);
  });

  it("shows requests, the server's share and the least time that the processors allow", () => {
    const lines = s3Report(measured, raw, 2).split("\n");
    assert.match(
      lines[1] ?? "",
      /^first backup +5\.00 +3\.00 +0\.60 +4\.00 +2\.00 +3\.00 +32 \(3 GET, 29 PUT; 400 MB up\)$/,
    );
    assert.match(lines[2] ?? "", /^second day +– +– +– +– +– +– +–$/);
    assert.match(lines.at(-1) ?? "", /PUT 200 MB\/s, GET 300 MB\/s/);
  });

  it("finds the traffic in what a backup prints", () => {
    assert.deepEqual(trafficOf(JSON.stringify({ snapshot: "x", traffic })), traffic);
    assert.equal(trafficOf('{"traffic":null}'), null);
  });
});

describe("the bench's command line", () => {
  it("knows s3 as three tools, and files", () => {
    const { tools, scale, files, rounds } = readOptions(["--only", "s3,files,index"]);
    assert.deepEqual(
      tools.map(({ name }) => name),
      ["reprise", "reprise-s3", "restic-s3"],
    );
    assert.deepEqual(scale, ["index"]);
    assert.equal(files, true);
    assert.equal(rounds, 3);
  });

  it("runs everything by default and few things quickly", () => {
    assert.equal(readOptions([]).tools.length, 6);
    const quick = readOptions(["--quick"]);
    assert.deepEqual([quick.tools.length, quick.rounds, quick.files, quick.scale.length], [3, 1, false, 0]);
  });

  it("refuses what it does not know", () => {
    assert.throws(() => readOptions(["--only", "tar"]), /--only takes .*s3/);
    assert.throws(() => readOptions(["--rounds", "0"]));
  });
});
