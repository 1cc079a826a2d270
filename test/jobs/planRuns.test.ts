// Which runs are due is decided from hand-made histories: no repository is needed.

import assert from "node:assert/strict";
import { readConfig } from "../../core/config/readConfig.js";
import type { RepriseConfig } from "../../core/config/repriseConfig.js";
import type { Sid } from "../../core/format/ids.js";
import type { JobRecordData } from "../../core/format/jobRecord.js";
import type { RepositoryRecord } from "../../core/format/record.js";
import { encodeRestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { nextSlice } from "../../core/jobs/commands/verifyJob.js";
import type { JobHistory } from "../../core/jobs/historyIndex.js";
import { type PlanFilter, type PlannedRun, planJobs, planRuns, RETRY_AFTER_MS } from "../../core/jobs/planRuns.js";
import type { Snapshot } from "../../core/repository/catalog.js";
import { assertThrowsCode } from "../support/assertCode.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Saturday, 10:00 UTC. */
const NOW = Date.UTC(2026, 10, 21, 10);
const LAST_NIGHT = Date.UTC(2026, 10, 21, 2);

const YAML = `
repositories: { main: { location: memory }, copy: { location: env:COPY } }
machines:
  vm/a: { disks: a.raw }
  vm/b: { disks: b.raw }
  vm/c:
jobs:
  nightly: { backup: [vm/a, vm/b], repository: main, schedule: 02:00 }
  proof: { restore-test: all, repository: main, schedule: sat 04:00 }
  check: { verify: all, repository: main, schedule: sun 05:00, read-data: true, slices: 4 }
  offsite: { sync: all, from: main, repository: copy, schedule: hourly }
  manual: { prune: all, repository: main, retention: { last: 3 } }
restore-tests:
  - name: stack
    machines:
      - vm/a
      - { machine: vm/b, depends-on: [vm/a] }
  - { name: second, machine: vm/b }
`;

describe("plans of runs", () => {
  let config: RepriseConfig;
  before(async () => {
    config = await readConfig(YAML, { fileName: "reprise.yml", readFile: () => Promise.reject(new Error("none")) });
  });

  function snapshot(machine: string, timeMs: number, result: "ok" | "damaged" | null = null): Snapshot {
    const sid = timeMs.toString(16).padStart(32, "0") as Sid;
    const verification = result && { result, level: "data", at: "2026-11-21T02:00:00Z", damagedRanges: 0 };
    return { sid, manifest: { namespace: "", group: machine }, timeMs, verification } as unknown as Snapshot;
  }

  function record(data: Partial<JobRecordData>, startMs: number): RepositoryRecord {
    const times = { startedAt: new Date(startMs).toISOString(), finishedAt: new Date(startMs + 60_000).toISOString() };
    const rest = { command: "backup", outcome: "passed", partial: false, slice: null, machines: [], ...data };
    return { type: "job", rid: "x", snapshots: [], data: { ...times, ...rest } } as unknown as RepositoryRecord;
  }

  function tested(machine: string, test: string, startMs: number, outcome: "passed" | "failed" | "inconclusive") {
    const sample = recordWithOutcome(outcome);
    const times = {
      ...sample.times,
      startedAt: new Date(startMs).toISOString(),
      finishedAt: new Date(startMs + 60_000).toISOString(),
    };
    const made = { ...sample, asset: { ...sample.asset, machine, name: test }, times };
    const data = { record: encodeRestoreTestRecord(made), envelopes: [] };
    return { type: "restoreTest", rid: `${startMs}`, snapshots: [], data } as unknown as RepositoryRecord;
  }

  function plan(main: Partial<JobHistory>, filter: Partial<PlanFilter> = {}, nowMs = NOW): PlannedRun[] {
    const none = { snapshots: [], records: [] };
    const histories = new Map([
      ["main", { ...none, ...main }],
      ["copy", none],
    ]);
    return planJobs(config, histories, nowMs, { jobs: [], machines: [], due: false, ...filter });
  }

  const backups = (history: Partial<JobHistory>, nowMs = NOW) => plan(history, { jobs: ["nightly"] }, nowMs);
  const due = (runs: readonly PlannedRun[]) => runs.filter((run) => run.due).map((run) => run.machine);

  it("never run is due", () => {
    const [first] = backups({});
    assert.deepEqual([first?.due, first?.dueAtMs, first?.scheduledForMs], [true, LAST_NIGHT, LAST_NIGHT]);
    assert.equal(first?.reason, "due since 2026-11-21 02:00:00 UTC, never run");
  });

  it("a snapshot since the last time of the schedule is a backup, whoever made it", () => {
    const runs = backups({ snapshots: [snapshot("vm/a", LAST_NIGHT + 1000), snapshot("vm/b", LAST_NIGHT - 1000)] });
    assert.deepEqual(due(runs), ["vm/b"]);
    assert.equal(runs[0]?.reason, "last run 2026-11-21 02:00:01 UTC, next run 2026-11-22 02:00:00 UTC");
  });

  it("missed runs are made up for once", () => {
    const [run] = backups({ snapshots: [snapshot("vm/a", LAST_NIGHT - 9 * DAY - HOUR)] });
    assert.equal(run?.dueAtMs, LAST_NIGHT - 9 * DAY);
    assert.equal(run?.scheduledForMs, LAST_NIGHT);
    assert.match(run?.reason ?? "", /^due since 2026-11-12 02:00:00 UTC, last run 2026-11-12 01:00:00 UTC$/);
  });

  it("what claims to be of the future counts for nothing", () => {
    assert.deepEqual(
      due(backups({ snapshots: [snapshot("vm/a", NOW + 6 * 60_000), snapshot("vm/b", NOW + 60_000)] })),
      ["vm/a"],
    );
    const machines = [{ machine: "vm/a", outcome: "passed", snapshot: null }] as const;
    const records = [record({ job: "nightly", machines }, NOW + HOUR)];
    assert.ok(due(backups({ records })).includes("vm/a"));
  });

  it("damaged snapshots are no backups", () => {
    const damaged = snapshot("vm/a", LAST_NIGHT + 1000, "damaged");
    const machines = [{ machine: "vm/a", outcome: "passed", snapshot: damaged.sid }] as const;
    const records = [record({ job: "nightly", machines }, LAST_NIGHT)];
    assert.ok(due(backups({ snapshots: [damaged], records })).includes("vm/a"));
  });

  it("a record counts when its snapshot was forgotten since", () => {
    const machines = [{ machine: "vm/a", outcome: "passed", snapshot: "ab".repeat(16) as Sid }] as const;
    assert.deepEqual(due(backups({ records: [record({ job: "nightly", machines }, LAST_NIGHT + 1)] })), ["vm/b"]);
    const other = record({ job: "other", machines }, LAST_NIGHT + 1);
    assert.deepEqual(due(backups({ records: [other] })), ["vm/a", "vm/b"]);
  });

  it("a failed run is tried again after a pause, or when the next one comes", () => {
    const machines = [{ machine: "vm/a", outcome: "failed", snapshot: null }] as const;
    const records = [record({ job: "nightly", outcome: "failed", machines }, NOW - 10 * 60_000)];
    const [run] = backups({ records });
    assert.equal(run?.due, false);
    assert.equal(run?.nextAtMs, NOW - 9 * 60_000 + RETRY_AFTER_MS);
    assert.match(run?.reason ?? "", /failed 2026-11-21 09:51:00 UTC; tried again from 2026-11-21 10:21:00 UTC on$/);
    assert.ok(due(backups({ records }, NOW + RETRY_AFTER_MS)).includes("vm/a"));
    const justBefore = [record({ job: "nightly", outcome: "failed", machines }, LAST_NIGHT - 2 * 60_000)];
    assert.ok(due(backups({ records: justBefore }, LAST_NIGHT + 1000)).includes("vm/a"));
  });

  it("a cancelled run counts for nothing", () => {
    const machines = [{ machine: "vm/a", outcome: "inconclusive", snapshot: null }] as const;
    const records = [record({ job: "nightly", outcome: "cancelled", machines }, NOW - 60_000)];
    assert.ok(due(backups({ records })).includes("vm/a"));
  });

  it("a restore test is done when every test of the machine has a result", () => {
    const since = Date.UTC(2026, 10, 21, 5);
    const records = [tested("vm/a", "stack", since, "passed"), tested("vm/b", "stack", since, "failed")];
    const proof = { jobs: ["proof"] };
    assert.deepEqual(due(plan({ records }, proof)), ["vm/b"]);
    assert.deepEqual(due(plan({ records: [...records, tested("vm/b", "second", since, "inconclusive")] }, proof)), [
      "vm/b",
    ]);
    assert.deepEqual(due(plan({ records: [...records, tested("vm/b", "second", since, "passed")] }, proof)), []);
  });

  it("jobs about a whole repository go by their records, but not by narrowed ones", () => {
    const sunday = Date.UTC(2026, 10, 15, 5);
    const check = { jobs: ["check"] };
    const done = record({ job: "check", command: "verify", outcome: "failed" }, sunday + HOUR);
    assert.deepEqual(due(plan({ records: [done] }, check)), [], "damage that was found is a result");
    const partial = record({ job: "check", command: "verify", partial: true }, sunday + HOUR);
    assert.deepEqual(due(plan({ records: [partial] }, check)), [null]);
  });

  it("slices go on where the last run ended", () => {
    const job = config.jobs.find(({ name }) => name === "check");
    assert.ok(job?.command === "verify");
    const slice = (part: number, of: number, at: number) =>
      record({ job: "check", command: "verify", slice: { part, of } }, at);
    const next = (history: Pick<JobHistory, "records">, machines: string[] = []) =>
      nextSlice(job, history, { machines, nowMs: NOW });
    assert.deepEqual(next({ records: [] }), { part: 1, of: 4 });
    assert.deepEqual(next({ records: [slice(3, 4, NOW), slice(2, 4, NOW - DAY)] }), { part: 4, of: 4 });
    assert.deepEqual(next({ records: [slice(4, 4, NOW)] }), { part: 1, of: 4 });
    assert.deepEqual(next({ records: [slice(6, 7, NOW)] }), { part: 1, of: 4 });
    // a clock that was wrong once, and runs for some machines only
    assert.deepEqual(next({ records: [slice(1, 4, NOW), slice(3, 4, NOW + 400 * DAY)] }), { part: 2, of: 4 });
    const machines = [{ machine: "vm/a", outcome: "passed", snapshot: null }] as const;
    const ofOne = { job: "check", command: "verify", slice: { part: 3, of: 4 }, partial: true, machines } as const;
    const both = { records: [slice(1, 4, NOW - DAY), record(ofOne, NOW)] };
    assert.deepEqual(next(both), { part: 2, of: 4 });
    assert.deepEqual(next(both, ["vm/a"]), { part: 4, of: 4 }, "of a matrix each goes on with its own");
    assert.deepEqual(next(both, ["vm/b"]), { part: 2, of: 4 });
  });

  it("without a schedule nothing is due, and a history that cannot be read makes everything due", () => {
    const [manual] = plan({}, { jobs: ["manual"] });
    assert.deepEqual([manual?.due, manual?.reason], [false, "it has no schedule: it runs when it is named"]);
    const [unread] = planJobs(config, new Map(), NOW, { jobs: ["nightly"], machines: [], due: true });
    assert.match(unread?.reason ?? "", /repository main could not be read/);
  });

  it("filters by job, machine and being due", () => {
    assertThrowsCode(() => plan({}, { jobs: ["weekly"] }), "JOB_UNKNOWN");
    const only = plan({}, { machines: ["vm/b"] });
    assert.deepEqual([...new Set(only.map(({ machine }) => machine))], ["vm/b"]);
    const snapshots = [snapshot("vm/a", LAST_NIGHT + 1000)];
    assert.deepEqual(
      plan({ snapshots }, { jobs: ["nightly"], due: true }).map(({ machine }) => machine),
      ["vm/b"],
    );
  });

  it("make a matrix: a machine that another one's test starts anyway needs no runner, unless it has a test of its own", () => {
    const histories = new Map([["main", { snapshots: [], records: [] }]]);
    const { matrix, runs } = planRuns(config, histories, NOW);
    assert.deepEqual(
      matrix.map(({ job, machine }) => `${job}:${machine}`),
      ["nightly:vm/a", "nightly:vm/b", "proof:vm/b", "check:", "offsite:", "manual:"],
    );
    assert.equal(runs.length, 7);
    assert.deepEqual(Object.keys(runs[0] ?? {}), [
      ...["job", "command", "machine", "due", "dueAt", "lastRunAt", "nextAt", "reason"],
    ]);
  });
});
