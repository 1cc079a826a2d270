// Reports as the commands make them, for tests and for looking at. Everything is the same in each call.

import type { Outcome } from "../../core/format/restoreTestRecord.js";
import type {
  GateReportPart,
  JobReport,
  MachineReportLine,
  MachineState,
  MachineTrend,
  TestReportPart,
} from "../../core/jobReport/jobReport.js";
import { screenshotBase64 } from "./samplePicture.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const NOW_MS = Date.parse("2026-11-22T02:20:00Z");

export function sampleReport(given: Partial<JobReport> = {}): JobReport {
  return {
    schema: "job-report/v1",
    command: "backup",
    job: "nightly",
    tool: { name: "reprise", version: "0.4.0" },
    repository: { name: "prod", location: "s3:https://s3.example.org/backups/prod", id: hexOf("prod", 32) },
    startedAt: at(-20 * MINUTE),
    finishedAt: at(0),
    dryRun: false,
    url: "https://github.com/example/shop/actions/runs/1234567890",
    outcome: "passed",
    verdict: "",
    machines: [],
    facts: [],
    gate: null,
    plan: null,
    problems: [],
    trends: [],
    ...given,
  };
}

export function sampleLine(machine: string, given: Partial<MachineReportLine> = {}): MachineReportLine {
  return {
    ...{ machine, job: "nightly", outcome: "passed", reason: "", finishedAt: at(0), durationMs: 42_300 },
    ...{ snapshot: null, backup: null, verification: null, test: null, state: null },
    ...given,
  } as MachineReportLine;
}

/** Twelve backups and tests, one a day. */
export function sampleTrend(machine: string, given: Partial<MachineTrend> = {}): MachineTrend {
  const seed = [...machine].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 997, 7);
  const wave = (i: number, spread: number) => ((seed * (i + 3) * 7919) % 1000) / 1000 + (i / 12) * spread;
  const days = Array.from({ length: 12 }, (_, i) => i);
  return {
    machine,
    rtoObjectiveMs: 2 * MINUTE,
    rto: days.map((i) => ({
      at: at((i - 11) * DAY),
      ms: Math.round(48_000 + wave(i, 1) * 30_000),
      outcome: i === 6 ? "failed" : i === 9 ? "warned" : "passed",
    })),
    added: days.map((i) => ({ at: at((i - 11) * DAY), bytes: Math.round((0.2 + wave(i, 0.3)) * GIB) })),
    size: days.map((i) => ({ at: at((i - 11) * DAY), bytes: Math.round((30 + i * 0.17) * GIB) })),
    ...given,
  };
}

export function backupOfFour(): JobReport {
  const done = (machine: string, addedBytes: number, sizeBytes: number, durationMs: number) =>
    sampleLine(machine, {
      durationMs,
      reason: "backed up and verified",
      snapshot: { id: hexOf(machine, 32), digest: hexOf(`d${machine}`, 64), time: at(-15 * MINUTE) },
      backup: {
        readBytes: Math.round(addedBytes * 3),
        addedBytes: Math.round(addedBytes),
        sizeBytes,
        protected: false,
      },
      verification: { level: "data", result: "ok", damagedRanges: 0 },
    });
  const message = "the hypervisor refused to freeze the file systems: guest agent is not running";
  return sampleReport({
    outcome: "failed",
    verdict: "3 of 4 machines backed up; vm/mail1 failed: the guest agent is not running",
    machines: [
      done("vm/db1", 1.4 * GIB, 120 * GIB, 8 * MINUTE),
      done("vm/web1", 312 * MIB, 32 * GIB, 74_000),
      {
        ...done("vm/web2", 0, 32 * GIB, 21_000),
        outcome: "warned" as const,
        reason: "nothing changed since yesterday",
      },
      sampleLine("vm/mail1", { outcome: "failed", reason: message, durationMs: 3_100 }),
    ],
    facts: [
      { label: "Read", value: "5.1 GiB" },
      { label: "New", value: "1.7 GiB" },
      { label: "Stored", value: "611 MiB in 9 packs" },
    ],
    problems: [
      {
        ...{ severity: "error", code: "AGENT_NOT_RUNNING", message, machine: "vm/mail1" },
        ...{ hint: "start qemu-guest-agent, or set quiesce: off", file: "reprise.yml", line: 41, column: 7 },
      },
      {
        ...{
          severity: "warning",
          code: "NOTHING_CHANGED",
          message: "not one block of vm/web2 changed since yesterday",
        },
        ...{ machine: "vm/web2", hint: "is the right disk named?", file: "reprise.yml", line: 33, column: null },
      },
    ],
    trends: [sampleTrend("vm/db1", { rto: [] }), sampleTrend("vm/web1", { rto: [] })],
  });
}

