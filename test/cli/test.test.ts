// `reprise test` as people use it, with a machine that really starts: one start, everything that it leaves.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeRestoreTestRecord, type RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { tinyGuest } from "../fixtures/guests.js";
import { checkOf, type EndedProcess, LONG_BOOT, MachineTests, TINY_HARDWARE } from "../support/machineTests.js";
import { assertWellFormedXml } from "../support/wellFormedXml.js";

/** Whatever would move a cursor, change a colour or turn the direction of text. */
const CONTROL = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;
const CHECKS = [
  "file",
  "canary",
  "http",
  "tcp",
  "command",
  "script",
  "serial",
  "hostile",
  "agent",
  "screenshot",
] as const;

describe("a restore test that passes", function () {
  this.timeout(600_000);
  let tests: MachineTests;
  let ended: EndedProcess;
  let report: string;
  let record: RestoreTestRecord;
  let snapshotDigest: string;

  before(async () => {
    tests = await MachineTests.open();
    // It prints on its console what wants to be more than text.
    await tests.backUp("vm/web1", await tinyGuest({ words: "app.hostile=1" }), "--tag", "canary=tiny");
    const digests = await tests.succeed("cat", "vm/web1@latest:/root/p3/data/blob.sha256");
    await makeKey("key");
    const spec = await tests.spec("web1", {
      machine: "vm/web1",
      level: "serves",
      hardware: TINY_HARDWARE,
      ready: { serial: "FIXTURE-READY" },
      timeouts: LONG_BOOT,
      objectives: { rto: "1h", rpo: "1h" },
      checks: [
        { type: "file", path: "/data/blob.bin", sha256: digests.slice(0, 64) },
        { type: "canary", path: "/etc/hostname" },
        { type: "http", path: "/cgi-bin/health", matches: '"status":"ok"' },
        { type: "tcp", port: 80, sends: "GET / HTTP/1.0\r\n\r\n", expects: "fixture guest tiny up" },
        { type: "command", run: ["hostname"], matches: "^tiny$" },
        { type: "script", run: 'test "$REPRISE_TEST_MACHINE" = vm/web1 && test "$REPRISE_TEST_PORT_80" -gt 0' },
        { type: "serial", matches: "FIXTURE-READY host=tiny boots=1 data=ok" },
        { type: "serial", id: "hostile", forbidden: "owned|alert", severity: "info" },
        "agent",
        { type: "screenshot", "stable-for": "2s" },
      ],
    });
    report = tests.path("report");
    const args = ["test", spec, "--report", report, "--signing-key", tests.path("key.pem"), "--trigger", "pipeline"];
    ended = await tests.start(args).ended;
    assert.equal(ended.code, 0, `${ended.stderr}${ended.stdout}`);
    record = decodeRestoreTestRecord(JSON.parse(await reportText("record.json")), "the record of the report");
    const [snapshot] = JSON.parse(await tests.succeed("snapshots", "--json")) as { digest: string }[];
    snapshotDigest = snapshot?.digest ?? "";
  });
  after(() => tests.close());

  /** NAME.pem and NAME.pub. */
  async function makeKey(name: string): Promise<void> {
    const publicKey = await tests.succeed("key", "signing", "generate", "--out", tests.path(`${name}.pem`));
    await writeFile(tests.path(`${name}.pub`), publicKey);
  }

  async function reportText(name: string): Promise<string> {
    return await readFile(join(report, "vm-web1", name), "utf8");
  }

  it("has proven the level by every one of its checks", () => {
    assert.deepEqual(
      { ...record.result, reason: "" },
      {
        ...{ outcome: "passed", provenLevel: "serves", reason: "" },
        deviations: ["the latest one"],
      },
    );
    assert.equal(record.simulated, false);
    for (const id of [...CHECKS.filter((name) => name !== "hostile"), "level.ready", "isolation", "objective.rto"])
      assert.equal(checkOf(record, id).outcome, "passed", id);
    assert.equal(checkOf(record, "hostile").outcome, "warned");
    assert.equal(record.checks.filter(({ type }) => type === "chunks").length, 1);
    assert.ok(record.checks.every(({ outcome }) => outcome === "passed" || outcome === "warned"));
    for (const id of CHECKS) assert.ok((checkOf(record, id).line ?? 0) > 0, `${id} knows its line`);
  });

  it("says what was tested, where, with what", () => {
    assert.match(record.recordId, /^[0-9a-f]{32}$/);
    assert.equal(record.previous, null);
    assert.equal(record.asset.machine, "vm/web1");
    assert.equal(record.asset.owner, "team-test");
    assert.equal(record.plan.trigger, "pipeline");
    assert.equal(record.plan.level, "serves");
    assert.equal(record.backup.manifestDigest, snapshotDigest);
    assert.equal(record.backup.sizeBytes, 192 * 2 ** 20);
    assert.match(record.environment.hypervisor ?? "", /^QEMU \d+\.\d+/);
    assert.equal(record.environment.accelerator, "tcg");
    assert.ok(record.environment.hardware.includes("disk root on virtio"));
    const { coverage } = record;
    assert.deepEqual([coverage.disks, coverage.disksTotal, coverage.volumesOpened], [1, 1, 2]);
    assert.equal(coverage.bytesVerified, coverage.bytesTotal);
    assert.ok(coverage.chunksVerified > 100);
    assert.deepEqual(coverage.notTested, ["nothing outside the machine: what it needs from others was not there"]);
  });

  it("names the digest of its spec", async () => {
    const spec = await readFile(tests.path("web1.yaml"));
    assert.equal(record.plan.specDigest, createHash("sha256").update(spec).digest("hex"));
  });

  it("measured the way back, phase by phase", () => {
    const { phases, rto, objectives, rpoMs } = record.times;
    const [way] = rto;
    assert.ok(way !== undefined && rto.length === 1);
    assert.equal(way.way, "instant");
    assert.ok(way.bootMs > 1000);
    assert.equal(way.totalMs, way.restoreMs + way.bootMs + way.serveMs);
    assert.ok(rpoMs > 0 && rpoMs < 600_000);
    assert.deepEqual([objectives.rtoMet, objectives.rpoMet], [true, true]);
    const names = phases.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name !== "agent"),
      ["disks, instant", "power on, instant", "boot, instant", "teardown"],
    );
    const lengthMs = Date.parse(record.times.finishedAt) - Date.parse(record.times.startedAt);
    for (const { startMs, durationMs } of [...phases, ...record.checks])
      assert.ok(startMs + durationMs <= lengthMs + 1, "everything happened between start and end");
    // The screen is looked at for 2 s, after the service was there.
    assert.ok(checkOf(record, "screenshot").startMs >= checkOf(record, "script").startMs);
  });

  it("proves that nothing got out, also from inside", () => {
    assert.equal(record.isolation.network, "isolated");
    const { proofs } = record.isolation;
    assert.equal(proofs.length, 4);
    for (const proof of proofs) assert.equal(proof.outcome, "held", JSON.stringify(proof));
    const observed = proofs.map((proof) => proof.observed);
    assert.match(observed[0] ?? "", /restrict=on/);
    assert.match(observed[1] ?? "", /^127\.0\.0\.1:\d+, 0 connections$/);
    assert.match(observed[2] ?? "", /^10\.0\.2\.2:\d+: no connection; its own port 80: connected$/);
    assert.match(observed[3] ?? "", /^198\.51\.100\.1:80: no connection; its own port 80: connected$/);
  });

  it("leaves no process and no file", async () => {
    assert.deepEqual(record.integrity.disposal.confirmed, true);
    assert.match(record.integrity.teardown.observed, /^process \d+ has ended$/);
    assert.deepEqual(await tests.leftFiles(), []);
    assert.deepEqual(await tests.leftProcesses(), []);
  });

  it("keeps artifacts with their digests", async () => {
    const names = record.integrity.artifacts.map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ["screenshot.png", "serial.log"]);
    for (const { name, bytes, sha256 } of record.integrity.artifacts) {
      const content = await readFile(join(report, "vm-web1", name));
      assert.equal(content.length, bytes);
      assert.equal(createHash("sha256").update(content).digest("hex"), sha256, name);
    }
  });

  it("writes reports that programs and people can read", async () => {
    const junit = await reportText("junit.xml");
    assertWellFormedXml(junit);
    assert.match(junit, /failures="0" errors="0"/);
    const page = await reportText("report.html");
    const screenshot = await readFile(join(report, "vm-web1", "screenshot.png"));
    assert.ok(page.includes(`data:image/png;base64,${screenshot.toString("base64")}`), "the screenshot is in the page");
    const lines = (await reportText("events.ndjson")).trimEnd().split("\n");
    for (const line of lines) assert.equal(typeof JSON.parse(line), "object");
    assert.match(await reportText("report.md"), /passed/);
    assert.match(ended.stdout, /vm\/web1\s+passed\s+serves/);
    assert.match(ended.stderr, /^vm\/web1: 20[\d:TZ-]+, to the level serves$/m);
  });

  it("shows what the console carries as the text that it is", async () => {
    const { observed } = checkOf(record, "hostile");
    assert.match(observed, /owned|alert/);
    for (const text of [ended.stdout, ended.stderr]) {
      assert.doesNotMatch(text, CONTROL);
      assert.doesNotMatch(text, /^::/m);
    }
    for (const name of ["report.html", "report.md", "junit.xml", "events.ndjson", "record.json"]) {
      const text = await reportText(name);
      assert.doesNotMatch(text, CONTROL, name);
      assert.doesNotMatch(text, /^\s*::/m, name);
      if (!/json$/.test(name)) assert.doesNotMatch(text, /<script>alert|<img src=x/, name);
    }
    assert.match(await reportText("serial.log"), /FIXTURE-READY/);
  });

  it("is found again beside its snapshot", async () => {
    const history = JSON.parse(await tests.succeed("test", "--history", "vm/web1", "--json")) as {
      tests: (RestoreTestRecord & { signed: boolean })[];
    };
    assert.equal(history.tests.length, 1);
    assert.equal(history.tests[0]?.recordId, record.recordId);
    assert.equal(history.tests[0]?.signed, true);
    const text = await tests.succeed("test", "--history");
    assert.match(text, /vm\/web1 .* passed +serves/);
    const [snapshot] = JSON.parse(await tests.succeed("snapshots", "--json")) as { restoreTest: object }[];
    assert.match(JSON.stringify(snapshot?.restoreTest), /"passed"/);
    assert.match(JSON.stringify(snapshot?.restoreTest), /"serves"/);
  });

  it("is evidence that a gate accepts, for this snapshot and this key only", async () => {
    const envelopes = join(report, "vm-web1", "evidence.intoto.jsonl");
    const verify = ["evidence", "verify", envelopes, "--require-level", "serves"];
    const mine = ["--key", tests.path("key.pub")];
    await tests.succeed(...verify, ...mine, "--snapshot", "vm/web1@latest");
    await tests.succeed(...verify, ...mine, "--digest", record.backup.manifestDigest, "--max-age", "1h");
    const other = "0".repeat(64);
    assert.equal((await tests.start([...verify, ...mine, "--digest", other]).ended).code, 1);
    await makeKey("other");
    const digest = ["--digest", record.backup.manifestDigest];
    const { code } = await tests.start([...verify, "--key", tests.path("other.pub"), ...digest]).ended;
    assert.equal(code, 1);
  });
});
