import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../../core/errors.js";
import { readRestoreTestSpec, readRestoreTestSpecs } from "../../../core/restoreTest/spec/readSpec.js";
import type { CheckType, RestoreTestSpec } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import type { FileProblem } from "../../../core/yaml/problems.js";
import { assertCode } from "../../support/assertCode.js";
import { EVERY_FIELD, FIRST_LINE, specWith } from "./specText.js";

const read = (text: string): Promise<RestoreTestSpec> => readRestoreTestSpec(text, "web.yaml");

async function problemsOf(text: string): Promise<readonly FileProblem[]> {
  const error = await assertCode(readRestoreTestSpecs(text, "web.yaml"), "SPEC_INVALID", text.slice(0, 300));
  const { file, line, column, problems } = error.data as {
    file: string;
    line: number;
    column: number;
    problems: FileProblem[];
  };
  assert.equal(file, "web.yaml");
  assert.deepEqual([line, column], [problems[0]?.line, problems[0]?.column]);
  for (const problem of problems) {
    assert.ok(error.message.includes(`web.yaml:${problem.line}:${problem.column}: ${problem.message}`), error.message);
  }
  return problems;
}

/** "line:column message", each problem of a spec. */
async function told(text: string): Promise<string[]> {
  return (await problemsOf(text)).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

async function assertTells(text: string, line: number, message: RegExp): Promise<void> {
  const problems = await problemsOf(text);
  const found = problems.some((problem) => problem.line === line && message.test(problem.message));
  assert.ok(found, `line ${line} ${message}: ${JSON.stringify(problems, undefined, 1)}`);
}

describe("readRestoreTestSpec", () => {
  it("needs six lines for a simple test", async () => {
    const spec = await read(specWith());
    assert.equal(spec.name, "web");
    assert.deepEqual(spec.network, { mode: "none" });
    assert.equal(spec.totalMs, 7_200_000);
    assert.deepEqual(spec.keepOnFailure, ["serial-log", "screenshot"]);
    const [machine] = spec.machines;
    assert.equal(machine?.machine, "vm/web1");
    assert.equal(machine?.level, "boots");
    assert.equal(machine?.via, "instant");
    assert.deepEqual(machine?.snapshot, { kind: "latest" });
    assert.deepEqual(machine?.ready, { serial: null, agent: false, port: null });
    assert.deepEqual(machine?.checks, []);
  });

  it("reads every field", async () => {
    const spec = await read(EVERY_FIELD);
    const [db, web] = spec.machines;
    assert.deepEqual(
      spec.machines.map(({ machine }) => machine),
      ["prod:vm/db1", "vm/web1"],
    );
    assert.deepEqual(db?.hardware, {
      memoryMiB: 1024,
      cpus: 2,
      machineType: "q35",
      firmware: "uefi",
      secureBoot: true,
      tpm: true,
      diskBus: "sata",
      nicModel: "e1000e",
      accelerator: "tcg",
    });
    assert.deepEqual(db?.timeouts, { restoreMs: 7_200_000, bootMs: 600_000, agentMs: 180_000, applicationMs: 240_000 });
    assert.deepEqual(db?.objectives, { rtoMs: 1_800_000, rpoMs: 93_600_000 });
    assert.ok(db?.ready.serial?.test("web1 login: "));
    assert.equal(db?.checks.length, 15);
    assert.deepEqual(db?.checks[1], {
      id: "data",
      severity: "warn",
      timeoutMs: 10_800_000,
      retries: 1,
      intervalMs: 7000,
      line: 29,
      type: "chunks",
    });
    const http = db?.checks.find((check) => check.type === "http");
    assert.deepEqual(http?.status, [200, 204]);
    assert.equal(http?.validForMs, 14 * 86_400_000);
    const file = db?.checks.find((check) => check.type === "file");
    assert.deepEqual([file?.minimumBytes, file?.maximumBytes, file?.newerThanMs], [1, 1_000_000, 172_800_000]);
    assert.deepEqual(db?.checks.find((check) => check.type === "script")?.run, ["/bin/sh", "-c", "./check.sh"]);
    // what the machine does not say itself comes from the spec
    assert.deepEqual([web?.level, web?.via, web?.snapshot.kind], ["boots", "restored", "oldest"]);
    assert.equal(web?.hardware.memoryMiB, 256);
    assert.equal(web?.timeouts.bootMs, 60_000);
    assert.equal(web?.ready.agent, true);
    assert.deepEqual(
      web?.checks.map(({ id }) => id),
      ["chunks"],
    );
    assert.deepEqual(spec.network, { mode: "isolated", subnet: "192.168.7.0/24", gateway: "192.168.7.1" });
    assert.deepEqual(spec.keepOnFailure, ["overlay"]);
  });

  it("chooses the level and the network that the checks ask for", async () => {
    const cases: [string[], string, string][] = [
      [[], "boots", "none"],
      [["checks: [{type: http}]"], "serves", "isolated"],
      [["checks: [{type: http, severity: info}]"], "boots", "isolated"],
      [["checks: [{type: command, run: 'true'}]"], "serves", "none"],
      [["checks: [{type: canary, path: /x}]"], "boots", "none"],
      [["ready: {port: 22}"], "boots", "isolated"],
      [["level: readable", "checks: [filesystem, {type: canary, path: /x}]"], "readable", "none"],
    ];
    for (const [lines, level, network] of cases) {
      const spec = await read(specWith(...lines));
      assert.deepEqual([spec.machines[0]?.level, spec.network.mode], [level, network], lines.join(" "));
    }
    const folder = await read(specWith().replace("vm/web1", "host/files"));
    assert.equal(folder.machines[0]?.level, "readable");
    const group = await read(specWith("machines: [vm/a, vm/b]").replace("  machine: vm/web1\n", ""));
    assert.deepEqual(group.network, { mode: "isolated", subnet: "10.0.2.0/24", gateway: "10.0.2.2" });
  });

  it("starts machines after those they depend on", async () => {
    const spec = await read(
      specWith(
        "machines:",
        "  - {machine: vm/web, depends-on: [vm/db, vm/ldap]}",
        "  - {machine: vm/db, depends-on: [vm/ldap]}",
        "  - vm/ldap",
      ).replace("  machine: vm/web1\n", ""),
    );
    assert.deepEqual(
      spec.machines.map(({ machine }) => machine),
      ["vm/ldap", "vm/db", "vm/web"],
    );
  });

  it("gives checks names of their own and lets a machine's check replace the spec's", async () => {
    const spec = await read(
      specWith(
        "checks: [agent, {type: agent}, {type: agent, id: agent-3}, agent, {type: serial, id: quiet, forbidden: Oops}]",
        "machines:",
        "  - {machine: vm/a, checks: [{type: serial, id: quiet, forbidden: panic}]}",
      ).replace("  machine: vm/web1\n", ""),
    );
    const checks = spec.machines[0]?.checks ?? [];
    assert.deepEqual(
      checks.map(({ id }) => id),
      ["agent", "agent-2", "agent-3", "agent-4", "quiet"],
    );
    const quiet = checks.find(({ id }) => id === "quiet");
    assert.ok(quiet?.type === "serial" && quiet.forbidden?.source === "panic");
  });

  it("takes values as texts where texts belong", async () => {
    const spec = await read(
      specWith(
        "snapshot: 12345678",
        "checks:",
        "  - {type: sql, query: select 1, equals: 007}",
        "  - {type: command, run: [sleep, 5, no, 1e3]}",
      ),
    );
    const [machine] = spec.machines;
    assert.deepEqual(machine?.snapshot, { kind: "named", name: "12345678" });
    assert.ok(machine?.checks[0]?.type === "sql" && machine.checks[0].equals === "007");
    assert.ok(machine?.checks[1]?.type === "command");
    assert.deepEqual(machine.checks[1].run, ["sleep", "5", "no", "1e3"]);
  });

  it("reads several specs of one file", async () => {
    const text = `# both\n---\n${specWith()}---\n${specWith().replace("name: web", "name: db")}...\n---\n# nothing\n`;
    assert.deepEqual(
      (await readRestoreTestSpecs(text, "w.yaml")).map(({ name }) => name),
      ["web", "db"],
    );
    await assertCode(readRestoreTestSpec(text, "w.yaml"), "SPEC_INVALID");
    await assertTells(`${specWith()}---\n${specWith()}`, 11, /two specs of this file have the name "web"/);
    await assertTells(`${specWith()}---\n${specWith("level: none")}`, 7 + FIRST_LINE, /level must be one of/);
  });

  it("tells all mistakes at once, with place and suggestion", async () => {
    const text = `apiVersion: reprise/v2
kind: RestoreTest
metadata: {nme: web}
spec:
  machine: vm/web1
  memory: 512MiB
  timeout: {boot: 90}
  level: serve
  checks:
    - htpp
    - type: htpp
    - type: http
      prot: 80
    - type: tcp
    - port: 3
    - http
    - 5
  network: foo
`;
    assert.deepEqual(await told(text), [
      '1:13 apiVersion must be reprise/v1, not "reprise/v2"',
      '3:1 "name" is missing in metadata',
      '3:12 unknown field "nme"; did you mean "name"?',
      '6:3 unknown field "memory": it belongs below "hardware"',
      '7:3 unknown field "timeout"; did you mean "timeouts"?',
      '8:10 level: there is no "serve"; did you mean "serves"? (one of intact, readable, boots, serves)',
      '10:7 checks[0] must be one of chunks, partition-table, filesystem, agent, screenshot, not "htpp"',
      '11:13 type: there is no "htpp"; did you mean "http"? (one of chunks, partition-table, filesystem, file, serial, agent, command, tcp, http, sql, screenshot, canary, script)',
      '13:7 unknown field "prot"; did you mean "port"?',
      '14:7 "port" is missing in checks[3]',
      '15:7 a check needs a "type": chunks, partition-table, filesystem, file, serial, agent, command, tcp, http, sql, screenshot, canary, script',
      '16:7 http needs more than its name: write "type: http" and its fields',
      "17:7 checks[6] must be a check such as {type: http, port: 80}, not 5",
      '18:12 network must be one of none, isolated, not "foo"',
    ]);
  });

  it("names every contradiction at its line", async () => {
    const cases: [string[], number, RegExp][] = [
      [["level: serves"], 7, /needs a check of severity fail that proves it for vm\/web1/],
      [["level: serves", "checks: [{type: http, severity: warn}]"], 7, /needs a check of severity fail/],
      [
        ["level: readable", "checks:", "  - type: http"],
        7,
        /leaves out the check "http" \(line 9\), which needs level boots/,
      ],
      [["level: intact", "checks: [filesystem]"], 7, /needs level readable/],
      [["network: none", "checks: [{type: tcp, port: 1}]"], 7, /network: none contradicts the check "tcp" \(line 8\)/],
      [["ready: {port: 22}", "network: {mode: none}"], 8, /network: none contradicts ready: port/],
      [["hardware:", "  firmware: bios", "  secure-boot: true"], 9, /secure-boot contradicts firmware: bios/],
      [["hardware: {secure-boot: true, machine-type: pc}"], 7, /needs q35/],
      [["hardware: {disk-bus: ide, machine-type: q35}"], 7, /ide needs pc/],
      [["hardware: {memory: 512}"], 7, /did you mean 512MiB\?/],
      [["hardware: {memory: 3KiB}"], 7, /whole MiB/],
      [["level: readable", "objectives: {rto: 1h}"], 8, /rto is measured by starting/],
      [["timeouts: {boot: 3h, total: 2h}"], 7, /total: 2h is shorter than boot: 3h/],
      [["timeouts: {boot: 90}"], 7, /boot must be a duration such as 90s, 15m, 26h/],
      [["timeouts: {boot: 1m1h}"], 7, /is no duration/],
      [["timeouts: {boot: 10d}"], 7, /out of range: 1s to 7d/],
      [["network: {mode: none, subnet: 10.0.0.0/24}"], 7, /subnet contradicts mode: none/],
      [["network: {subnet: 10.0.0.1/24}"], 7, /no IPv4 network/],
      [["network: {subnet: 10.0.0.0/31}"], 7, /no IPv4 network/],
      [["network: {subnet: 10.0.0.0/24, gateway: 10.0.1.1}"], 7, /no address of a machine in the subnet/],
      [["network: {subnet: 10.0.0.0/24, gateway: 10.0.0.255}"], 7, /no address of a machine in the subnet/],
      [["checks: [{type: serial}]"], 7, /needs matches or forbidden/],
      [["checks: [{type: file, path: /x, exists: false, matches: a}]"], 7, /contradicts matches/],
      [["checks: [{type: file, path: /x, minimum-size: 2KiB, maximum-size: 1KiB}]"], 7, /more than maximum-size/],
      [["checks: [{type: http, valid-for: 1d}]"], 7, /needs tls: true/],
      [["checks: [{type: http, matches: '(a'}]"], 7, /matches: the pattern is not right: missing closing \)/],
      [["checks: [{type: http, matches: '(?=a)'}]"], 7, /looking ahead/],
      [["checks:", "  - {type: http, id: a}", "  - {type: tcp, port: 1, id: a}"], 9, /two checks have the id "a"/],
      [["machines: [vm/a]"], 6, /machine and machines exclude each other/],
      [["snapshot: newest"], 7, /snapshot must be latest, oldest, random, rolling/],
      [["checks: [{type: http, port: 70000}]"], 7, /port: 70000 is out of range: 1 to 65535/],
      [["checks: [{type: http, retries: 1.5}]"], 7, /retries must be a whole number, not 1.5/],
      [["keep-on-failure: [everything]"], 7, /must be one of serial-log, screenshot, overlay/],
      [["checks: {type: http}"], 7, /checks must be a list \(lines that start with -\), not a group of fields/],
    ];
    for (const [lines, line, message] of cases) await assertTells(specWith(...lines), line, message);
  });

  it("names what is wrong among machines", async () => {
    const cases: [string[], number, RegExp][] = [
      [["machines: [vm/a, vm/a]"], 6, /vm\/a is listed twice/],
      [["machines:", "  - {machine: vm/a, depends-on: [vm/b]}"], 7, /vm\/b is none of this test's machines/],
      [
        ["machines:", "  - {machine: vm/a, depends-on: [vm/a]}"],
        7,
        /vm\/a depends on itself|in a circle: vm\/a → vm\/a/,
      ],
      [
        ["machines:", "  - vm/c", "  - {machine: vm/a, depends-on: [vm/b]}", "  - {machine: vm/b, depends-on: [vm/a]}"],
        8,
        /in a circle: vm\/a → vm\/b → vm\/a/,
      ],
      [
        ["machines:", "  - {machine: vm/a, depends-on: [vm/b]}", "  - {machine: vm/b, level: readable}"],
        7,
        /vm\/b is not started: its level is readable/,
      ],
      [["machines: [vm/a, vm/b]", "snapshot: 01234567"], 7, /an id names one machine's snapshot/],
      [["machines: [web1]"], 6, /a machine such as vm\/web1/],
      [["machines: []"], 6, /machines is empty/],
      [["level: boots"], 5, /"machine" \(or "machines"\) is missing/],
    ];
    for (const [lines, line, message] of cases) {
      await assertTells(specWith(...lines).replace("  machine: vm/web1\n", ""), line, message);
    }
  });

  it("says what is wrong with the YAML", async () => {
    const cases: [string, number, RegExp][] = [
      ["a: [b", 1, /flow sequence/],
      ["a: 1\na: 2\n", 2, /"a" is given twice/],
      ["a: &x {}\nb:\n  <<: *x\n", 3, /merge keys/],
      ["", 1, /is empty/],
      ["# nothing\n", 1, /is empty/],
      ["text", 1, /the document must be a group of fields/],
      ["a: *nobody", 1, /no such anchor/],
      ["a: &a [*a]", 1, /no such anchor/],
      ["a: !!binary aGVsbG8=", 1, /tag/],
      ["a: !run rm", 1, /tag/],
      ["? [a]\n: b", 1, /a key must be a word/],
      ["a: .nan", 1, /only texts, whole numbers/],
      ["\tb: 1", 1, /tab/i],
      ["a: b: c", 1, /nested mappings/],
      ["a: 'b", 1, /missing closing/],
    ];
    for (const [text, line, message] of cases) await assertTells(text, line, message);
  });

  it("keeps control characters of a file out of messages", async () => {
    const error = await assertCode(read(specWith('"\\e[31mred\\u202e\\x00": 1')), "SPEC_INVALID");
    assert.ok(!/[\p{Cc}\p{Cf}]/u.test(error.message.replaceAll("\n", "")), JSON.stringify(error.message));
  });

  it("withstands bombs", async () => {
    const laughs = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh".split("").map((name, i) => {
        const before = "abcdefg"[i];
        return `${name}: &${name} [${Array(9).fill(`*${before}`).join(",")}]`;
      }),
    ].join("\n");
    const bombs: string[] = [
      laughs,
      "[".repeat(1_000_000),
      "{".repeat(500_000),
      "- ".repeat(500_000),
      "? ".repeat(500_000),
      "a: ".repeat(300_000),
      Array.from({ length: 100_000 }, (_, i) => `k${i}: v`).join("\n"),
      `a: &a x\nb: [${"*a,".repeat(300_000)}]`,
      "---\n".repeat(200_000),
      `a: "${"\\u0041".repeat(150_000)}"`,
      `a: [${"1,".repeat(500_000)}]`,
      `a: ${"&a ".repeat(300_000)}`,
      "!!str ".repeat(150_000),
      "#".repeat(1_000_000),
      `${" ".repeat(900_000)}a: 1`,
      "\n".repeat(1_000_000),
      "a: |\n".concat(" b\n".repeat(300_000)),
      "x".repeat(1_048_577),
      specWith(`checks: [${"agent,".repeat(150_000)}]`),
      specWith(`"${"m".repeat(900_000)}": 1`),
    ];
    for (const bomb of bombs) {
      const startedAt = performance.now();
      await assertCode(read(bomb), "SPEC_INVALID", bomb.slice(0, 20));
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < 90_000, `${bomb.slice(0, 20)}… took ${Math.round(tookMs)} ms`);
    }
  }).timeout(120_000);

  it("fails with its own error only, whatever the text", async () => {
    const words = fc.constantFrom(
      ...[
        "spec:",
        "  machine: vm/a",
        "  checks:",
        "    - type: http",
        "---",
        "&a",
        "*a",
        "[",
        "]",
        "{",
        "}",
        "- ",
        "? ",
        ": ",
        "|",
        ">",
      ],
      ...[
        "!!str",
        "'",
        '"',
        "\n",
        "\n  ",
        "\t",
        "#",
        "%YAML 1.1",
        "null",
        "~",
        "1e3",
        "0x1",
        "\ufeff",
        "\0",
        "__proto__: ",
        "constructor: ",
      ],
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.array(words, { maxLength: 40 }).map((parts) => parts.join("")),
      fc
        .tuple(fc.nat(EVERY_FIELD.length), fc.nat(20), words)
        .map(([at, length, word]) => EVERY_FIELD.slice(0, at) + word + EVERY_FIELD.slice(at + length)),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        try {
          await readRestoreTestSpecs(text, "x.yaml");
        } catch (error) {
          if (!isOurError(error, "SPEC_INVALID")) throw error;
          for (const { line, column } of (error.data as { problems: FileProblem[] }).problems) {
            const lines = text.split("\n");
            assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
            assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `column ${column}`);
          }
        }
      }),
      { numRuns: 1500 },
    );
  }).timeout(60_000);

  it("knows every type of check", async () => {
    const types = new Set<CheckType>((await read(EVERY_FIELD)).machines[0]?.checks.map(({ type }) => type));
    assert.equal(types.size, 13);
  });
});