export function sampleTest(given: Partial<TestReportPart> = {}): TestReportPart {
  return {
    ...{ name: "web tier, weekly", file: "tests/web1.yml", recordId: hexOf("record", 32) },
    ...{ level: "serves", provenLevel: "serves", rtoMs: 74_300, rpoMs: 3 * HOUR, restoreMs: 41_000 },
    objectives: { rtoMs: 2 * MINUTE, rtoMet: true, rpoMs: 24 * HOUR, rpoMet: true },
    checks: [
      { id: "front-page", outcome: "passed", reason: null, line: 14 },
      { id: "orders-are-there", outcome: "passed", reason: null, line: 19 },
      { id: "console", outcome: "passed", reason: null, line: 24 },
    ],
    screenshot: { name: "vm-web1-screen.png", sha256: hexOf("screen", 64), pngBase64: screenshotBase64() },
    ...given,
  } as TestReportPart;
}

export function restoreTestOfTwo(): JobReport {
  const snapshot = (machine: string) => ({
    ...{ id: hexOf(machine, 32), digest: hexOf(`d${machine}`, 64), time: at(-3 * HOUR) },
  });
  const late = "recovery took 14 min 05 s, more than the objective of 10 min 00 s";
  return sampleReport({
    ...{ command: "restore-test", job: "monthly-proof", outcome: "failed" },
    verdict: "vm/web1 was restored and serves; vm/db1 came back, but not in time",
    machines: ofJob("monthly-proof", [
      sampleLine("vm/web1", {
        ...{ reason: "it serves: 3 checks passed", durationMs: 96_000, snapshot: snapshot("vm/web1") },
        test: sampleTest(),
      }),
      sampleLine("vm/db1", {
        ...{ outcome: "failed", reason: late, durationMs: 15 * MINUTE, snapshot: snapshot("vm/db1") },
        test: sampleTest({
          ...{ name: "shop database", file: "tests/db1.yml", provenLevel: "boots", rtoMs: 845_000, screenshot: null },
          objectives: { rtoMs: 10 * MINUTE, rtoMet: false, rpoMs: 26 * HOUR, rpoMet: true },
          checks: [
            { id: "orders-are-there", outcome: "passed", reason: null, line: 21 },
            { id: "objective.rto", outcome: "failed", reason: late, line: 9 },
            { id: "replica", outcome: "inconclusive", reason: "no answer within 30 s", line: 27 },
          ],
        }),
      }),
    ]),
    facts: [
      { label: "Evidence", value: "2 statements published to reprise-evidence as number 118" },
      { label: "Hypervisor", value: "QEMU 10.0, kvm" },
    ],
    problems: [
      {
        ...{ severity: "error", code: "CHECK_FAILED", message: `objective.rto: ${late}`, hint: null },
        ...{ machine: "vm/db1", file: "tests/db1.yml", line: 9, column: null },
      },
      {
        ...{ severity: "warning", code: "CHECK_INCONCLUSIVE", message: "replica: no answer within 30 s", hint: null },
        ...{ machine: "vm/db1", file: "tests/db1.yml", line: 27, column: null },
      },
    ],
    trends: [
      sampleTrend("vm/web1"),
      sampleTrend("vm/db1", {
        rtoObjectiveMs: 10 * MINUTE,
        rto: [420, 433, 441, 437, 460, 471, 489, 530, 541, 566, 590, 845].map((seconds, i) => ({
          at: at((i - 11) * 30 * DAY),
          ms: seconds * 1000,
          outcome: i === 11 ? "failed" : "passed",
        })),
      }),
    ],
  });
}

