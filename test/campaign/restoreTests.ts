// `reprise test` with real machines where that takes minutes: a database asked through its agent, boots from the repository
// and from a restore compared, guests and hosts that do what they should not, every drill, two runs at once.

import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { debianGuest, tinyGuest } from "../fixtures/guests.js";
import { MachineTests, TINY_HARDWARE } from "../support/machineTests.js";
import { type Campaign, type CampaignOptions, printTable } from "./campaign.js";

/** A boot from the repository may take so many times that of a local file. */
const MAX_RATIO = 1.3;
const LONG = { boot: "10m", agent: "1m", application: "2m" };
const HTTP = { type: "http", path: "/cgi-bin/health", matches: "ok" };
const HOSTNAME = { type: "command", run: ["hostname"], matches: "tiny" };
const READY = { serial: "FIXTURE-READY" };

export const restoreTestsCampaign: Campaign = {
  summary:
    "[--reader TRIAL] restore tests of real machines: PostgreSQL, both ways, misbehaving guests, full disks, drills",
  defaultCount: 3,
  run: runRestoreTests,
};

interface Trial {
  tests: MachineTests;
  count: number;
  /** Notes what went against a promise. */
  expect(holds: boolean, what: string): void;
  /** A line of the table in the end. */
  row(what: string, record: RestoreTestRecord | null, remark?: string): void;
}

const trials: Record<string, (trial: Trial) => Promise<void>> = {
  postgresql,
  bothWays,
  wrongBus,
  restartsForEver,
  noAgent,
  noService,
  fullHost,
  twoAtOnce,
  group,
  drills,
};

/** `count`: how often boots are compared. `reader`: only this trial. */
async function runRestoreTests({ count, reader }: CampaignOptions): Promise<string[]> {
  const violations: string[] = [];
  const rows: string[][] = [];
  for (const [name, run] of Object.entries(trials)) {
    if (reader !== undefined && reader !== name) continue;
    const tests = await MachineTests.open();
    const started = performance.now();
    try {
      await run({
        ...{ tests, count },
        expect: (holds, what) => {
          if (!holds) violations.push(`${name}: ${what}`);
        },
        row: (what, record, remark = "") => {
          const { outcome, reason } = record?.result ?? { outcome: "", reason: "" };
          rows.push([`${name}: ${what}`, outcome, rtoText(record), remark || reason.slice(0, 100)]);
        },
      });
      for (const file of await tests.leftFiles()) violations.push(`${name} left ${file}`);
      for (const pid of await tests.leftProcesses()) violations.push(`${name} left process ${pid}`);
    } catch (error) {
      violations.push(`${name}: ${error instanceof Error ? error.message : error}`);
    } finally {
      await tests.close();
    }
    console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  printTable(["trial", "outcome", "RTO", "reason"], rows);
  return violations;
}

function rtoText(record: RestoreTestRecord | null): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const ways = record?.times.rto ?? [];
  return ways.map(({ way, bootMs, totalMs }) => `${seconds(totalMs)} ${way} (boot ${seconds(bootMs)})`).join(", ");
}

/** The spec of one machine; answers its record. */
async function testOne(
  { tests, expect }: Trial,
  exitCode: number,
  spec: Record<string, unknown>,
  environment: Record<string, string> = {},
): Promise<RestoreTestRecord> {
  const path = await tests.spec("trial", { hardware: TINY_HARDWARE, ready: READY, timeouts: LONG, ...spec });
  const { code, document } = await tests.test([path, "--report", tests.path("report")], environment);
  const [record] = document.machines;
  if (record === undefined) throw new Error(`no record: ${JSON.stringify(document)}`);
  expect(code === exitCode, `exit code ${code}, not ${exitCode}: ${record.result.reason}`);
  const expected = exitCode === 0 ? "passed" : exitCode === 1 ? "failed" : "inconclusive";
  expect(record.result.outcome === expected, `${record.result.outcome}, not ${expected}: ${record.result.reason}`);
  return record;
}

function reasonsOf({ checks }: RestoreTestRecord): string {
  return checks
    .filter(({ outcome }) => outcome !== "passed")
    .map(({ id, outcome, observed, reason }) => `${id} ${outcome}: ${reason} (${observed})`)
    .join("; ");
}

