// What a person reads who has mistyped something: the object's name, and what to do.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Context } from "../../cli/context.js";
import { writeError } from "../../core/restore/targetErrors.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, memoryLocation } from "./runInProcess.js";

interface ErrorDocument {
  error: { code: string; message: string; hint: string | null; data: Record<string, unknown> };
}

/** Five lines. */
const SPEC_HEAD = `apiVersion: reprise/v1
kind: RestoreTest
metadata: {name: web1}
spec:
  machine: vm/web1
`;

describe("hints", () => {
  let folder: TemporaryFolder;
  let disk: string;
  let env: Record<string, string>;
  before(async () => {
    folder = await makeTemporaryFolder("hints");
    disk = join(folder.path, "disk.raw");
    env = { REPRISE_REPOSITORY: memoryLocation() };
    await writeFile(disk, noise(1, 200_000));
    await cliJson(["init", "--no-encryption"], { env });
    for (let i = 0; i < 2; i++) await cliJson(["backup", disk, "-g", "vm/a"], { env });
  });
  after(() => folder.remove());

  const failing = async (args: string[], code: number) => (await cliJson<ErrorDocument>(args, { env, code })).error;

  it("a disk that is not there, or is none", async () => {
    const absent = await failing(["backup", join(folder.path, "absent"), "-g", "vm/a"], 2);
    assert.equal(absent.code, "SOURCE_NOT_FOUND");
    assert.match(absent.hint ?? "", /path/);
    await mkdir(join(folder.path, "dir"));
    const unsupported = await failing(["backup", join(folder.path, "dir"), "-g", "vm/a"], 2);
    assert.equal(unsupported.code, "SOURCE_UNSUPPORTED");
    assert.ok(unsupported.hint);
  });

  it("damage that no snapshot suffers from, and what removes it", async () => {
    const location = join(folder.path, "announced");
    const place = { env: { REPRISE_REPOSITORY: location } };
    await cliJson(["init", "--no-encryption"], place);
    const { snapshotId } = await cliJson<{ snapshotId: string }>(["backup", disk, "-g", "vm/a"], place);
    await mkdir(join(location, "sessions"), { recursive: true });
    await writeFile(join(location, "sessions", snapshotId), "overwritten");
    const damaged = await cli(["verify"], place);
    assert.equal(damaged.code, 1);
    assert.match(
      damaged.stdout + damaged.stderr,
      /no checked snapshot suffers from\n {2}announcements of backups .* gc removes/,
    );
    await cliJson(["gc"], place);
    assert.equal((await cli(["verify"], place)).code, 0);
  });

  it("a restore into a folder that is not there", async () => {
    const { sid } = await newest();
    const error = await failing(["restore", sid, "--to", join(folder.path, "nowhere", "x.raw")], 1);
    assert.equal(error.code, "TARGET_WRITE_FAILED");
    assert.match(error.hint ?? "", /make the folder/);
  });

  it("a full target is named, and a file that is too large is another thing", () => {
    const full = writeError("/x/disk.raw", "make /x/disk.raw", { code: "ENOSPC" }) as ErrorDocument["error"];
    const large = writeError("/x/disk.raw", "make /x/disk.raw", { code: "EFBIG" }) as ErrorDocument["error"];
    assert.deepEqual([full.code, large.code], ["TARGET_FULL", "TARGET_FULL"]);
    assert.match(full.hint ?? "", /free some space/);
    assert.match(large.hint ?? "", /too large for/);
    for (const { message } of [full, large]) assert.match(message, /disk\.raw/);
  });

  it("init speaks of the option, not of the config's member", async () => {
    const args = ["init", "-r", memoryLocation(), "--no-encryption", "--average-chunk", "100"];
    const error = await failing(args, 64);
    assert.match(error.message, /--average-chunk.*16K to 2M/);
  });

  it("an ambiguous name lists the shortest ids that differ, with machine and time", async () => {
    const list = await cliJson<unknown>(["snapshots"], { env });
    const [one] = list as { snapshotId: string; time: string }[];
    const same = (list as { time: string }[]).every(({ time }) => time === one?.time);
    if (!same) return; // the second backup was made in the next second
    const error = await failing(["show", `vm/a@${one?.time}`], 64);
    assert.equal(error.code, "SNAPSHOT_AMBIGUOUS");
    assert.match(error.message, /[0-9a-f]{8} \(vm\/a, \d{4}-/);
    assert.ok(!error.message.includes(one?.snapshotId as string));
  });

  it("a machine that does not exist", async () => {
    const listed = await cli(["snapshots", "-g", "vm/nosuch"], { env });
    assert.equal(listed.code, 0);
    assert.match(listed.stderr, /no machine vm\/nosuch.*vm\/a/);
    const pruned = await cliJson<{ warnings: { code: string; message: string }[] }>(
      ["prune", "-g", "vm/nosuch", "--keep-last", "1"],
      { env, code: 3 },
    );
    assert.equal(pruned.warnings[0]?.code, "MACHINE_UNKNOWN");
    assert.match(pruned.warnings[0]?.message ?? "", /vm\/nosuch/);
  });

  it("the only recovery key goes only by force", async () => {
    const secret = { REPRISE_REPOSITORY: memoryLocation(), REPRISE_PASSPHRASE: "a long passphrase" };
    await cliJson(["init"], { env: secret });
    const slots = await cliJson<unknown>(["key", "list"], { env: secret });
    const recovery = (slots as { slotId: string; type: string }[]).find(({ type }) => type === "recovery");
    const id = recovery?.slotId ?? "";
    const { error } = await cliJson<ErrorDocument>(["key", "remove", id], { env: secret, code: 64 });
    assert.equal(error.code, "KEY_SLOT_RECOVERY_LAST");
    assert.match(error.hint ?? "", /--force/);
    await cliJson(["key", "remove", id, "--force"], { env: secret });
  });

  it("the same warning is said once and counted", () => {
    const said: string[] = [];
    const printer = { warning: ({ message }: { message: string }) => said.push(message) };
    const io = { env: {}, stderr: { write: () => true } };
    const context = new Context({ io, printer, settings: {}, signal: AbortSignal.abort() } as never);
    for (const message of ["one", "two", "one", "one"]) context.onWarning({ code: "X", message });
    assert.deepEqual(said, ["one", "two"]);
    assert.deepEqual(
      context.warnings.map(({ message, count }) => [message, count]),
      [
        ["one", 3],
        ["two", undefined],
      ],
    );
  });

  it("two warnings about one object are one", () => {
    const said: string[] = [];
    const printer = { warning: ({ message }: { message: string }) => said.push(message) };
    const io = { env: {}, stderr: { write: () => true } };
    const context = new Context({ io, printer, settings: {}, signal: AbortSignal.abort() } as never);
    const warn = (code: string, object: string, message: string) =>
      context.onWarning({ code, message, data: { object } });
    warn("A", "index/1", "it is damaged");
    warn("A", "index/1", "it is damaged at byte 7");
    warn("A", "index/2", "it is damaged, too");
    warn("B", "index/1", "something else");
    assert.deepEqual(said, ["it is damaged", "it is damaged, too", "something else"]);
    assert.equal(context.warnings[0]?.count, 2);
  });

  it("every usage error says where to look", async () => {
    const lines = [
      ["repair", "foo"],
      ["repair", "snapshot", "--apply"],
      ["key", "foo"],
      ["verify", "--subset", "1/2"],
      ["verify", "--read-data", "--subset", "3/2"],
      ["prune", "--keep-last", "-1"],
      ["prune", "--keep-daily", "3", "--now", "2026"],
      ["tag", "vm/a@latest", "--add", "a", "--set", "b"],
      ["gc", "--max-unused", "7"],
      ["init", "--pack-size", "1K"],
      ["init", "--average-chunk", "3M"],
      ["init", "--object-lock"],
      ["init", "--runner", "arn:aws:iam::1:user/x"],
      ["init", "--print-policy", "s3-runner"],
      ["init", "--print-policy", "s3-runner", "-r", "s3:bucket", "--runner", "arn:aws:iam::1:user/x"],
      ["init", "--print-policy", "s3-bucket", "-r", "s3:bucket", "--runner", "me"],
      ["init", "--print-policy", "s3-bucket", "-r", "s3:bucket", "--proxy", "here"],
      ["init", "--print-policy", "s3-bucket", "-r", "s3:bucket", "--proxy", "192.0.2.7/33"],
      ["init", "--print-policy", "s3-keeper", "-r", "s3:bucket", "--proxy", "192.0.2.7"],
      ["init", "--print-policy", "haproxy", "-r", "s3:bucket"],
      ["init", "--proxy", "192.0.2.7"],
      ["restore", "vm/a@latest", "--to", "x", "--no-owner"],
      ["restore", "vm/a@latest", "--to", "-"],
      ["backup", disk, "-g", "vm/a", "--codec", "none", "--level", "3"],
      ["find", "vm/a@latest", "--newer", "yesterday"],
      ["show"],
    ];
    for (const line of lines) {
      const { code, hint, message } = await failing(line, 64);
      assert.equal(code, "COMMAND_LINE_INVALID", line.join(" "));
      assert.ok(hint, `${line.join(" ")}: ${message}`);
    }
    const subject = await failing(["repair", "snapshot"], 64);
    assert.match(subject.message, /repair: there is no "snapshot"/);
    assert.match(subject.hint ?? "", /did you mean repair snapshots\? its verbs are index, snapshots, config, rescue/);
    assert.equal((await failing(["key", "add", "x"], 64)).hint, "see reprise key add --help");
    assert.match(
      (await failing(["init", "--pack-size", "1K"], 64)).message,
      /--pack-size: "1K" is not a size from 1M to 64M/,
    );
    const zero = await cli(["prune", "--keep-last", "0"], { env });
    assert.match(zero.stdout, /a count of 0 turns a keep rule off/);
    const scheme = await failing(["snapshots", "-r", "ftp://host/x"], 2);
    assert.ok(!scheme.hint?.includes("memory"));
  });

  it("an option that is missing after a verb of a family: the help of that verb", async () => {
    const missing = await failing(["evidence", "verify", "x.jsonl", "--digest", "00"], 64);
    assert.match(missing.message, /--key/);
    assert.equal(missing.hint, "see reprise evidence verify --help");
    assert.equal((await failing(["--json", "evidence"], 64)).hint, "see reprise evidence --help");
  });

  it("a check that no spec has, with the names of those there are", async () => {
    const spec = async (name: string, checks: string) => {
      const path = join(folder.path, name);
      await writeFile(path, `${SPEC_HEAD}${checks}`);
      return path;
    };
    const none = await failing(["test", await spec("none.yaml", ""), "--check", "nope"], 64);
    assert.equal(none.hint, "the specs list no checks of their own; those of the level are always made");
    const named = await spec("named.yaml", "  checks:\n    - {type: tcp, id: port, port: 80}\n");
    assert.equal((await failing(["test", named, named, "--check", "nope"], 64)).hint, "there are: port");
  });

  it("the mistakes of a spec, one a line", async () => {
    const path = join(folder.path, "wrong.yaml");
    await writeFile(path, `${SPEC_HEAD}  timeout: 3\n  "a\\nb\\e[31m": 1\n`);
    const { stderr, code } = await cli(["test", path], { env });
    const lines = stderr.split("\n");
    assert.equal(code, 64);
    assert.equal(lines[0], `reprise: the spec ${path} has 2 mistakes [SPEC_INVALID]`);
    assert.equal(lines[1], `${path}:6:3: unknown field "timeout"; did you mean "timeouts"?`);
    assert.ok(lines[2]?.startsWith(`${path}:7:3: unknown field "a`), lines[2]);
    assert.match(lines[3] ?? "", /^ {2}docs\/restore-tests\.md/);
    assert.ok(!stderr.includes("\u001b"));
    const many = Array.from({ length: 23 }, (_, index) => `  unknown${index}: 1\n`).join("");
    await writeFile(path, `${SPEC_HEAD}${many}`);
    const told = (await cli(["test", path], { env })).stderr.split("\n");
    assert.match(told[0] ?? "", /has 23 mistakes/);
    assert.equal(told[21], "and 3 more mistakes");
    assert.equal((await failing(["test", path], 64)).data.count, 23);
  });

  it("a restore that failed says what it has left, and how it goes on", async () => {
    const local = join(folder.path, "repository");
    const at = { env: { REPRISE_REPOSITORY: local } };
    await cliJson(["init", "--no-encryption"], at);
    await writeFile(disk, noise(2, 3_000_000));
    await cliJson(["backup", disk, "-g", "vm/a"], at);
    const packs = await readdir(join(local, "packs"), { recursive: true, withFileTypes: true });
    for (const pack of packs.filter((entry) => entry.isFile())) {
      const path = join(pack.parentPath, pack.name);
      const bytes = await readFile(path);
      if (bytes.length > 1_000_000) await writeFile(path, bytes.fill(0x55, 1_000_000, 1_000_100));
    }
    const to = join(folder.path, "restored.raw");
    const { error } = await cliJson<ErrorDocument>(["restore", "vm/a@latest", "--to", to], { ...at, code: 1 });
    const [kept = ""] = error.data.kept as string[];
    assert.match(kept, /\/\.restored\.raw\.reprise-[0-9a-f]{32}\.partial$/);
    assert.ok((await stat(kept)).size > 0);
    assert.ok(error.hint?.includes(`kept in ${kept}: the same command goes on with it`));
    const fresh = await cliJson<ErrorDocument>(["restore", "vm/a@latest", "--to", to, "--no-resume"], {
      ...at,
      code: 1,
    });
    assert.equal(fresh.error.data.kept, undefined);
    await cliJson(["restore", "vm/a@latest", "--to", to, "--skip-damaged"], { ...at, code: 3 });
    await assert.rejects(stat(kept));
  });

  async function newest(): Promise<{ sid: string }> {
    const list = (await cliJson<unknown>(["snapshots"], { env })) as { snapshotId: string }[];
    return { sid: list.at(-1)?.snapshotId ?? "" };
  }
});