type GateMachine = GateReportPart["machines"][number];

function ofJob(job: string | null, lines: MachineReportLine[]): MachineReportLine[] {
  return lines.map((line) => ({ ...line, job }));
}

function gateMachine(machine: string, given: Partial<GateMachine> = {}): GateMachine {
  return {
    ...{ machine, decision: "go", filesTotal: 2, line: 61 },
    files: ["db/migrations/0042_orders.sql", "db/schema.sql"],
    required: [
      { label: "level", value: "serves" },
      { label: "proof", value: "of the newest backup" },
      { label: "backup at most", value: "24h old" },
      { label: "test at most", value: "7d ago" },
      { label: "warnings", value: "not allowed" },
      { label: "RTO at most", value: "15m" },
    ],
    found: [
      { label: "newest backup", value: "2026-11-21 23:14:00 UTC (a1b2c3d4)" },
      { label: "verified", value: "ok" },
      { label: "known as of", value: "2026-11-21 23:20:00 UTC (3 hours ago)" },
      { label: "test", value: "passed, 2026-11-21 05:10:00 UTC, of the newest backup" },
      { label: "proven level", value: "serves" },
      { label: "RTO", value: "7 min 12 s" },
    ],
    reasons: [
      {
        code: "proven",
        message: `${machine} has a backup from 3 hours ago whose restore was proven yesterday (serves)`,
      },
    ],
    ...given,
  } as GateMachine;
}

export function gateReport(decision: GateReportPart["decision"]): JobReport {
  const blocked = gateMachine("vm/db1", {
    decision: "blocked",
    found: [
      { label: "newest backup", value: "2026-11-20 02:05:00 UTC (e023fc26)" },
      { label: "verified", value: "not yet" },
      { label: "known as of", value: "2026-11-21 23:20:00 UTC (3 hours ago)" },
      { label: "test", value: "passed, 2026-11-13 05:10:00 UTC, of a backup before it" },
      { label: "proven level", value: "boots" },
      { label: "RTO", value: "14 min 05 s" },
    ],
    reasons: [
      { code: "backup-too-old", message: "the newest backup is 2 days old; 24h are allowed" },
      { code: "newest-not-tested", message: "the newest backup was never restored; the one before was, 9 days ago" },
    ],
  });
  const cache = gateMachine("vm/cache1", { files: ["db/redis.conf"], filesTotal: 1, line: 70 });
  const words = {
    go: ["passed", "go: vm/db1 has a backup from 3 hours ago whose restore was proven yesterday (serves)"],
    blocked: ["failed", "no: vm/db1: the newest backup is 2 days old; 24h are allowed"],
    overridden: ["warned", "no: vm/db1: the newest backup is 2 days old; let through by octo-dba: hotfix for INC-881"],
    "not-needed": ["passed", "no changed file belongs to a machine"],
  } as const;
  const needed = decision === "not-needed" ? [] : [decision === "go" ? gateMachine("vm/db1") : blocked, cache];
  return sampleReport({
    ...{ command: "gate", job: null, repository: null, startedAt: at(-4000) },
    ...{ outcome: words[decision][0], verdict: words[decision][1] },
    gate: {
      ...{ gate: "production", decision, policyFile: "reprise.yml", base: hexOf("base", 40), head: hexOf("head", 40) },
      ...{ changedFiles: 17, machines: needed, policyDigest: hexOf("policy", 64) },
      override:
        decision === "overridden"
          ? { label: "gate-override", reason: "hotfix for INC-881, backup runs at noon", by: "octo-dba" }
          : null,
      evidence: { source: "branch", commit: hexOf("commit", 40), sequence: 118, publishedAt: at(-3 * HOUR) },
    },
    problems:
      decision !== "blocked"
        ? []
        : [
            {
              ...{
                severity: "error",
                code: "GATE_BLOCKED",
                message: "vm/db1 blocks this change: the newest backup is 2 days old",
              },
              ...{ hint: "run the job nightly", machine: "vm/db1", file: "reprise.yml", line: 61, column: 5 },
            },
          ],
  });
}

