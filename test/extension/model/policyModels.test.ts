import assert from "node:assert/strict";
import { readRestoreTestSpec } from "../../../core/index.js";
import { keepSentences } from "../../../extension/model/keepWords.js";
import { byNeed, durationText, machineText } from "../../../extension/model/machineWords.js";
import { specFileName, specTemplate } from "../../../extension/model/specTemplate.js";
import { nameKindAt, yamlPlaceAt } from "../../../extension/model/yamlPlace.js";
import type { MachineStateData } from "../../../extension/service/policyProtocol.js";

const nowMs = Date.UTC(2026, 10, 22, 12);
const hour = 3_600_000;
const t = (text: string, ...values: (string | number)[]) =>
  text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)]));
const context = { nowMs, locale: "en", t };

function machine(name: string, lastTest: Partial<NonNullable<MachineStateData["lastTest"]>> | null): MachineStateData {
  const newest = { timeMs: nowMs - 3 * hour, verification: "none" as const, protected: false };
  const full = { atMs: nowMs - hour, outcome: "passed", provenLevel: "boots", rtoMs: 41_000, ofNewest: true };
  return {
    ...{ machine: name, outcome: "passed", reason: "", snapshots: 1, newest },
    lastTest: lastTest && { ...full, ...lastTest },
  };
}

describe("a machine in words", () => {
  it("names age, proof and recovery time", () => {
    assert.equal(machineText(machine("a", {}), context), "3 hr. ago, boots, RTO 41 s");
    const older = { atMs: nowMs - 5 * 24 * hour, ofNewest: false };
    assert.equal(
      machineText(machine("a", older), context),
      "3 hr. ago, boots, RTO 41 s, an older snapshot, tested 5 days ago",
    );
    assert.equal(
      machineText(machine("a", { outcome: "warned" }), context),
      "3 hr. ago, boots, with warnings, RTO 41 s",
    );
    assert.equal(machineText(machine("a", null), context), "3 hr. ago, never restored in a test");
    assert.equal(machineText(machine("a", { outcome: "failed" }), context), "3 hr. ago, restore test failed");
    assert.equal(machineText(machine("a", { provenLevel: null }), context), "3 hr. ago, nothing proven, RTO 41 s");
    assert.equal(machineText({ ...machine("a", null), newest: null }, context), "no backup");
  });

  it("puts those that were never tested first, then by what is proven and age", () => {
    const machines = [
      machine("serves", { provenLevel: "serves" }),
      machine("later", {}),
      machine("none", null),
      machine("earlier", { atMs: nowMs - 9 * hour }),
      machine("failed", { outcome: "failed" }),
    ];
    assert.deepEqual(
      machines.sort(byNeed).map((each) => each.machine),
      ["none", "failed", "earlier", "later", "serves"],
    );
  });

  it("tells durations by their size", () => {
    const texts = [850, 41_000, 60_000, 125_000, 3_780_000].map((ms) => durationText(ms, "en"));
    assert.deepEqual(texts, ["850 ms", "41 s", "1 min", "2 min 5 s", "1 h 3 min"]);
  });
});

describe("a retention in words", () => {
  it("has a sentence for each rule, or for the one that is asked about", () => {
    const keep = { counts: { daily: 7, monthly: 12, yearly: 0 }, within: "30d" };
    assert.deepEqual(keepSentences(keep, t), [
      "everything that is not older than 30d",
      "the last snapshot of each of 7 days",
      "the last snapshot of each of 12 months",
    ]);
    assert.deepEqual(keepSentences(keep, t, "daily"), ["the last snapshot of each of 7 days"]);
  });
});

describe("the first restore test of a machine", () => {
  it("is a valid spec, whatever the machine is called", async () => {
    for (const name of ["vm/web1", "prod:vm/web1", "ct/101", "host/files"]) {
      const spec = await readRestoreTestSpec(specTemplate(name), "x.yaml");
      assert.equal(spec.machines[0]?.machine, name);
      assert.match(specFileName(name), /^[\w.-]+\.restore-test\.yaml$/);
    }
  });
});

describe("a place in a YAML text", () => {
  const lines = `repositories:
  main: {location: /srv}
machines:
  prod:vm/web1:
    owner: me
jobs:
  nightly:
    backup: [prod:vm/web1, ]
    repository: ma
    retention: {daily: 7, weekly: 4}
    # a comment
    schedule: "*:0/15"
restore-tests:
  - name: web1
    machine: prod
  - {name: b, machine: x}
gates:
  g:
    rules:
      - paths: db/
        machines: v
      - {paths: [db/, x], machines: vm/a}
spec:
  machines:
  - machine: y
`.split("\n");
  const find = (needle: string, behind = needle.length) => {
    const line = lines.findIndex((each) => each.includes(needle));
    return yamlPlaceAt(lines, line, (lines[line] ?? "").indexOf(needle) + behind);
  };

  it("knows the keys that lead there, and the word", () => {
    const seen = (place: ReturnType<typeof find>) => [place.path.join(" "), place.onKey, place.word];
    assert.deepEqual(seen(find("prod:vm/web1:", 3)), ["machines prod:vm/web1", true, "prod:vm/web1"]);
    assert.deepEqual(seen(find("repository: ma")), ["jobs nightly repository", false, "ma"]);
    assert.deepEqual(seen(find("daily: 7", 2)), ["jobs nightly retention", false, "daily"]);
    assert.deepEqual(seen(find("weekly: 4")), ["jobs nightly retention weekly", false, "4"]);
    assert.deepEqual(seen(find('schedule: "*:0/15"', 3)), ["jobs nightly schedule", true, "schedule"]);
    assert.deepEqual(seen(find("machine: prod")), ["restore-tests machine", false, "prod"]);
    assert.deepEqual(seen(find("machines: v")), ["gates g rules machines", false, "v"]);
    assert.deepEqual(seen(find("machine: x")), ["restore-tests machine", false, "x"]);
    assert.deepEqual(seen(find("machines: vm/a")), ["gates g rules machines", false, "vm/a"]);
    assert.deepEqual(seen(find("machine: y")), ["spec machines machine", false, "y"]);
  });

  it("knows which names belong there", () => {
    assert.equal(nameKindAt(find("backup: [prod:vm/web1, ")), "machine or all");
    assert.equal(nameKindAt(find("repository: ma")), "repository");
    assert.equal(nameKindAt(find("machine: prod")), "machine");
    assert.equal(nameKindAt(find("machines: vm/a")), "machine");
    assert.equal(nameKindAt(find("machine: y")), "machine");
    assert.equal(nameKindAt(find("owner: me")), undefined);
    assert.equal(nameKindAt(find("repository: ma", 3)), undefined);
  });

  it("never fails, wherever the cursor is", () => {
    for (let line = -1; line <= lines.length; line++)
      for (let character = 0; character < 60; character++) yamlPlaceAt(lines, line, character);
  });
});