async function postgresql(trial: Trial): Promise<void> {
  await trial.tests.backUp("vm/shop", await debianGuest());
  const record = await testOne(trial, 0, {
    machine: "vm/shop",
    level: "serves",
    hardware: { memory: "768MiB", accelerator: "tcg" },
    checks: [
      { type: "sql", database: "shop", query: "select count(*) from orders", equals: "50000", timeout: "2m" },
      { type: "command", run: ["systemctl", "is-active", "postgresql"], matches: "^active", timeout: "2m" },
      { type: "http", path: "/" },
      { type: "agent", "os-id": "debian" },
    ],
  });
  trial.row("a query through the agent", record);
}

async function bothWays(trial: Trial): Promise<void> {
  const { tests, count, expect, row } = trial;
  await tests.backUp("vm/web1", await tinyGuest());
  const boots: Record<string, number[]> = { instant: [], restored: [] };
  for (let round = 0; round < count; round++) {
    const record = await testOne(trial, 0, { machine: "vm/web1", level: "serves", via: "both", checks: [HTTP] });
    for (const { way, bootMs } of record.times.rto) boots[way]?.push(bootMs);
    row(`round ${round + 1}`, record);
  }
  const [instant, restored] = [boots.instant, boots.restored].map((list) => median(list ?? []));
  const ratio = (instant ?? 0) / (restored ?? 1);
  row("median", null, `boot from the repository ${ratio.toFixed(2)} times that from a file`);
  expect(ratio <= MAX_RATIO, `a boot from the repository takes ${ratio.toFixed(2)} times that from a local file`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Its kernel has no driver for the bus. */
async function wrongBus(trial: Trial): Promise<void> {
  await trial.tests.backUp("vm/web1", await tinyGuest());
  const hardware = { ...TINY_HARDWARE, "disk-bus": "sata" };
  const record = await testOne(trial, 1, { machine: "vm/web1", level: "serves", hardware, checks: [HTTP] });
  trial.expect(/INITRD: NO ROOT/.test(reasonsOf(record)), `not for its disk: ${reasonsOf(record)}`);
  trial.expect(record.result.provenLevel === "readable", `proven: ${record.result.provenLevel}`);
  trial.row("sata for virtio", record);
}

async function restartsForEver(trial: Trial): Promise<void> {
  await trial.tests.backUp("vm/web1", await tinyGuest({ words: "app.loop=1" }));
  const record = await testOne(trial, 1, { machine: "vm/web1", level: "boots", ready: { serial: "never printed" } });
  trial.expect(/restarted/.test(reasonsOf(record)), `not for its restarts: ${reasonsOf(record)}`);
  trial.row("restarts", record);
}

async function noAgent(trial: Trial): Promise<void> {
  const spec = { machine: "vm/web1", level: "serves", timeouts: { ...LONG, agent: "5s", application: "10s" } };
  await trial.tests.backUp("vm/web1", await tinyGuest({ words: "app.ga=0" }));
  const asked = await testOne(trial, 2, { ...spec, checks: [HTTP, { ...HOSTNAME, timeout: "5s", retries: 0 }] });
  trial.row("a command for it", asked);
  const open = asked.checks.find(({ id }) => id === "command");
  trial.expect(open?.outcome === "inconclusive", `the command was ${open?.outcome}`);
  trial.expect(asked.isolation.proofs.filter(({ outcome }) => outcome === "not-probed").length === 2, "it was probed");
  const demanded = await testOne(trial, 1, { ...spec, checks: [HTTP, { type: "agent", timeout: "5s", retries: 0 }] });
  trial.expect(/the agent did not answer/.test(reasonsOf(demanded)), reasonsOf(demanded));
  trial.row("a check of it", demanded);
}

async function noService(trial: Trial): Promise<void> {
  await trial.tests.backUp("vm/web1", await tinyGuest({ words: "app.httpd=0" }));
  const timeouts = { ...LONG, application: "10s" };
  const record = await testOne(trial, 1, { machine: "vm/web1", level: "serves", timeouts, checks: [HTTP, HOSTNAME] });
  const command = record.checks.find(({ id }) => id === "command");
  trial.expect(command?.outcome === "passed", "the agent was not there");
  trial.expect(/http failed: no answer/.test(reasonsOf(record)), reasonsOf(record));
  const inner = record.isolation.proofs.slice(2);
  const isHonest = inner.every(({ outcome, observed }) => outcome === "not-probed" && /own port 80/.test(observed));
  trial.expect(isHonest, `a port that is not served proves nothing: ${JSON.stringify(inner)}`);
  trial.row("its agent answers, its service does not", record);
}

/** What the machine writes does not fit where it is kept. */
async function fullHost(trial: Trial): Promise<void> {
  const { tests, row, expect } = trial;
  if (process.getuid?.() !== 0) return row("left out: needs root", null);
  await tests.backUp("vm/web1", await tinyGuest());
  const small = tests.path("small");
  await mkdir(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=72m", "tmpfs", small]);
  try {
    const run = "dd if=/dev/urandom of=/data/more bs=1M count=120; sync; sleep 20";
    const checks = [{ type: "command", run, timeout: "4m", retries: 0 }];
    const timeouts = { ...LONG, application: "1s" };
    const spec = { machine: "vm/web1", level: "serves", timeouts, checks };
    const record = await testOne(trial, 2, spec, { TMPDIR: small });
    expect(/no space is left for what it writes/.test(reasonsOf(record)), `not for the space: ${reasonsOf(record)}`);
    row("while it runs", record, reasonsOf(record).slice(0, 160));
  } finally {
    execFileSync("umount", [small]);
  }
}

async function twoAtOnce(trial: Trial): Promise<void> {
  const { tests, expect, row } = trial;
  await tests.backUp("vm/web1", await tinyGuest());
  const spec = { machine: "vm/web1", level: "serves", checks: [HTTP, HOSTNAME] };
  const [first, second] = await Promise.all([
    testOne(trial, 0, spec),
    // They overlap, and do not end in the same instant.
    sleep(5_000).then(() => testOne(trial, 0, spec)),
  ]);
  row("the first", first ?? null);
  row("the second", second ?? null);
  const { tests: history } = JSON.parse(await tests.succeed("test", "--history", "--json")) as {
    tests: { previous: string | null }[];
  };
  expect(history.length === 2, `${history.length} records`);
  expect(history[1]?.previous !== null, "the second does not know the first");
}

/** Two machines on a network of their own. */
async function group(trial: Trial): Promise<void> {
  const { tests, expect, row } = trial;
  const disk = await tinyGuest();
  await tests.backUp("vm/db1", disk);
  await tests.backUp("vm/web1", disk);
  const path = await tests.spec("group", {
    ...{ level: "serves", hardware: TINY_HARDWARE, ready: READY, timeouts: LONG, checks: [HTTP, HOSTNAME] },
    machines: ["vm/db1", { machine: "vm/web1", "depends-on": ["vm/db1"] }],
  });
  const { code, document } = await tests.test([path]);
  expect(code === 0, `exit code ${code}`);
  for (const record of document.machines) {
    row(record.asset.machine, record);
    expect(record.result.outcome === "passed", reasonsOf(record));
    const held = record.isolation.proofs.every(({ outcome }) => outcome === "held");
    expect(held, JSON.stringify(record.isolation.proofs));
  }
  expect(document.machines.length === 2, `${document.machines.length} records`);
}

async function drills(trial: Trial): Promise<void> {
  const { tests, expect, row } = trial;
  await tests.backUp("vm/web1", await tinyGuest());
  const timeouts = { ...LONG, agent: "5s", application: "5s" };
  const checks = [{ ...HTTP, retries: 0, timeout: "10s" }];
  const spec = { machine: "vm/web1", level: "serves", hardware: TINY_HARDWARE, ready: READY, timeouts, checks };
  const { code, stdout } = await tests.start(["test", await tests.spec("drills", spec), "--drill", "--json"]).ended;
  expect(code === 0, `exit code ${code}`);
  const document = JSON.parse(stdout) as {
    drills: { fault: string; noticed: boolean | null; outcome: string; reason: string }[];
  };
  for (const { fault, noticed, outcome, reason } of document.drills) {
    row(fault, null, `${outcome}: ${reason}`.slice(0, 160));
    expect(noticed === (fault === "wrong-key" ? null : true), `${fault}: ${outcome}, ${reason}`);
  }
}