export function pruneReport(): JobReport {
  return sampleReport({
    ...{ command: "prune", job: "weekly-cleanup", verdict: "forgot 41 of 380 snapshots and freed 118.0 GiB" },
    machines: ["vm/db1", "vm/web1"].map((machine, i) =>
      sampleLine(machine, {
        job: "weekly-cleanup",
        reason: `${21 - i} of ${190 + i} snapshots forgotten`,
        durationMs: 900,
      }),
    ),
    facts: [
      { label: "Forgotten", value: "41 of 380 snapshots" },
      { label: "Freed", value: "118.0 GiB" },
      { label: "Kept for its notes", value: "2 protected snapshots" },
      { label: "Repacked", value: "14 packs" },
    ],
  });
}

export function syncReport(): JobReport {
  return sampleReport({
    ...{ command: "sync", job: "offsite", verdict: "6 snapshots of 3 machines copied to the repository offsite" },
    machines: ["vm/db1", "vm/web1", "vm/web2"].map((machine) =>
      sampleLine(machine, {
        ...{ job: "offsite", reason: "2 snapshots copied" },
        snapshot: { id: hexOf(machine, 32), digest: hexOf(`d${machine}`, 64), time: at(-2 * HOUR) },
      }),
    ),
    facts: [
      { label: "Copied", value: "2.2 GiB, 31 packs" },
      { label: "Target", value: "sftp:backup@vault.example.org:/reprise" },
    ],
  });
}

export function stateOf(given: Partial<MachineState> = {}, ageMs = 3.2 * HOUR): MachineState {
  return {
    ...{ owner: "team-shop", criticality: "high", snapshots: 34 },
    newest: {
      ...{ id: hexOf("s", 32), time: at(-ageMs), ageMs, verification: "ok" as const, protected: false },
    },
    lastTest: {
      ...{ at: at(-DAY), ageMs: DAY, outcome: "passed" as Outcome, provenLevel: "serves" as const },
      ...{ rtoMs: 74_300, ofNewest: true },
    },
    ...given,
  };
}

export function statusOfTwelve(): JobReport {
  const healthy = ["app1", "app2", "db1", "db2", "git1", "ldap1", "mon1", "web1", "web2"];
  const stale = stateOf({ lastTest: null }, 9 * DAY);
  return sampleReport({
    ...{ command: "status", job: null, outcome: "failed" },
    verdict: "9 of 12 machines are in order; vm/mail1 has had no backup for 9 days",
    machines: [
      ...healthy.map((name, i) =>
        sampleLine(`vm/${name}`, {
          ...{ job: null, durationMs: 0, reason: "in order" },
          state: stateOf({ criticality: i % 3 === 0 ? "high" : "medium", snapshots: 30 + i }, (1 + i) * HOUR),
        }),
      ),
      sampleLine("vm/mail1", {
        ...{ job: null, durationMs: 0, outcome: "failed", reason: "no backup for 9 d; 26 h are allowed", state: stale },
      }),
      sampleLine("vm/legacy", {
        ...{ job: null, durationMs: 0, outcome: "warned", reason: "never restored" },
        state: stateOf({ lastTest: null, owner: "", criticality: "low" }),
      }),
      sampleLine("host/nas", {
        ...{ job: null, durationMs: 0, outcome: "inconclusive", reason: "no snapshot in this repository" },
        state: { owner: "team-it", criticality: "medium", snapshots: 0, newest: null, lastTest: null },
      }),
    ],
    trends: healthy.map((name) => sampleTrend(`vm/${name}`)),
    facts: [
      { label: "Snapshots", value: "412" },
      { label: "Stored", value: "1.9 TiB for 38.4 TiB of images" },
    ],
  });
}

