import assert from "node:assert/strict";
import fc from "fast-check";
import type { GateRequirement } from "../../core/config/repriseConfig.js";
import { GATE_REASONS, type GateFacts, type KnownTest, type MachineFacts } from "../../core/evidence/gateFacts.js";
import type { GateInput } from "../../core/gate/decideGate.js";
import { decideGate } from "../../core/gate/decideGate.js";
import { provingChecks, recordWithOutcome, sampleCheck } from "../support/sampleTestRecord.js";
import {
  DAY,
  decide,
  digestOf,
  factsOf,
  gateWith,
  HOUR,
  inputWith,
  machine,
  nowMs,
  requirement,
  sign,
  snapshot,
  stranger,
  testOf,
  verdict,
} from "./gateCases.js";

/** With these demands and these facts about the machine. */
function shut(wanted: Partial<GateRequirement>, facts: Partial<MachineFacts> = {}, change: Partial<GateInput> = {}) {
  const gate = gateWith({}, { maxBackupAgeMs: 2 * DAY, ...wanted });
  return verdict({ gate, facts: factsOf(machine(facts)), ...change });
}

function outcome(kind: "warned" | "failed" | "inconclusive") {
  const { checks, result } = recordWithOutcome(kind);
  return sign(testOf(2, 25 * HOUR, { checks, result }));
}

function newestTest(outcome: KnownTest["outcome"], ageMs = HOUR): { newestTest: KnownTest } {
  return { newestTest: { recordDigest: "ab".repeat(32), outcome, finishedAtMs: nowMs - ageMs } };
}

/** The newest backup has a test that was not published. */
function knownTest(outcome: KnownTest["outcome"], ageMs = HOUR): Partial<MachineFacts> {
  return { snapshots: [snapshot(2, 26 * HOUR, newestTest(outcome, ageMs)), snapshot(1, 50 * HOUR)] };
}

