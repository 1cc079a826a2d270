import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { CANNOT_BEGIN, EXIT, EXIT_OF_FAMILY, exitCodeOf, OutputClosed } from "../../cli/exitCodes.js";
import { Interruption } from "../../cli/interruption.js";
import type { HelpDocument } from "../../cli/program.js";
import { runCli } from "../../cli/runCli.js";
import { VERSION } from "../../cli/version.js";
import { type ErrorFamily, RepriseError } from "../../core/errors.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, memoryLocation } from "./runInProcess.js";

interface ErrorDocument {
  error: { code: string; family: string; message: string; hint: string | null; data: Record<string, unknown> };
}

async function flipByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 0x40;
  await writeFile(path, bytes);
}

describe("exit codes", () => {
  it("follow the family of the error, but for what keeps the work from beginning", () => {
    const codeOf = (family: ErrorFamily, code: string) => exitCodeOf(new RepriseError(family, code, "x"));
    const families = Object.entries(EXIT_OF_FAMILY) as [ErrorFamily, number][];
    for (const [family, code] of families) assert.equal(codeOf(family, "X"), code, family);
    assert.equal(codeOf("source", "SOURCE_READ_FAILED"), 1);
    for (const code of CANNOT_BEGIN) assert.equal(codeOf("source", code), 2, code);
    assert.equal(exitCodeOf(new TypeError("bug")), 1);
    assert.equal(exitCodeOf(new Interruption("SIGINT")), 130);
    assert.equal(exitCodeOf(new Interruption("SIGTERM")), 143);
    assert.equal(exitCodeOf(new OutputClosed()), 141);
  });

  it("stand in the table of docs/cli.md with their families and codes, which are those of docs/errors.md", async () => {
    const page = await readFile(inProject("docs/cli.md"), "utf8");
    const errors = await readFile(inProject("docs/errors.md"), "utf8");
    const rowOf = (code: number) => page.split("\n").find((line) => line.startsWith(`| ${code} | `)) ?? "";
    for (const code of Object.values(EXIT)) assert.notEqual(rowOf(code), "", String(code));
    for (const [family, code] of Object.entries(EXIT_OF_FAMILY)) {
      assert.match(rowOf(code), new RegExp(`famil(y|ies)[^;]*\\b${family}\\b`), family);
    }
    assert.deepEqual(
      [...rowOf(2).matchAll(/`(\w+)`/g)].map(([, code]) => code),
      [...CANNOT_BEGIN],
    );
    for (const code of CANNOT_BEGIN) assert.match(errors, new RegExp(`^\\| ${code} \\| (source|conflict) `, "m"), code);
  });

  it("64 for a line that makes no sense, with a document when --json is on it", async () => {
    const lines = [
      [],
      ["nonsense"],
      ["snapshots", "--nonsense"],
      ["backup", "x"],
      ["show"],
      ["show", "a", "b"],
      ["key"],
      ["backup", "-g", "vm/a"],
      ["snapshots", "--progress", "loud"],
    ];
    for (const line of lines) {
      const plain = await cli(line);
      assert.equal(plain.code, 64, line.join(" "));
      assert.equal(plain.stdout, "");
      assert.match(plain.stderr, /^reprise: .*\[COMMAND_LINE_INVALID\]\n {2}\S/);
      const { error } = await cliJson<ErrorDocument>(line, { code: 64 });
      assert.deepEqual([error.code, error.family], ["COMMAND_LINE_INVALID", "usage"]);
    }
    assert.match((await cli(["bakup"])).stderr, /Did you mean backup/);
    assert.equal((await cli(["snapshots"])).code, 64, "no repository named");
  });

  it("0 for help and version", async () => {
    const help = await cli(["--help"]);
    assert.equal(help.code, 0);
    for (const group of ["Back up and restore:", "Look after snapshots:", "Look after the repository:"])
      assert.ok(help.stdout.includes(group), group);
    assert.match((await cli(["backup", "--help"])).stdout, /Examples:\n {2}reprise backup/);
    assert.equal((await cli(["help", "restore"])).code, 0);
    assert.equal((await cli(["--version"])).stdout, `${VERSION}\n`);
    const { version } = JSON.parse(await readFile(inProject("package.json"), "utf8")) as { version: string };
    assert.equal(VERSION, version);
  });

  it("help and version are documents with --json, wherever it stands", async () => {
    assert.deepEqual(await cliJson(["--version"]), { name: "reprise", version: VERSION });
    const help = await cliJson<HelpDocument>(["--help"]);
    assert.equal(help.command, "reprise");
    assert.ok(help.verbs.some(({ name }) => name === "backup"));
    assert.ok(help.options.some(({ flags }) => flags === "--json"));
    for (const line of [
      ["--json", "restore", "--help"],
      ["help", "restore", "--json"],
    ]) {
      const restore = JSON.parse((await cli(line)).stdout) as HelpDocument;
      assert.equal(restore.command, "reprise restore", line.join(" "));
      assert.deepEqual(
        restore.operands.map(({ required }) => required),
        [true],
      );
      const format = restore.options.find(({ flags }) => flags.startsWith("--format"));
      assert.deepEqual(format?.choices, ["raw", "qcow2"]);
      assert.match(restore.text, /^Usage: reprise restore/);
    }
    assert.deepEqual(
      (await cliJson<HelpDocument>(["key", "--help"])).verbs.map(({ name }) => name).includes("add"),
      true,
    );
  });
});

