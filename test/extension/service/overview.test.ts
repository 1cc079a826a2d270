// The overview of a repository whose tests and backups are known, beside what the command line says of it.

import assert from "node:assert/strict";
import { capacityOverTime, dedupRatio, machineRows, recoveryTrends } from "../../../extension/model/overviewNumbers.js";
import type { OverviewData } from "../../../extension/service/overviewProtocol.js";
import { cliJson } from "../../cli/runInProcess.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { type StartedService, startService } from "../support/startService.js";
import { KNOWN_TESTS, makeTestedDemo } from "../support/testedDemo.js";

interface StatusReport {
  machines: readonly {
    machine: string;
    state: {
      snapshots: number;
      newest: { id: string; time: string; verification: string };
      lastTest: { at: string; outcome: string; provenLevel: string | null; rtoMs: number | null; ofNewest: boolean };
    };
  }[];
}

describe("the overview of a repository that is known", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let service: StartedService;
  let env: Record<string, string>;
  let data: OverviewData;

  before(async () => {
    folder = await makeTemporaryFolder("overview");
    const location = await makeTestedDemo(folder.path);
    env = { REPRISE_REPOSITORY: location };
    service = startService();
    const { handle } = await service.open(location, null);
    data = await service.client.call("overview", { repository: handle });
  });
  after(async () => {
    await service?.client.close();
    await folder?.remove();
  });

  it("says of each machine what status says", async () => {
    const { reports } = await cliJson<{ reports: StatusReport[] }>(["status"], { env });
    const status = new Map(reports[0]?.machines.map(({ machine, state }) => [machine, state]));
    assert.deepEqual([...status.keys()].sort(), ["vm/office", "vm/web"]);
    for (const { machine, snapshots, newestId, newestAtMs, test, verification } of data.machines) {
      const known = status.get(machine);
      assert.ok(known !== undefined && test !== null && verification !== null);
      assert.deepEqual([snapshots, newestId], [known.snapshots, known.newest.id]);
      assert.equal(newestAtMs, Date.parse(known.newest.time));
      const { outcome, provenLevel, atMs, ofNewest } = test;
      const { lastTest } = known;
      assert.deepEqual(
        { outcome, provenLevel, atMs, ofNewest },
        {
          ...{ outcome: lastTest.outcome, provenLevel: lastTest.provenLevel },
          ...{ atMs: Date.parse(lastTest.at), ofNewest: lastTest.ofNewest },
        },
      );
      assert.deepEqual([verification.result, verification.ofNewest], [known.newest.verification, true]);
    }
  });

  it("shows a machine as proven by an older snapshot only when it says so", () => {
    const rows = machineRows(data.machines).map(({ proof, level, isEarlier }) => [proof.machine, level, isEarlier]);
    assert.deepEqual(rows, [
      ["vm/office", "boots", true],
      ["vm/web", "serves", false],
    ]);
  });

  it("adds up to what stats counts", async () => {
    const stats = await cliJson<Record<string, number>>(["stats"], { env });
    const { storedBytes, logicalBytes, uniqueBytes, chunks, totalRatio, compressionRatio } = data.totals;
    const counted = { storedBytes, logicalBytes, uniqueBytes, chunks, totalRatio, compressionRatio };
    for (const [name, value] of Object.entries(counted)) assert.equal(value, stats[name], name);
    assert.equal(data.backups.length, stats.snapshots);
    const last = capacityOverTime(data).at(-1);
    assert.ok(last !== undefined);
    assert.deepEqual([last.storedBytes, last.logicalBytes], [storedBytes, logicalBytes]);
    assert.equal(Math.round(1000 * dedupRatio(last)) / 1000, totalRatio);
  });

  it("has recovery times of tests that passed, the fastest way of each", () => {
    const known = (machine: string) =>
      KNOWN_TESTS.filter((test) => test.machine === machine && test.outcome !== "failed").map(({ rtoMs }) => rtoMs);
    assert.deepEqual(
      recoveryTrends(data.recovery).map(({ machine, points, others, within, objectiveMs }) => ({
        ...{ machine, others, within, objectiveMs },
        times: points.map(({ totalMs }) => totalMs),
      })),
      [
        { machine: "vm/office", others: 0, within: 0, objectiveMs: 60_000, times: known("vm/office") },
        { machine: "vm/web", others: 1, within: 3, objectiveMs: 60_000, times: known("vm/web") },
      ],
    );
  });
});
