import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isOurError } from "../../core/errors.js";
import { inProject } from "../support/projectRoot.js";
import { configOf, type NamedFiles, toldOf } from "./configText.js";

const EXAMPLE = readFileSync(inProject("test/config/example.yml"), "utf8");

/** Two repositories, machines with and without something to back up. Its last line is number 8. */
const HEAD = `repositories:
  main: {location: /srv/main}
  copy: {location: s3://bucket/copy}
machines:
  vm/web1: {disks: web1.img}
  vm/db1: {disks: db1.img}
  host/old:
jobs:
`;
const BACKUP = "  nightly: {backup: all, repository: main}\n  off: {sync: all, from: main, repository: copy}\n";
const SOUND = HEAD + BACKUP;

describe("a configuration", () => {
  it("uses a repository that only a gate by the branch names", async () => {
    const gates = `gates: {g: {keys: k.pub, repository: copy, rules: [{paths: a, machines: vm/web1}]}}\n`;
    const text = `${HEAD.replace("bucket/copy}", `bucket/copy, id: ${"0f".repeat(16)}}`)}  nightly: {backup: all, repository: main}\n${gates}`;
    const told = await toldOf(text, { "k.pub": "-----BEGIN PUBLIC KEY-----\n" });
    assert.deepEqual(
      told.filter((line) => line.includes("uses the repository")),
      [],
    );
    assert.ok(
      told.every((line) => line.includes("warning")),
      told.join("\n"),
    );
  });

  it("is read with every default", async () => {
    const { digest, ...config } = await configOf(SOUND);
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.equal(config.timeZone, "UTC");
    assert.deepEqual(config.warnings, []);
    assert.deepEqual(config.repositories[0], {
      name: "main",
      location: { kind: "text", text: "/srv/main" },
      id: null,
      passphrase: null,
      keeperKey: null,
      trustKeeper: null,
      bandwidthLimit: null,
      line: 2,
    });
    assert.deepEqual(config.machines[2], {
      ...{ machine: "host/old", description: "", owner: "", criticality: "", notes: "", line: 7 },
      ...{ disks: [], folders: [], configFiles: [], tags: [] },
    });
    assert.deepEqual(config.jobs[0], {
      ...{ name: "nightly", description: "", repository: "main", schedule: null, timeZone: "UTC", notify: [], line: 9 },
      ...{ command: "backup", machines: ["vm/web1", "vm/db1"], retention: null, verifyAfter: "none" },
      codec: { codec: "zstd", level: 3 },
    });
    assert.deepEqual(config.evidence, {
      branch: "reprise-evidence",
      remote: "origin",
      signingKey: null,
      publish: false,
      keepMs: 400 * 86_400_000,
    });
  });

  it("is read as it was written", async () => {
    const config = await configOf(EXAMPLE);
    assert.deepEqual(config.warnings, []);
    assert.equal(config.repositories[1]!.bandwidthLimit, 20 * 2 ** 20);
    assert.deepEqual(config.machines[2]!.folders, [
      { name: null, path: "/srv/files", exclude: ["*.tmp", "/cache/"], oneFileSystem: false },
    ]);
    const [nightly, proof, verify, copy, clean] = config.jobs;
    assert.equal(nightly!.schedule?.text, "mon..fri 02:30");
    assert.equal(nightly!.timeZone, "Europe/Berlin");
    assert.deepEqual(nightly!.notify, [{ name: "ops", on: "warned" }]);
    assert.deepEqual(proof!.notify, [{ name: "ops", on: "always" }]);
    assert.deepEqual(proof!.command === "restore-test" && proof!.tests, []);
    assert.deepEqual(verify!.command === "verify" && [verify!.slices, verify!.readData, verify!.machines], [
      4,
      true,
      [],
    ]);
    assert.deepEqual(copy!.command === "sync" && copy!.machines, ["vm/web1", "vm/db1", "vm/legacy"]);
    assert.equal(clean!.command === "prune" && clean!.retention.within?.years, 1);
    const [production] = config.gates;
    assert.deepEqual(production!.override, { label: "emergency", reasonPrefix: "Reprise-Override" });
    const [none, db, web] = production!.rules;
    assert.deepEqual(none!.machines, []);
    assert.deepEqual(db!.paths, ["db/", "migrations/**"]);
    assert.equal(db!.requirement.maxTestAgeMs, 7 * 86_400_000);
    assert.deepEqual(
      [web!.requirement.level, web!.requirement.rtoMs, web!.requirement.maxBackupAgeMs],
      ["serves", 15 * 60_000, 26 * 3_600_000],
    );
    assert.deepEqual(config.evidence, {
      ...{ branch: "reprise-evidence", remote: "origin", publish: true, keepMs: 400 * 86_400_000 },
      signingKey: { kind: "env", name: "REPRISE_SIGNING_KEY" },
    });
  });

  it("takes restore tests from files, each known by the bytes of its file", async () => {
    const spec = (name: string) =>
      `apiVersion: reprise/v1\nkind: RestoreTest\nmetadata: {name: ${name}}\nspec: {machine: vm/web1}\n`;
    const files = {
      "tests/a.yaml": `# one\n${spec("a")}---\n${spec("b")}`,
      "tests/deep/c.yaml": spec("c"),
      "d.yaml": spec("d"),
    };
    const text = `${SOUND}restore-tests:\n  - file: tests/*.yaml\n  - file: d.yaml\n  - {name: e, machine: vm/db1}\n`;
    const { restoreTests } = await configOf(text, files);
    assert.deepEqual(
      restoreTests.map(({ name, fileName, line }) => [name, fileName, line]),
      [
        ["a", "tests/a.yaml", 2],
        ["b", "tests/a.yaml", 7],
        ["d", "d.yaml", 1],
        ["e", "reprise.yml", 14],
      ],
    );
    assert.equal(restoreTests[0]!.specDigest, restoreTests[1]!.specDigest);
    const deep = await configOf(`${SOUND}restore-tests: [{file: tests/**/*.yaml}]\n`, files);
    assert.deepEqual(
      deep.restoreTests.map(({ name }) => name),
      ["a", "b", "c"],
    );
  });

  it("knows an inline test by its own fields, wherever it stands", async () => {
    const digestOf = async (text: string) => (await configOf(text)).restoreTests.at(-1)!.specDigest;
    const one = await digestOf(`${SOUND}restore-tests:\n  - {name: e, machine: vm/db1, level: boots}\n`);
    assert.equal(await digestOf(`# x\n${SOUND}restore-tests: [{level: boots, machine: vm/db1, name: e}]\n`), one);
    const asDocument = "{metadata: {name: e}, spec: {machine: vm/db1, level: boots}}";
    assert.equal(await digestOf(`${SOUND}restore-tests: [${asDocument}]\n`), one);
    assert.notEqual(await digestOf(`${SOUND}restore-tests: [{level: readable, machine: vm/db1, name: e}]\n`), one);
  });

  const spec = "restore-tests:\n  - {name: web, machine: vm/web1, level: boots}\n";
  const gate = (rest: string) => `${SOUND}${spec}gates:\n  g:\n    keys: keys/evidence.pub\n    rules:\n${rest}`;
  const mistakes: [name: string, text: string, told: (string | RegExp)[], files?: NamedFiles][] = [
    ["an empty file", "", ["1:1 error: the file is empty: there is no configuration in it"]],
    ["two documents", "jobs: {}\n---\njobs: {}\n", [/^1:1 error: the file has several documents/]],
    ["no map at all", "- a\n", [/^1:1 error: the document must be a group of fields/]],
    ["an unknown part", "repos: {}\n", [/^1:1 error: unknown field "repos"; there are/]],
    ["a key given twice", "jobs: {}\njobs: {}\n", ['2:1 error: "jobs" is given twice']],
    ["a bad name", "repositories: {a b: {location: x}}\n", [/^1:16 error: "a b" must be a name of letters/]],
    ["a bad machine", "machines: {web1: {}}\n", [/^1:12 error: "web1" must be a machine such as vm\/web1/]],
    [
      "two disks of one name",
      "machines:\n  vm/a: {disks: [/x/s/a.img, /y/s/a.raw]}\n",
      [/^2:30 error: two parts of vm\/a have the name s-a; give it a name/],
    ],
    [
      "two parts with one name",
      "machines:\n  vm/a: {disks: [{path: /x, name: r}, {path: /y, name: r}]}\n",
      [/^2:56 error: two parts of vm\/a have the name r$/],
    ],
    ["a disk twice", "machines:\n  vm/a: {disks: [/x, /x]}\n", [/^2:22 error: \/x is listed twice/]],
    [
      "a repository called branch",
      "repositories: {branch: {location: x}}\n",
      [/^1:16 error: a repository must not be/],
    ],
    ["an unknown time zone", "time-zone: Europe/Berln\n", [/^1:12 error: time zone "Europe\/Berln" is not known/]],
    [
      "a star without quotes",
      "jobs:\n  a:\n    verify: all\n    schedule: */5 * * * *\n",
      [/^4:19 error: a text that begins with \* needs quotes/, /./, /./, /./],
    ],
    ["no location", "repositories:\n  main: {}\n", ['2:3 error: "location" is missing in main']],
    [
      "a written secret",
      "repositories:\n  main: {location: x, passphrase: hunter2}\n",
      [/^2:35 error: passphrase must be a reference to a secret: env:NAME, or file:PATH; a secret is never written/],
    ],
    [
      "a number as a secret",
      "repositories:\n  main: {location: x, passphrase: 482915}\n",
      [/^2:35 error: passphrase must be a reference/],
    ],
    [
      "a key in a location",
      "repositories:\n  main: {location: 's3:https://AKIA:hunter2@h/b'}\n",
      [/^2:20 error: location: an S3 location must not hold credentials/],
    ],
    [
      "a password in a location",
      "repositories:\n  main: {location: 'sftp://me:hunter2@h/b'}\n",
      [/^2:20 error: location: .*password/],
    ],
    [
      "an unknown kind of location",
      "repositories:\n  main: {location: 'https://h/b'}\n",
      [/^2:20 error: location must be a folder/],
    ],
    [
      "names that mean one variable",
      "repositories:\n  a-b: {location: x}\n  a_b: {location: y}\n",
      [/^3:3 error: a_b and a-b are too much alike/],
    ],
    [
      "a rate that is none",
      "repositories:\n  main: {location: x, bandwidth-limit: fast}\n",
      [/^2:40 error: bandwidth-limit must be a rate/],
    ],
    [
      "no command",
      `${HEAD}  j: {repository: main}\n`,
      ["9:3 error: the job j needs exactly one of backup, verify, restore-test, prune, sync; it has none"],
    ],
    [
      "two commands",
      `${HEAD}  j: {repository: main, backup: all, verify: all}\n`,
      [/^9:38 error: .*it has backup and verify$/],
    ],
    [
      "no repository",
      `${HEAD}  j: {verify: all}\n`,
      [/^9:3 error: "repository" is missing: which one .*\(main, copy\)/],
    ],
    [
      "an unknown repository",
      `${HEAD}  j: {verify: all, repository: mian}\n`,
      ['9:32 error: there is no repository "mian" in this file; did you mean "main"?'],
    ],
    [
      "an unknown machine",
      `${HEAD}  j: {backup: [vm/web2], repository: main}\n`,
      ['9:16 error: there is no machine "vm/web2" in this file; did you mean "vm/web1"?'],
    ],
    [
      "a machine twice",
      `${HEAD}  j: {backup: [vm/web1, vm/web1], repository: main}\n`,
      ["9:25 error: vm/web1 is listed twice"],
    ],
    [
      "a machine with nothing",
      `${HEAD}  j: {backup: host/old, repository: main}\n`,
      [/^9:15 error: host\/old has nothing to back up/],
    ],
    [
      "a pattern for nothing",
      `${HEAD}  j: {verify: ct/*, repository: main}\n`,
      ['9:15 error: "ct/*" matches no machine of this file'],
    ],
    [
      "all and more",
      `${HEAD}  j: {backup: [all, vm/web1], repository: main}\n`,
      [/^9:16 error: all stands alone/, /./],
    ],
    [
      "no machines",
      `${HEAD}  j: {prune: [], repository: main, retention: {last: 1}}\n`,
      [/^9:14 error: names no machine/],
    ],
    [
      "a bad schedule",
      `${HEAD}  j: {verify: all, repository: main, schedule: 25:00}\n`,
      [/^9:48 error: schedule: "25:00" is no schedule: the hour 25/],
    ],
    [
      "a field of another command",
      `${HEAD}  j: {verify: all, repository: main, gc: true}\n`,
      ["9:38 error: gc belongs to prune jobs; this one is verify"],
    ],
    ["no retention", `${HEAD}  j: {prune: all, repository: main}\n`, [/^9:3 error: "retention" is missing/]],
    [
      "a retention of nothing",
      `${HEAD}  j: {prune: all, repository: main, retention: {daily: 0}}\n`,
      [/^9:37 error: retention has no rule above 0/],
    ],
    [
      "a span of nonsense",
      `${HEAD}  j: {prune: all, repository: main, retention: {within: soon}}\n`,
      [/^9:57 error: within: "soon" is not a duration/],
    ],
    [
      "a sync with itself",
      `${HEAD}  j: {sync: all, repository: main, from: main}\n`,
      ["9:42 error: main would be copied to itself"],
    ],
    ["a sync from nowhere", `${HEAD}  j: {sync: all, repository: main}\n`, [/^9:3 error: "from" is missing/]],
    [
      "slices without data",
      `${HEAD}  j: {verify: all, repository: main, slices: 3}\n`,
      [/^9:38 error: slices are parts of the data/],
    ],
    [
      "a level for lz4",
      `${HEAD}  j: {backup: all, repository: main, codec: lz4, level: 3}\n`,
      ["9:57 error: level is for zstd, not for lz4"],
    ],
    [
      "an unknown notification",
      `${HEAD}  j: {verify: all, repository: main, notify: ops}\n`,
      [/^9:46 error: there is no notification "ops" in this file; it names none/],
    ],
    [
      "an unknown test",
      `${HEAD}  j: {restore-test: web2, repository: main}\n${spec}`,
      [/^9:21 error: there is no restore test "web2"/],
    ],
    [
      "a mistake in a test",
      `${SOUND}restore-tests:\n  - {name: web, machine: vm/web1, lvl: boots}\n`,
      [/^12:35 error: unknown field "lvl"/],
    ],
    [
      "a mistake in a whole test",
      `${SOUND}restore-tests:\n  - metadata: {name: web}\n    spec:\n      machine: vm/web1\n      timeouts: {boot: long}\n`,
      [/^15:24 error: boot must be a duration/],
    ],
    [
      "a contradiction in a test",
      `${SOUND}restore-tests:\n  - {name: web, machine: vm/web1, level: serves}\n`,
      [/^12:42 error: level: serves needs a check/],
    ],
    ["a test without a name", `${SOUND}restore-tests:\n  - {machine: vm/web1}\n`, [/^12:5 error: "name" is missing/]],
    ["a test that is a word", `${SOUND}restore-tests: [web]\n`, [/^11:17 error: a restore test is a group of fields/]],
    [
      "two tests of one name",
      `${SOUND}${spec}  - {name: web, machine: vm/db1}\n`,
      ["13:5 error: two restore tests have the name web: reprise.yml:12 and reprise.yml:13"],
    ],
    [
      "a file that is not there",
      `${SOUND}restore-tests: [{file: x.yaml}]\n`,
      ["11:24 error: file: x.yaml cannot be read (ENOENT)"],
    ],
    [
      "a pattern for no file",
      `${SOUND}restore-tests: [{file: 'x/*.yaml'}]\n`,
      ['11:24 error: file: "x/*.yaml" matches no file'],
    ],
    [
      "a file and a field",
      `${SOUND}restore-tests: [{file: x.yaml, level: boots}]\n`,
      [/^11:24 error: file: x/, /^11:32 error: level cannot stand beside file/],
    ],
    [
      "a mistake in a file",
      `${SOUND}restore-tests: [{file: x.yaml}]\n`,
      [/^x\.yaml:1:1 error: "apiVersion" is missing/, /./, /./, /./, /./],
      { "x.yaml": "a: 1\n" },
    ],
    [
      "a gate without keys",
      gate("      - {paths: a, machines: vm/web1}\n").replace("    keys: keys/evidence.pub\n", ""),
      [/^14:3 error: "keys" is missing/],
    ],
    [
      "a gate by a repository without an id",
      gate("      - {paths: a, machines: vm/web1}\n    repository: main\n"),
      [/^18:17 error: main needs an "id"/],
    ],
    [
      "a gate with two repositories",
      gate("      - {paths: a, machines: vm/web1}\n    evidence: main\n    repository: main\n"),
      [/^19:5 error: repository is for gates by the evidence branch/],
    ],
    [
      "a gate of nowhere",
      gate("      - {paths: a, machines: vm/web1}\n    evidence: somewhere\n"),
      [/^18:15 error: there is no repository "somewhere"/],
    ],
    [
      "a gate for strangers",
      gate("      - {paths: a, machines: vm/web9}\n"),
      [/^17:30 error: there is no machine "vm\/web9"/],
    ],
    [
      "a rule with an empty list of machines",
      gate("      - {paths: a, machines: []}\n"),
      ["17:30 error: machines is empty: write none where no machine is required"],
    ],
    ["a rule without machines", gate("      - {paths: a}\n"), [/^17:9 error: "machines" is missing/]],
    [
      "a requirement for nothing",
      gate("      - {paths: a, machines: none, level: boots}\n"),
      ["17:36 error: level says nothing where no machine is required"],
    ],
    [
      "an exclamation mark",
      gate("      - {paths: '!a', machines: vm/web1}\n"),
      [/^17:17 error: a pattern cannot be negated/],
    ],
    [
      "a private key",
      gate("      - {paths: a, machines: vm/web1}\n"),
      [/^15:5 error: keys\/evidence\.pub is a private key/],
      { "keys/evidence.pub": "-----BEGIN PRIVATE KEY-----" },
    ],
    [
      "a webhook in the open",
      "notifications:\n  ops: {webhook: 'https://hooks.example.org/T0/hunter2'}\n",
      [/^2:18 error: webhook must be a reference to a secret/],
    ],
    [
      "neither mail nor webhook",
      "notifications:\n  ops: {format: slack}\n",
      [/^2:3 error: the notification ops needs either webhook or mail/],
    ],
    [
      "a password of a mail server",
      "notifications:\n  ops: {mail: a@b.c, from: a@b.c, server: 'smtp://me:hunter2@h'}\n",
      [/^2:43 error: server must not hold a password/],
    ],
    [
      "a token in a remote",
      "evidence: {remote: 'https://hunter2@h/r'}\n",
      [/^1:20 error: remote must not hold credentials/],
    ],
    ["a remote that runs programs", "evidence: {remote: 'ext::sh -c x'}\n", [/^1:20 error: remote /]],
    ["a branch that is none", "evidence: {branch: a..b}\n", [/^1:20 error: branch is no name/]],
  ];
  for (const [name, text, expected, files] of mistakes) {
    it(`says where there is ${name}`, async () => {
      const told = await toldOf(text, files);
      assert.equal(told.length, expected.length, told.join("\n"));
      expected.forEach((wanted, i) => {
        if (typeof wanted === "string") assert.equal(told[i], wanted);
        else assert.match(told[i]!, wanted);
      });
      assert.ok(!told.join("\n").includes("hunter2"), "a secret is not repeated");
      await assert.rejects(configOf(text, files), (error) => {
        assert.ok(isOurError(error, "CONFIG_INVALID"));
        assert.ok(!JSON.stringify([error.message, error.data, error.hint]).includes("hunter2"));
        return true;
      });
    });
  }

  const oddities: [name: string, text: string, told: RegExp[]][] = [
    [
      "a machine that nobody backs up",
      `${HEAD}  j: {verify: all, repository: main}\n  k: {verify: all, repository: copy}\n`,
      [/^5:3 warning: no job .* vm\/web1/, /^6:3 warning: no job .* vm\/db1/],
    ],
    [
      "a gate for a machine that nobody tests",
      gate("      - {paths: a, machines: vm/db1}\n"),
      [/^17:30 warning: no restore test of this file tests vm\/db1/],
    ],
    [
      "a gate that asks for more than is proven",
      gate("      - {paths: a, machines: vm/web1, level: serves}\n"),
      [/^17:46 warning: .* is serves/],
    ],
    [
      "a gate that asks for an unknown check",
      gate("      - {paths: a, machines: vm/web1, checks: [x]}\n"),
      [/^17:47 warning: .* the check x/],
    ],
    [
      "a key that is not there",
      gate("      - {paths: a, machines: vm/web1}\n").replace("evidence.pub", "other.pub"),
      [/^15:5 warning: the key keys\/other\.pub cannot be read/],
    ],
    [
      "a gate by repository without keys",
      gate("      - {paths: a, machines: vm/web1}\n").replace("keys: keys/evidence.pub", "evidence: main"),
      [/^14:3 warning: without keys/],
    ],
    [
      "a pattern that stands again",
      gate("      - {paths: a, machines: vm/web1}\n      - {paths: a, machines: none}\n"),
      [/^17:17 warning: "a" stands in a later rule again/],
    ],
    [
      "a schedule that is over",
      `${SOUND}  j: {verify: all, repository: main, schedule: 2020-1-1}\n`,
      [/^11:48 warning: the schedule of j has no run left/],
    ],
    [
      "a repository without use",
      `${HEAD}  nightly: {backup: all, repository: main}\n`,
      [/^3:3 warning: no job and no gate uses the repository copy/],
    ],
    [
      "a test of a stranger",
      `${SOUND}restore-tests: [{name: x, machine: vm/other}]\n`,
      [/^11:16 warning: .* tests vm\/other, which is not below machines/],
    ],
    [
      "a test that no job makes",
      `${SOUND}  t: {restore-test: web, repository: main}\n${spec}  - {name: db, machine: vm/db1}\n`,
      [/^12:1|^13:3 warning: no job makes the restore test db/],
    ],
    [
      "two retentions",
      `${SOUND}  p: {prune: all, repository: main, retention: {last: 1}}\n  q: {prune: vm/web1, repository: main, retention: {last: 2}}\n`,
      [/^12:41 warning: p keeps other snapshots of vm\/web1 than q/],
    ],
    [
      "two names of one place",
      "repositories:\n  a: {location: /x}\n  b: {location: /x}\n",
      [/^3:17 warning: b and a are the same place/],
    ],
    [
      "a notification for nobody",
      `${SOUND}notifications: {ops: {webhook: 'env:X'}}\n`,
      [/^11:17 warning: no job notifies ops/],
    ],
  ];
  for (const [name, text, expected] of oddities) {
    it(`warns of ${name}`, async () => {
      const told = await toldOf(text);
      assert.equal(told.length, expected.length, told.join("\n"));
      expected.forEach((wanted, i) => {
        assert.match(told[i]!, wanted);
      });
      assert.equal((await configOf(text)).warnings.length, expected.length);
    });
  }

  it("names places in files that it names, beside its own", async () => {
    const told = await toldOf(`${SOUND}restore-tests: [{file: x.yaml}]\n`, {
      "x.yaml": "kind: RestoreTest\nspec: {}\n",
    });
    assert.ok(
      told.every((line) => line.startsWith("x.yaml:")),
      told.join("\n"),
    );
  });
});