describe("exit codes of what happens", () => {
  let folder: TemporaryFolder;
  let repository: string;
  let disk: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("cli-codes");
    repository = join(folder.path, "repository");
    disk = join(folder.path, "disk.raw");
    env = { REPRISE_REPOSITORY: repository };
    await writeFile(disk, randomBytes(2_000_000));
    await cliJson(["init", "--no-encryption"], { env });
    await cliJson(["backup", disk, "-g", "vm/a"], { env });
  });
  afterEach(() => folder.remove());

  const failing = async (args: string[], code: number) => (await cliJson<ErrorDocument>(args, { env, code })).error;
  const packs = async () => {
    const names = await readdir(join(repository, "packs"), { recursive: true });
    return names.filter((name) => name.includes("-")).map((name) => join(repository, "packs", name));
  };
  const largestPack = async () => {
    const sized = await Promise.all(
      (await packs()).map(async (path) => ({ path, size: (await readFile(path)).length })),
    );
    return sized.sort((a, b) => b.size - a.size)[0]?.path as string;
  };

  it("2 when there is no repository, no such scheme, no such snapshot", async () => {
    assert.equal((await failing(["snapshots", "-r", join(folder.path, "absent")], 2)).code, "STORAGE_NOT_FOUND");
    assert.equal((await failing(["snapshots", "-r", memoryLocation()], 2)).code, "REPOSITORY_NOT_FOUND");
    assert.equal((await failing(["snapshots", "-r", "ftp://host/x"], 2)).family, "unsupported");
    assert.equal((await failing(["show", "vm/b@latest"], 2)).code, "SNAPSHOT_NOT_FOUND");
  });

  it("2 when the disk, the target or the place is missing or in the way, 1 when the disk is at fault", async () => {
    const absent = join(folder.path, "absent");
    assert.equal((await failing(["backup", absent, "-g", "vm/a"], 2)).code, "SOURCE_NOT_FOUND");
    assert.equal((await failing(["backup", disk, "-g", "vm/a", "--config", absent], 2)).code, "CONFIG_FILE_UNREADABLE");
    assert.equal((await failing(["restore", "vm/a@latest", "--to", disk], 2)).code, "TARGET_EXISTS");
    assert.equal((await failing(["init", "--no-encryption"], 2)).code, "REPOSITORY_EXISTS");
    assert.equal((await failing(["backup", "-", "-g", "vm/a"], 1)).code, "SOURCE_EMPTY");
  });

  it("130 when a restore is interrupted after its last chunk, and the same command goes on", async () => {
    const late = new AbortController();
    const target = join(folder.path, "restored.raw");
    const stderr = new PassThrough();
    stderr.on("data", (bytes: Buffer) => {
      const isLast = bytes.toString().includes('"operation":"restore"') && /"done":2000000/.test(bytes.toString());
      if (isLast) late.abort(new Interruption("SIGINT"));
    });
    const stdout = new PassThrough();
    const io = { stdin: new PassThrough(), stdout, stderr, env, signal: late.signal };
    const args = ["restore", "vm/a@latest", "--to", target, "--progress", "json", "--json"];
    assert.equal(await runCli(args, io), 130);
    assert.equal(late.signal.aborted, true);
    assert.equal((JSON.parse(stdout.read().toString()) as ErrorDocument).error.code, "INTERRUPTED");
    assert.ok(!(await readdir(folder.path)).includes("restored.raw"));
    const again = await cliJson<{ restored: { bytesKept: number }[] }>(args.slice(0, 4), { env });
    assert.ok((again.restored[0]?.bytesKept ?? 0) > 0);
  });

  it("130 at once after a second signal, whatever is under way, and --json still has its document", async () => {
    const pipe = join(folder.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    const location = join(folder.path, "encrypted");
    await cliJson(["init"], { env: { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: "secret" } });
    const stdout = new PassThrough();
    const signals = { first: new AbortController(), second: new AbortController() };
    const io = {
      ...{ stdin: new PassThrough(), stdout, stderr: new PassThrough(), env: {} },
      ...{ signal: signals.first.signal, impatience: signals.second.signal },
    };
    const running = runCli(["snapshots", "--repo", location, "--passphrase-file", pipe, "--json"], io);
    await new Promise((resolve) => setTimeout(resolve, 100));
    signals.first.abort(new Interruption("SIGINT"));
    signals.second.abort(new Interruption("SIGINT"));
    assert.equal(await running, 130);
    assert.equal((JSON.parse(stdout.read().toString()) as ErrorDocument).error.code, "INTERRUPTED");
  });

  it("1 when verify finds damage, with the report as document", async () => {
    await flipByte(await largestPack(), 1_000_000);
    const report = await cliJson<{ ok: boolean; snapshots: { damaged: unknown[] }[] }>(["verify", "--read-data"], {
      env,
      code: 1,
    });
    assert.equal(report.ok, false);
    assert.equal(report.snapshots[0]?.damaged.length, 1);
    const text = await cli(["verify", "--read-data"], { env });
    assert.equal(text.code, 1);
    assert.match(text.stdout, /DAMAGED {2}vm\/a@.*\n {2}disk: .* in 1 range\n {4}bytes \d+ to \d+: /);
    assert.match((await cli(["snapshots"], { env })).stdout, /DAMAGED/);
  });

  it("1 when a restore meets damage, 3 when it may leave that out; the repaired copy is made after the plan", async () => {
    await flipByte(await largestPack(), 1_000_000);
    const target = join(folder.path, "restored.raw");
    assert.equal((await failing(["restore", "vm/a@latest", "--to", target], 1)).code, "RESTORE_DAMAGED");
    const args = ["restore", "vm/a@latest", "--to", target, "--skip-damaged"];
    const done = await cliJson<{ restored: { lost: unknown[] }[]; warnings: { code: string }[] }>(args, {
      env,
      code: 3,
    });
    assert.equal(done.restored[0]?.lost.length, 1);
    assert.deepEqual(
      done.warnings.map(({ code }) => code),
      ["RANGE_LOST"],
    );
    await cliJson(["verify", "--read-data"], { env, code: 1 });
    const plan = await cliJson<{ repairs: unknown[]; made: unknown[] }>(["repair", "snapshots"], { env });
    assert.deepEqual([plan.repairs.length, plan.made.length], [1, 0]);
    const applied = await cliJson<{ made: unknown[] }>(["repair", "snapshots", "--apply"], { env });
    assert.equal(applied.made.length, 1);
    assert.match((await cli(["snapshots"], { env })).stdout, /has losses repaired/);
  });

  it("3 when something was wrong that did not matter", async () => {
    const [index] = await readdir(join(repository, "index"));
    await flipByte(join(repository, "index", index as string), -3);
    const again = await cliJson<{ warnings: { code: string }[]; chunksNew: number }>(
      ["backup", disk, "-g", "vm/a", "--no-cache"],
      { env, code: 3 },
    );
    assert.deepEqual([again.warnings[0]?.code, again.chunksNew], ["INDEX_DAMAGED", 0]);
    const text = await cli(["backup", disk, "-g", "vm/a", "--no-cache"], { env });
    assert.equal(text.code, 3);
    assert.match(text.stderr, /^warning: .*\[INDEX_DAMAGED\]$/m);
    const plan = await cli(["repair", "index"], { env });
    assert.match(plan.stdout, /--apply does it/);
    assert.equal((await cliJson<{ applied: boolean }>(["repair", "index", "--apply"], { env, code: 3 })).applied, true);
    assert.equal((await cli(["backup", disk, "-g", "vm/a", "--no-cache"], { env })).code, 0);
  });

  it("--progress json makes standard error JSON lines, errors included", async () => {
    const { stderr, stdout } = await cli(["backup", disk, "-g", "vm/a", "--progress", "json"], { env });
    const events = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = events.filter(({ operation }) => operation === "backup").at(-1);
    assert.deepEqual([last?.type, last?.subject, last?.done, last?.total], ["progress", "disk", 2_000_000, 2_000_000]);
    assert.match(stdout, /^snapshot /);
    const failed = await cli(["show", "nothing@", "--progress", "json"], { env });
    assert.deepEqual((JSON.parse(failed.stderr) as { type: string }).type, "error");
  });
});