describe("a gate", () => {
  it("opens for a machine whose newest backup is proven, and says why", () => {
    const { part, relied } = decide();
    assert.equal(part.decision, "go");
    const message = "vm/101 has a backup from yesterday whose restore was proven yesterday (level serves, RTO 45.0 s)";
    assert.deepEqual(part.machines[0]?.reasons, [{ code: "proven", message }]);
    assert.deepEqual(part.machines[0]?.files, ["db/schema.sql"]);
    assert.equal(part.evidence?.sequence, 7);
    assert.equal(relied[0]?.manifestDigest, digestOf(2));
    assert.match(relied[0]?.recordDigest ?? "", /^[0-9a-f]{64}$/);
  });

  it("asks for nothing when no rule matches, whatever the evidence", () => {
    const files = [{ path: "docs/a.md", change: "added", kind: "file" }] as const;
    const changes = { base: null, files };
    const facts = { ...factsOf(), problems: [{ code: "evidence-forged", message: "x" }] } as const;
    assert.deepEqual(verdict({ changes, facts, problems: [{ code: "key-unreadable", message: "y" }] }), ["not-needed"]);
    assert.equal(verdict({ changes: { ...changes, files: [] }, facts: null })[0], "not-needed");
  });

  const record = (change: Parameters<typeof testOf>[2]) => ({ envelopes: sign(testOf(2, 25 * HOUR, change)) });
  const { times, checks } = testOf(2, 25 * HOUR);
  const slow = [{ way: "instant" as const, restoreMs: 0, bootMs: 60_001, serveMs: 0, totalMs: 60_001 }];
  const table: [what: string, actual: () => string[], expected: string[]][] = [
    ["no facts", () => verdict({ facts: null }), ["evidence-missing"]],
    [
      "a rewritten branch",
      () => verdict({ facts: { ...factsOf(machine()), problems: [{ code: "evidence-rewritten", message: "m" }] } }),
      ["evidence-rewritten"],
    ],
    [
      "an unreadable repository",
      () => verdict({ facts: { ...factsOf(), problems: [{ code: "repository-unreadable", message: "m" }] } }),
      ["repository-unreadable", "machine-unknown"],
    ],
    ["an unreadable key", () => verdict({ problems: [{ code: "key-unreadable", message: "m" }] }), ["key-unreadable"]],
    ["an unknown machine", () => verdict({ facts: factsOf(machine({ machine: "vm/102" })) }), ["machine-unknown"]],
    [
      "facts of another machine under its name",
      () => verdict({ facts: { ...factsOf(), machines: new Map([["vm/101", machine({ machine: "vm/102" })]]) } }),
      ["machine-unknown"],
    ],
    ["no backup", () => shut({}, { snapshots: [] }), ["no-backup"]],
    ["an old backup", () => shut({ maxBackupAgeMs: 26 * HOUR - 1 }), ["backup-too-old"]],
    ["a backup of the future", () => shut({}, { snapshots: [snapshot(2, -HOUR)] }), ["clock"]],
    [
      "a backup without a time",
      () => shut({}, { snapshots: [...machine().snapshots, snapshot(9, Number.NaN)] }),
      ["clock"],
    ],
    [
      "a damaged backup",
      () =>
        shut(
          {},
          { snapshots: [snapshot(2, 26 * HOUR, { verification: { result: "damaged", level: "data", atMs: nowMs } })] },
        ),
      ["backup-damaged"],
    ],
    ["an old inventory", () => shut({}, { asOfMs: nowMs - DAY - 1 }), ["evidence-stale"]],
    ["an inventory of the future", () => shut({}, { asOfMs: nowMs + HOUR }), ["clock"]],
    ["a clock that stands still", () => verdict({ nowMs: nowMs - 30 * DAY }), ["clock", "clock", "clock"]],
    ["no clock", () => verdict({ nowMs: Number.NaN }), ["clock", "clock", "clock", "policy-invalid"]],
    ["no test", () => shut({}, { envelopes: [] }), ["untested"]],
    ["a test of an older backup", () => shut({}, { envelopes: sign(testOf(1, 25 * HOUR)) }), ["untested"]],
    ["a test by a stranger", () => shut({}, { envelopes: sign(testOf(2, 25 * HOUR), stranger) }), ["evidence-forged"]],
    [
      "an altered statement",
      () => shut({}, { envelopes: sign(testOf(2, HOUR)).map((text) => text.replace(/"sig":"../, '"sig":"AA')) }),
      ["evidence-forged"],
    ],
    ["garbage", () => shut({}, { envelopes: ["{}", "", "null", "[1]"] }), ["untested"]],
    [
      "a test of another machine",
      () => shut({}, record({ asset: { ...testOf(2, 0).asset, machine: "vm/9" } })),
      ["evidence-invalid"],
    ],
    [
      "a failed test",
      () => shut({}, { envelopes: outcome("failed") }),
      ["test-failed", "level-too-low", "check-not-passed"],
    ],
    [
      "an inconclusive test",
      () => shut({}, { envelopes: outcome("inconclusive") }),
      ["test-inconclusive", "level-too-low", "check-not-passed"],
    ],
    ["a test with warnings", () => shut({ checks: [] }, { envelopes: outcome("warned") }), ["test-warned"]],
    ["a drill", () => shut({}, record({ simulated: true })), ["untested"]],
    ["an old test", () => shut({ maxTestAgeMs: DAY }), ["test-too-old"]],
    ["a test of the future", () => shut({}, { envelopes: sign(testOf(2, -HOUR)) }), ["clock"]],
    [
      "a level that is too low",
      () =>
        shut(
          { checks: [] },
          record({
            checks: provingChecks().filter(({ type }) => type !== "http"),
            plan: { ...testOf(2, 0).plan, level: "boots" },
            result: { outcome: "passed", provenLevel: "boots", reason: "", deviations: [] },
          }),
        ),
      ["level-too-low"],
    ],
    ["a missing check", () => shut({ checks: ["http", "canary"] }), ["check-missing"]],
    [
      "a check that warned",
      () =>
        shut(
          { checks: ["extra"], allowWarned: true },
          record({ checks: [...checks, sampleCheck("extra", { outcome: "failed" })] }),
        ),
      ["evidence-invalid", "check-not-passed"],
    ],
    [
      "another spec",
      () => shut({ tests: ["web"] }, record({ plan: { ...testOf(2, 0).plan, specDigest: "00".repeat(32) } })),
      ["spec-not-allowed"],
    ],
    ["a test that is not in the file", () => shut({ tests: ["gone"] }), ["policy-invalid", "spec-not-allowed"]],
    ["a slow recovery", () => shut({}, record({ times: { ...times, rto: slow } })), ["rto-missed"]],
    ["no measured recovery", () => shut({}, record({ times: { ...times, rto: [] } })), ["rto-missed"]],
    [
      "a problem of this machine alone",
      () =>
        verdict({
          facts: { ...factsOf(), machineProblems: new Map([["vm/101", [{ code: "evidence-invalid", message: "m" }]]]) },
        }),
      ["evidence-invalid"],
    ],
    ["a later test that failed and is not published", () => shut({}, knownTest("failed")), ["test-failed"]],
    ["one that was inconclusive", () => shut({}, knownTest("inconclusive")), ["test-inconclusive"]],
    ["one that warned", () => shut({}, knownTest("warned")), ["test-warned"]],
    ["one without a time", () => shut({}, knownTest("failed", Number.NaN)), ["test-failed"]],
    ["one of the same moment", () => shut({}, knownTest("failed", 25 * HOUR)), ["test-failed"]],
    [
      "one that failed before anything was published",
      () => shut({}, { ...knownTest("failed"), envelopes: [] }),
      ["test-failed"],
    ],
    ["one that passed and is not published", () => shut({}, { ...knownTest("passed"), envelopes: [] }), ["untested"]],
    [
      "a failed test of an older backup, when a recent one is enough",
      () =>
        shut(
          { proof: "recent" },
          { snapshots: [snapshot(2, 26 * HOUR), snapshot(1, 50 * HOUR, newestTest("failed"))] },
        ),
      ["test-failed"],
    ],
    ["no keys", () => shut({}, {}, { keys: [] }), ["policy-invalid"]],
    [
      "a pattern that makes no sense",
      () =>
        verdict({
          gate: gateWith({
            rules: [
              {
                paths: ["!x"],
                machines: ["vm/101"],
                requirement: { ...requirement, maxBackupAgeMs: 2 * DAY },
                line: 3,
              },
            ],
          }),
        }),
      ["policy-invalid"],
    ],
    ["unknown changes", () => verdict({ changes: null, changesProblem: "no merge base" }), ["changes-unknown"]],
  ];
  for (const [what, actual, expected] of table) {
    it(`is shut by ${what}`, () => assert.deepEqual(actual(), ["blocked", ...expected]));
  }

  it("is open when what is known of unpublished tests does not speak against it", () => {
    const older = snapshot(1, 50 * HOUR, newestTest("failed"));
    const open: [what: string, change: Partial<MachineFacts>][] = [
      ["a later test that passed", knownTest("passed")],
      ["an earlier one that failed", knownTest("failed", 26 * HOUR)],
      ["of an older backup, which does not count", { snapshots: [snapshot(2, 26 * HOUR), older] }],
    ];
    for (const [what, change] of open) assert.equal(verdict({ facts: factsOf(machine(change)) })[0], "go", what);
    const warned = { gate: gateWith({}, { maxBackupAgeMs: 2 * DAY, allowWarned: true }) };
    assert.equal(verdict({ ...warned, facts: factsOf(machine(knownTest("warned"))) })[0], "go");
    const other = [{ code: "evidence-invalid" as const, message: "m" }];
    const facts = { ...factsOf(machine()), machineProblems: new Map([["vm/102", other]]) };
    assert.equal(verdict({ facts })[0], "go", "a problem of another machine");
  });

  it("says that the statement of a failed test is not published", () => {
    const { part } = decide({ facts: factsOf(machine(knownTest("failed"))) });
    assert.equal(
      part.machines[0]?.reasons[0]?.message,
      "a later test of 2026-11-22 11:00:00 UTC, of the backup of 2026-11-21 10:00:00 UTC, failed; its statement is not published",
    );
  });

  it("tells which backup was tested when the newest was not", () => {
    const { part } = decide({ facts: factsOf(machine({ envelopes: sign(testOf(1, 25 * HOUR)) })) });
    assert.match(part.machines[0]?.reasons[0]?.message ?? "", /the newest one that was is of 2026-11-20 10:00:00 UTC/);
  });

  it("is shut for unknown changes even when no rule names a machine", () => {
    const gate = gateWith({ rules: [{ paths: ["**"], machines: [], requirement, line: 1 }] });
    assert.equal(decide({ gate, changes: null }).part.decision, "blocked");
    assert.equal(decide({ gate }).part.decision, "not-needed");
  });

  it("lets the last rule that matches decide, and asks for each machine of each rule", () => {
    const rules = [
      { paths: ["**"], machines: ["vm/101"], requirement: { ...requirement, maxBackupAgeMs: 2 * DAY }, line: 1 },
      { paths: ["*.md", "docs/"], machines: [], requirement, line: 2 },
      { paths: ["db/", "*.sql"], machines: ["vm/101", "vm/102"], requirement, line: 3 },
    ];
    const files = ["a.c", "db/README.md", "docs/x.sql", "docs/y.c"].map(
      (path) => ({ path, change: "modified", kind: "file" }) as const,
    );
    const { part } = decide({ gate: gateWith({ rules }), changes: { base: null, files } });
    assert.deepEqual(
      part.machines.map(({ machine: name, line, files: paths }) => [name, line, paths]),
      [
        ["vm/101", 1, ["a.c"]],
        ["vm/101", 3, ["db/README.md", "docs/x.sql"]],
        ["vm/102", 3, ["db/README.md", "docs/x.sql"]],
      ],
    );
    assert.equal(part.decision, "blocked");
    assert.equal(part.machines[0]?.decision, "go");
  });

  it("asks for whatever may be behind a link or a submodule, as far as a later rule does not cover all of it", () => {
    const rules = [
      { paths: ["**"], machines: ["vm/1"], requirement, line: 1 },
      { paths: ["docs/", "/infra/notes/"], machines: [], requirement, line: 2 },
      { paths: ["/infra/migrations/"], machines: ["vm/3"], requirement, line: 3 },
    ];
    const asked = (path: string, kind: "file" | "link" | "submodule") => {
      const files = [{ path, change: "added" as const, kind }];
      return decide({ gate: gateWith({ rules }), changes: { base: null, files } }).part.machines.map(
        (each) => each.machine,
      );
    };
    for (const kind of ["link", "submodule"] as const) {
      assert.deepEqual(asked("infra", kind), ["vm/1", "vm/3"]);
      assert.deepEqual(asked("infra/migrations/new", kind), ["vm/3"]);
      assert.deepEqual(asked("docs/latest", kind), []);
      assert.deepEqual(asked("other", kind), ["vm/1"]);
    }
    assert.deepEqual(asked("infra", "file"), ["vm/1"]);
  });

  it("shows names of files harmlessly, and not all of ten thousand", () => {
    const names = ["::error::x", "a\nb", ...Array.from({ length: 10_000 }, (_, number) => `${number}`)];
    const files = names.map((name) => ({ path: `db/${name}`, change: "added", kind: "file" }) as const);
    const more = [{ path: "::warning::db/", change: "added", kind: "link" } as const];
    const { part } = decide({ changes: { base: null, files: [...more, ...files] } });
    assert.equal(part.machines[0]?.filesTotal, 10_003);
    assert.equal(part.machines[0]?.files.length, 10);
    assert.ok(part.machines[0]?.files.every((file) => !file.includes("\n")));
  });

  it("with proof of a recent backup takes the latest test, also when it failed", () => {
    const recent = (facts: Partial<MachineFacts>) => shut({ proof: "recent" }, facts);
    const good = sign(testOf(1, 40 * HOUR));
    assert.deepEqual(recent({ envelopes: good }), ["go", "proven"]);
    const bad = { outcome: "failed" as const, provenLevel: null, reason: "it", deviations: [] };
    const failing = testOf(2, HOUR, {
      result: bad,
      checks: [sampleCheck("http", { outcome: "failed", type: "http" })],
    });
    assert.equal(recent({ envelopes: [...good, ...sign(failing)] })[1], "test-failed");
    assert.deepEqual(recent({ envelopes: [...good, ...sign(failing, stranger)] }), ["go", "proven"]);
    assert.deepEqual(recent({ envelopes: [...good, ...sign(testOf(2, 8 * DAY))] }), ["go", "proven"]);
    assert.equal(recent({ envelopes: sign(testOf(1, 8 * DAY)) })[1], "test-too-old");
    assert.equal(recent({ envelopes: sign(testOf(7, HOUR)) })[1], "untested");
    const damage = { result: "damaged", level: "data", atMs: nowMs } as const;
    const snapshots = [snapshot(2, 26 * HOUR), snapshot(1, 50 * HOUR, { verification: damage })];
    assert.equal(recent({ envelopes: good, snapshots })[1], "backup-damaged");
  });
});

describe("an override", () => {
  const facts = factsOf();
  const ask = (labels: string[], description: string | null) =>
    decide({ facts, override: { labels, description, by: "ada" } });

  it("needs the label and a reason", () => {
    const { part, overrideProblem } = ask(["skip-gate"], "Text\r\n  reason:  the disk burns \r\n");
    assert.equal(part.decision, "overridden");
    assert.equal(part.machines[0]?.decision, "blocked");
    assert.deepEqual(part.override, { label: "skip-gate", reason: "the disk burns", by: "ada" });
    assert.equal(overrideProblem, null);
  });

  it("without a reason leaves the gate shut and says so", () => {
    for (const text of [
      null,
      "",
      "Reason:",
      "Reason: ---",
      "<!-- Reason: example -->",
      "<!-- \nReason: never closed",
      "A reason: x",
    ]) {
      const { part, overrideProblem } = ask(["skip-gate"], text);
      assert.equal(part.decision, "blocked", String(text));
      assert.match(overrideProblem ?? "", /has no line "Reason: why"/);
    }
  });

  it("does nothing with another label, without permission, or where nothing is shut", () => {
    assert.equal(ask(["Skip-Gate", "other"], "Reason: x").part.decision, "blocked");
    const override = { labels: ["skip-gate"], description: "Reason: x", by: "ada" };
    assert.equal(decide({ facts, override, gate: gateWith({ override: null }) }).part.decision, "blocked");
    const open = decide({ override });
    assert.equal(open.part.decision, "go");
    assert.equal(open.part.override, null);
  });

  it("shows a reason harmlessly", () => {
    const { part } = ask(["skip-gate"], "Reason: ::set-output name=x::y\u202e");
    assert.ok(!/^::|\u202e/.test(part.override?.reason ?? "::"));
  });
});

describe("no gate", () => {
  it("stays open when a fact that it needs is taken away", () => {
    const whole = factsOf(
      machine({ snapshots: [snapshot(2, 26 * HOUR)], envelopes: sign(testOf(2, 25 * HOUR)).slice(0, 1) }),
    );
    const only = whole.machines.get("vm/101")!;
    assert.equal(verdict({ facts: whole })[0], "go");
    const fewer: (GateFacts | null)[] = [
      null,
      { ...whole, machines: new Map() },
      factsOf({ ...only, snapshots: [] }),
      factsOf({ ...only, envelopes: [] }),
    ];
    for (const facts of fewer) assert.equal(verdict({ facts })[0], "blocked");
  });

  it("opens when more is demanded than a shut one demands", () => {
    const weaker = fc.record<GateRequirement>({
      level: fc.constantFrom("intact", "readable", "boots", "serves"),
      maxBackupAgeMs: fc.integer({ min: 0, max: 3 * DAY }),
      maxTestAgeMs: fc.integer({ min: 0, max: 3 * DAY }),
      proof: fc.constant("newest"),
      rtoMs: fc.option(fc.integer({ min: 0, max: 100_000 })),
      checks: fc.subarray(["http", "ready", "none"]),
      allowWarned: fc.boolean(),
      tests: fc.subarray(["web"]),
    });
    const LEVELS = ["intact", "readable", "boots", "serves"] as const;
    fc.assert(
      fc.property(weaker, weaker, (a, b) => {
        const stronger: GateRequirement = {
          level: LEVELS[Math.max(LEVELS.indexOf(a.level), LEVELS.indexOf(b.level))]!,
          maxBackupAgeMs: Math.min(a.maxBackupAgeMs, b.maxBackupAgeMs),
          maxTestAgeMs: Math.min(a.maxTestAgeMs, b.maxTestAgeMs),
          proof: "newest",
          rtoMs: a.rtoMs === null ? b.rtoMs : Math.min(a.rtoMs, b.rtoMs ?? a.rtoMs),
          checks: [...new Set([...a.checks, ...b.checks])],
          allowWarned: a.allowWarned && b.allowWarned,
          tests: a.tests.length === 0 ? b.tests : a.tests,
        };
        if (verdict({ gate: gateWith({}, stronger) })[0] === "go") {
          assert.equal(verdict({ gate: gateWith({}, a) })[0], "go");
          assert.equal(verdict({ gate: gateWith({}, b) })[0], "go");
        }
      }),
    );
  });

  it("opens for random facts, and each reason has a known code", () => {
    const time = fc.oneof(fc.constantFrom(nowMs, nowMs - HOUR, nowMs + DAY), fc.double());
    const word = fc.oneof(fc.string(), fc.constantFrom("vm/101", digestOf(2)));
    const verification = fc.option(
      fc.record({
        result: fc.constantFrom("ok" as const, "damaged" as const),
        level: fc.constant("data" as const),
        atMs: time,
      }),
    );
    const outcome = fc.constantFrom("passed" as const, "failed" as const);
    const newestTest = fc.option(fc.record({ recordDigest: word, outcome, finishedAtMs: time }));
    const someSnapshot = fc.record({ sid: word, digest: word, timeMs: time, verification, newestTest });
    const strangers = [...sign(testOf(2, HOUR), stranger), ...sign(testOf(1, HOUR))];
    const envelope = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...strangers));
    const someMachine = fc.record({
      machine: word,
      asOfMs: time,
      snapshots: fc.array(
        someSnapshot.filter(({ digest }) => digest !== digestOf(1)),
        { maxLength: 4 },
      ),
      envelopes: fc.array(envelope, { maxLength: 4 }),
    });
    const problem = fc.record({ code: fc.constantFrom(...GATE_REASONS), message: fc.string() });
    const facts = fc.record({
      source: fc.constantFrom("branch" as const, "repository" as const),
      problems: fc.array(problem, { maxLength: 1 }),
      machineProblems: fc.constant(new Map()),
      machines: fc.array(someMachine).map((all) => new Map(all.map((each) => ["vm/101", each] as const))),
      commit: fc.option(fc.string()),
      sequence: fc.option(fc.integer()),
      publishedAtMs: fc.option(time),
    });
    fc.assert(
      fc.property(facts, (found) => {
        const { part } = decideGate(inputWith({ facts: found }));
        assert.equal(part.decision, "blocked");
        for (const { reasons } of part.machines)
          for (const { code } of reasons)
            assert.ok(
              GATE_REASONS.some((known) => known === code),
              code,
            );
      }),
      { numRuns: 300 },
    );
  });
});
