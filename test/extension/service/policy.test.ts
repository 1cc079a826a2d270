import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, symlink, writeFile } from "node:fs/promises";
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
    const { asOfMs, previews } = await service.client.call("keepPreview", argument);
    assert.ok(Date.now() - asOfMs < 60_000);
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

  it("says that a storage is gone, and never that there is no backup", async () => {
    const { location } = sample;
    const ask = (policy: { path: string; text: string; trusted: boolean; repositoryName: string } | null) =>
      service.client.call("machineStates", { repository: info.handle, policy, maxAgeMs: -1 });
    await rename(location, `${location}.away`);
    try {
      const refreshed = service.client.call("catalog", { repository: info.handle, refresh: true });
      const { code } = await refreshed.then(
        () => assert.fail("it was read"),
        (error: { code: string }) => error,
      );
      await failure(ask(null), code);
      await failure(ask({ path: at("reprise.yml"), text: POLICY, trusted: true, repositoryName: "main" }), code);
    } finally {
      await rename(`${location}.away`, location);
    }
    assert.equal((await ask(null)).length, 2);
  });

  describe("about gates", () => {
    let top: string;
    const git = (...args: string[]) => promisify(execFile)("git", ["-C", top, ...IDENTITY, ...args]);
    const commit = async (path: string, text: string) => {
      await writeFile(join(top, path), text);
      await git("add", ".");
      await git("commit", "-q", "-m", path);
    };
    const decide = (secret?: string, gate: string | null = null) => {
      const secrets = secret === undefined ? [] : [{ location: sample.location, secret }];
      return service.client.call("gate", { folder: top, configPath: "reprise.yml", gate, base: "main", secrets });
    };

    beforeEach(async () => {
      top = await mkdtemp(join(folder.path, "change-"));
      await mkdir(join(top, "db"));
      await git("init", "-q", "-b", "main");
      await commit("reprise.yml", POLICY.replace("backups}", `"${sample.location}"}`));
      await git("checkout", "-q", "-b", "change");
    });

    it("decides about what is committed since the base, with the passphrase that was typed for exactly this place", async () => {
      await commit("README", "");
      const [free] = await decide();
      assert.deepEqual([free?.gate, free?.data?.decision, free?.data?.changedFiles], ["production", "not-needed", 1]);
      await commit("db/two.sql", "");
      const codes = async (secret?: string) =>
        (await decide(secret))[0]?.data?.machines.flatMap(({ reasons }) => reasons.map(({ code }) => code));
      assert.equal((await codes())?.[0], "repository-unreadable");
      const [shut] = await decide(SAMPLE_PASSPHRASE);
      assert.equal(shut?.data?.decision, "blocked");
      const [machine] = shut?.data?.machines ?? [];
      assert.deepEqual([machine?.machine, machine?.files, machine?.line], ["prod:vm/web1", ["db/two.sql"], 28]);
      assert.deepEqual(await codes(SAMPLE_PASSPHRASE), ["level-too-low"]);
      await symlink(sample.location, join(folder.path, "linked"));
      const secrets = [{ location: join(folder.path, "other"), secret: SAMPLE_PASSPHRASE }];
      const elsewhere = { folder: top, configPath: "reprise.yml", gate: null, base: "main", secrets };
      const [unread] = await service.client.call("gate", elsewhere);
      assert.equal(unread?.data?.machines[0]?.reasons[0]?.code, "repository-unreadable");
      const linked = [{ location: `${join(folder.path, "linked")}/`, secret: SAMPLE_PASSPHRASE }];
      const [read] = await service.client.call("gate", { ...elsewhere, secrets: linked });
      assert.equal(read?.data?.machines[0]?.reasons[0]?.code, "level-too-low");
    });

    it("decides each gate of the base's policy, whatever the work tree says", async () => {
      await git("checkout", "-q", "main");
      const rules = "    evidence: main\n    rules:\n      - {paths: [web/], machines: prod:vm/web1}\n";
      const two = `${POLICY.replace("backups}", `"${sample.location}"}`)}  staging:\n${rules}`;
      await commit("reprise.yml", two);
      await git("checkout", "-q", "change");
      await git("merge", "-q", "main");
      await commit("db/three.sql", "");
      await writeFile(join(top, "reprise.yml"), "nonsense");
      const answers = await decide(SAMPLE_PASSPHRASE);
      assert.deepEqual(
        answers.map(({ gate, data }) => [gate, data?.decision]),
        [
          ["production", "blocked"],
          ["staging", "not-needed"],
        ],
      );
      const [unknown] = await decide(undefined, "nobody");
      assert.deepEqual([unknown?.data, unknown?.problem?.code], [null, "GATE_UNKNOWN"]);
    });

    it("leaves no gate out: a policy with more than it would ask is a mistake", async () => {
      await git("checkout", "-q", "main");
      const rules = "    evidence: main\n    rules:\n      - {paths: [web/], machines: prod:vm/web1}\n";
      const more = Array.from({ length: 50 }, (_, n) => `  gate${n}:\n${rules}`).join("");
      await commit("reprise.yml", `${POLICY.replace("backups}", `"${sample.location}"}`)}${more}`);
      await failure(decide(SAMPLE_PASSPHRASE), "CONFIG_INVALID");
    });

    it("has nothing to decide without a gate", async () => {
      await git("checkout", "-q", "main");
      await commit("reprise.yml", POLICY.slice(0, POLICY.indexOf("gates:")));
      assert.deepEqual(await decide(), []);
    });
  });
});