export function planReport(): JobReport {
  const machines = ["vm/db1", "vm/mail1", "vm/web1", "vm/web2"];
  return sampleReport({
    ...{ command: "plan", job: null, verdict: "2 of 4 runs are due: nightly, monthly-proof" },
    plan: {
      matrix: machines.map((machine) => ({ job: "nightly", machine })),
      runs: [
        {
          ...{ job: "nightly", command: "backup", machine: null, due: true, reason: "due since 20 min" },
          ...{ dueAt: at(-20 * MINUTE), lastRunAt: at(-DAY), nextAt: at(DAY) },
        },
        {
          ...{ job: "monthly-proof", command: "restore-test", machine: null, due: true, reason: "a run was missed" },
          ...{ dueAt: at(-2 * DAY), lastRunAt: at(-33 * DAY), nextAt: at(28 * DAY) },
        },
        {
          ...{ job: "weekly-cleanup", command: "prune", machine: null, due: false, reason: "ran 2 d ago" },
          ...{ dueAt: null, lastRunAt: at(-2 * DAY), nextAt: at(5 * DAY) },
        },
        {
          ...{ job: "offsite", command: "sync", machine: null, due: false, reason: "never ran; starts on Sunday" },
          ...{ dueAt: null, lastRunAt: null, nextAt: at(DAY) },
        },
      ],
    },
  });
}

/** One runner each, as a matrix leaves them; two that reported twice. */
export function matrixOfFour(): JobReport[] {
  const whole = backupOfFour();
  return whole.machines.map((line, i) => ({
    ...whole,
    machines: [line],
    outcome: line.outcome as JobReport["outcome"],
    verdict: line.reason,
    facts: [{ label: `New of ${line.machine}`, value: `${i} packs` }],
    problems: whole.problems.filter(({ machine }) => machine === line.machine),
    trends: whole.trends.filter(({ machine }) => machine === line.machine),
  }));
}

export function cancelledReport(): JobReport {
  const whole = backupOfFour();
  return {
    ...whole,
    outcome: "cancelled",
    verdict: "cancelled by SIGINT after 1 of 4 machines; what was stored is used by the next run",
    machines: [
      whole.machines[0] as MachineReportLine,
      ...["vm/web1", "vm/web2", "vm/mail1"].map((machine) =>
        sampleLine(machine, { outcome: "skipped", reason: "cancelled before it began", durationMs: 0 }),
      ),
    ],
    problems: [],
    trends: [],
  };
}

export function dryRunReport(): JobReport {
  return { ...pruneReport(), dryRun: true, verdict: "would forget 41 of 380 snapshots and free about 118.0 GiB" };
}

export function twoHundredMachines(): JobReport {
  const machines = Array.from({ length: 200 }, (_, i) => {
    const name = `vm/node${String(i).padStart(3, "0")}`;
    const failed = i % 37 === 5;
    return sampleLine(name, {
      outcome: failed ? "failed" : "passed",
      reason: failed ? "the storage refused: 503 Slow Down" : "backed up",
      snapshot: failed ? null : { id: hexOf(name, 32), digest: hexOf(name, 64), time: at(-HOUR) },
      backup: failed ? null : { readBytes: GIB, addedBytes: i * MIB, sizeBytes: 16 * GIB, protected: i % 50 === 0 },
    });
  });
  const failures = machines.filter(({ outcome }) => outcome === "failed");
  return sampleReport({
    ...{ outcome: "failed", machines, verdict: `${200 - failures.length} of 200 machines backed up` },
    problems: failures.map(({ machine, reason }) => ({
      ...{ severity: "error" as const, code: "BACKEND_UNAVAILABLE", message: reason, hint: "the next run continues" },
      ...{ machine, file: "reprise.yml", line: 12, column: 3 },
    })),
    trends: machines.slice(0, 40).map(({ machine }) => sampleTrend(machine, { rto: [] })),
  });
}

