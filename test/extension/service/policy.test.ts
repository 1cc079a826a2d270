import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ArgumentOf, RepositoryInfo } from "../../../extension/service/protocol.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, type StartedService, startService } from "../support/startService.js";

const POLICY = `repositories:
  main: {location: backups}
  other: {location: env:NOBODY_SETS_THIS}
machines:
  prod:vm/web1:
    owner: team-web
    disks: disk.img
jobs:
  nightly:
    repository: main
    backup: all
    schedule: mon..fri 02:30
    time-zone: Europe/Paris
    retention: {daily: 1, within: 1h}
  spare:
    repository: other
    verify: all
restore-tests:
  - name: web1
    machine: prod:vm/web1
    level: intact
    checks:
      - {id: everything, type: chunks}
gates:
  production:
    evidence: main
    rules:
      - {paths: [db/, nothing/here], machines: prod:vm/web1}
`;

const IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];

describe("the service about policies", () => {
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  let sample: SampleRepository;
  let service: StartedService;
  let info: RepositoryInfo;
  const at = (name: string) => join(folder.path, name);
  const policy = (text: string, trusted = true) =>
    service.client.call("readPolicy", { path: at("reprise.yml"), text, trusted });
  const testArgument = (): ArgumentOf<"runTest"> => ({
    ...{ repository: info.handle, path: at("reprise.yml"), text: POLICY, test: "web1", machine: null, checks: null },
    ...{ reportFolder: at("reports"), toolFolder: null },
  });

  before(async () => {
    folder = await makeTemporaryFolder("policy");
    await mkdir(at("db"));
    await mkdir(at(".git"));
    await writeFile(at("db/one.sql"), "");
    sample = await makeSampleRepository();
    service = startService();
    info = await service.open(sample.location, SAMPLE_PASSPHRASE);
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
    await folder?.remove();
  });

  it("tells mistakes with their places, and nothing else then", async () => {
    const data = await policy(POLICY.replace("schedule:", "shedule:"));
    assert.equal(data.sound, false);
    const [problem] = data.problems;
    assert.deepEqual([problem?.line, problem?.column, problem?.severity, problem?.file], [12, 5, "error", null]);
    assert.match(problem?.message ?? "", /did you mean "schedule"/);
    assert.deepEqual(data.machines, []);
  });

  it("tells what was understood: names with lines, runs, retention, tests, patterns without files", async () => {
    const data = await policy(POLICY);
    assert.equal(data.sound, true, JSON.stringify(data.problems));
    assert.deepEqual(
      data.repositories.map(({ name, location, line }) => [name, location, line]),
      [
        ["main", at("backups"), 2],
        ["other", null, 3],
      ],
    );
    assert.deepEqual(data.machines, [{ machine: "prod:vm/web1", owner: "team-web", line: 5 }]);
    const [nightly] = data.jobs;
    assert.equal(nightly?.schedule?.words, "Monday to Friday at 02:30");
    assert.equal(nightly?.schedule?.nextRunsMs.length, 5);
    assert.deepEqual(nightly?.keep, { counts: { daily: 1 }, within: "1h" });
    const [test] = data.restoreTests;
    assert.deepEqual([test?.name, test?.file, test?.line], ["web1", at("reprise.yml"), 19]);
    assert.deepEqual(
      test?.machines.map(({ machine, level, checks }) => [machine, level, checks.map(({ id, line }) => [id, line])]),
      [["prod:vm/web1", "intact", [["everything", 23]]]],
    );
    assert.deepEqual(data.patterns, [{ pattern: "nothing/here", line: 28 }]);
    assert.ok(data.problems.every(({ severity }) => severity === "warning"));
  });

  it("reads no file elsewhere for a workspace without trust", async () => {
    const outside = "restore-tests:\n  - file: ../../etc/hostname\n  - file: /etc/hostname\n";
    const { problems } = await policy(outside, false);
    assert.equal(problems.length, 2);
    assert.ok(
      problems.every(({ message }) => /cannot be read/.test(message)),
      JSON.stringify(problems),
    );
  });

  it("names the files that a policy depends on, also when they have mistakes", async () => {
    const text = "restore-tests:\n  - file: elsewhere/web.yaml\n  - file: gone.yaml\n";
    const { named, sound } = await policy(text);
    assert.equal(sound, false);
    assert.deepEqual(named.files, [at("elsewhere/web.yaml"), at("gone.yaml")]);
    assert.deepEqual((await policy(POLICY)).named, { files: [], folders: [] });
  });

  it("reads specs with the lines where they begin", async () => {
    const spec = (name: string) =>
      `apiVersion: reprise/v1\nkind: RestoreTest\nmetadata: {name: ${name}}\nspec: {machine: vm/a, level: intact}\n`;
    const read = (text: string) => service.client.call("readSpecs", { path: at("a.restore-test.yaml"), text });
    const { restoreTests, problems } = await read(`${spec("one")}---\n${spec("two")}`);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      restoreTests.map(({ name, line }) => [name, line]),
      [
        ["one", 1],
        ["two", 6],
      ],
    );
    const wrong = await read(spec("one").replace("intact", "perfect"));
    assert.deepEqual([wrong.restoreTests, wrong.problems[0]?.line], [[], 4]);
  });

  it("says how machines stand, and what a retention would keep of them", async () => {
    const states = await service.client.call("machineStates", {
      repository: info.handle,
      policy: { path: at("reprise.yml"), text: POLICY, trusted: true, repositoryName: "main" },
    });
    assert.deepEqual(
      states.map(({ machine, snapshots, lastTest }) => [machine, snapshots, lastTest]),
      [
        ["prod:vm/web1", 3, null],
        ["vm/odd", 1, null],
      ],
    );
    const keep = { counts: { last: 1 }, within: null };
    const argument = { repository: info.handle, machines: [], keep, timeZone: "UTC" };
    const previews = await service.client.call("keepPreview", argument);
    assert.deepEqual(
      previews.map(({ machine, keeps, removes }) => [machine, keeps, removes]),
      [
        ["prod:vm/web1", 1, 2],
        ["vm/odd", 1, 0],
      ],
    );
  });

  it("runs a restore test, tells its checks, writes its report and stores its record", async () => {
    const events: unknown[] = [];
    const run = await service.client.call("runTest", testArgument(), { onEvent: (event) => events.push(event) });
    assert.deepEqual(run.untested, []);
    const [machine] = run.machines;
    assert.deepEqual([machine?.machine, machine?.outcome, machine?.provenLevel], ["prod:vm/web1", "passed", "intact"]);
    assert.equal(machine?.checks.find(({ id }) => id === "everything")?.line, 23);
    const seen = events.map((event) => (event as { event: string }).event);
    assert.ok(["machine-started", "phase", "check", "machine-finished"].every((name) => seen.includes(name)));
    const states = await service.client.call("machineStates", { repository: info.handle, policy: null });
    assert.equal(states[0]?.lastTest?.provenLevel, "intact");
    const unknown = { ...testArgument(), test: "web2" };
    await failure(service.client.call("runTest", unknown), "RESTORE_TEST_UNKNOWN");
  });

  it("stores nothing of a part of the checks, which would hide that others failed", async () => {
    const lastTest = async () => {
      const states = await service.client.call("machineStates", { repository: info.handle, policy: null });
      return states[0]?.lastTest;
    };
    const text = POLICY.replace("{id: everything, ", "{id: everything-else, ");
    const before = await lastTest();
    const { machines } = await service.client.call("runTest", { ...testArgument(), text, checks: ["everything-else"] });
    const asked = machines[0]?.checks.find(({ id }) => id === "everything-else");
    assert.equal(asked?.outcome, "passed");
    assert.deepEqual(await lastTest(), before);
  });

  it("cannot decide a gate where there is no git repository", async () => {
    const argument = { folder: sample.folder, configPath: "reprise.yml", gate: null, base: "HEAD" };
    const error = await service.client.call("gate", argument).then(
      () => assert.fail("it decided"),
      (reason: { code?: string }) => reason,
    );
    assert.match(error.code ?? "", /^GIT_/);
  });

  it("decides the gate of what is committed since the base", async () => {
    const top = at("change");
    await mkdir(join(top, "db"), { recursive: true });
    const git = (...args: string[]) => promisify(execFile)("git", ["-C", top, ...IDENTITY, ...args]);
    const gated = POLICY.replace("backups}", `"${sample.location}", passphrase: "file:../secret"}`);
    await writeFile(at("secret"), `${SAMPLE_PASSPHRASE}\n`);
    await writeFile(join(top, "reprise.yml"), gated);
    await git("init", "-q", "-b", "main");
    await git("add", ".");
    await git("commit", "-q", "-m", "policy");
    await git("checkout", "-q", "-b", "change");
    const decide = () =>
      service.client.call("gate", { folder: top, configPath: "reprise.yml", gate: null, base: "main" });
    await writeFile(join(top, "README"), "");
    await git("add", ".");
    await git("commit", "-q", "-m", "words");
    assert.deepEqual([(await decide()).decision, (await decide()).changedFiles], ["not-needed", 1]);
    await writeFile(join(top, "db/two.sql"), "");
    await git("add", ".");
    await git("commit", "-q", "-m", "data");
    const shut = await decide();
    assert.equal(shut.decision, "blocked");
    const [machine] = shut.machines;
    assert.deepEqual([machine?.machine, machine?.files, machine?.line], ["prod:vm/web1", ["db/two.sql"], 28]);
    assert.deepEqual(
      machine?.reasons.map(({ code }) => code),
      ["level-too-low"],
    );
  });
});