/** Somebody's text in every place where text can be. It is not decoded: renderers must bear what a decoder would refuse. */
export function withText(text: string): JobReport {
  const test = restoreTestOfTwo();
  const [status] = statusOfTwelve().machines;
  const gate = gateReport("overridden").gate as GateReportPart;
  const plan = planReport().plan as NonNullable<JobReport["plan"]>;
  const facts = (all: { label: string; value: string }[]) => all.map(() => ({ label: text, value: text }));
  return {
    ...test,
    ...{ job: text, url: `x:${text}`, verdict: text, facts: facts(test.facts) },
    tool: { name: text, version: text },
    repository: { name: text, location: text, id: text },
    ...{ startedAt: text, finishedAt: text },
    machines: [...test.machines, status as MachineReportLine].map((line, i) => ({
      ...{ ...line, machine: `${i}${text}`, job: text, reason: text, finishedAt: text },
      snapshot: line.snapshot && { id: text, digest: text, time: text },
      test: line.test && {
        ...{ ...line.test, name: text, file: text, recordId: text },
        checks: line.test.checks.map((check) => ({ ...check, id: text, reason: text })),
        screenshot: line.test.screenshot && { ...line.test.screenshot, name: text, sha256: text },
      },
      state: line.state && {
        ...{ ...line.state, owner: text, criticality: text },
        newest: line.state.newest && { ...line.state.newest, id: text, time: text },
        lastTest: line.state.lastTest && { ...line.state.lastTest, at: text },
      },
    })),
    gate: {
      ...{ ...gate, gate: text, policyFile: text, base: text, head: text, policyDigest: text },
      machines: gate.machines.map((machine) => ({
        ...{ ...machine, machine: text, files: machine.files.map(() => text) },
        ...{ required: facts(machine.required), found: facts(machine.found) },
        reasons: machine.reasons.map(() => ({ code: text, message: text })),
      })),
      override: { label: text, reason: text, by: text },
      evidence: { source: "branch", commit: text, sequence: 1, publishedAt: text },
    },
    plan: {
      matrix: plan.matrix.map(() => ({ job: text, machine: text })),
      runs: plan.runs.map((run) => ({
        ...{ ...run, job: text, command: text, machine: text, reason: text },
        ...{ dueAt: text, lastRunAt: text, nextAt: text },
      })),
    },
    problems: test.problems.map((problem) => ({
      ...{ ...problem, code: text, message: text, hint: text, machine: text, file: text },
    })),
    trends: test.trends.map((trend, i) => ({
      ...{ ...trend, machine: `${i}${text}` },
      rto: trend.rto.map((point) => ({ ...point, at: text })),
      added: trend.added.map((point) => ({ ...point, at: text })),
      size: trend.size.map((point) => ({ ...point, at: text })),
    })),
  };
}

export const SAMPLE_REPORTS: Record<string, () => JobReport[]> = {
  backup: () => [backupOfFour()],
  "restore-test": () => [restoreTestOfTwo()],
  "gate-go": () => [gateReport("go")],
  "gate-blocked": () => [gateReport("blocked")],
  "gate-overridden": () => [gateReport("overridden")],
  "gate-not-needed": () => [gateReport("not-needed")],
  prune: () => [pruneReport()],
  sync: () => [syncReport()],
  status: () => [statusOfTwelve()],
  plan: () => [planReport()],
  run: () => [backupOfFour(), restoreTestOfTwo(), pruneReport()],
  matrix: matrixOfFour,
  cancelled: () => [cancelledReport()],
  "dry-run": () => [dryRunReport()],
  hostile: () => [withText('\n::error::x\n<img src=x onerror=alert(1)> `@octocat` | [x](javascript:y) #12 "%%{init"')],
  many: () => [twoHundredMachines()],
};

/** A time that many milliseconds from the sample's now. */
function at(offsetMs: number): string {
  return `${new Date(NOW_MS + offsetMs).toISOString().slice(0, 19)}Z`;
}

/** Digits that look like an id, the same for the same word. */
function hexOf(word: string, length: number): string {
  let state = [...word].reduce((sum, char) => (sum * 33 + char.charCodeAt(0)) % 2_147_483_647, 5381);
  let digits = "";
  while (digits.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    digits += (state % 65_536).toString(16).padStart(4, "0");
  }
  return digits.slice(0, length);
}
