import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText } from "./runInProcess.js";

interface SnapshotDocument {
  snapshotId: string;
  group: string;
  time: string;
  tags: string[];
  notes: string;
  protected: boolean;
  verification: { result: string; level: string } | null;
}

describe("command line, from init to gc", () => {
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  let disk: string;
  let contents: Uint8Array;

  const json = <T = Record<string, unknown>>(...args: string[]) => cliJson<T>(args, { env });
  const snapshots = (...args: string[]) => json<SnapshotDocument[]>("snapshots", ...args);

  before(async () => {
    folder = await makeTemporaryFolder("cli-flow");
    env = { REPRISE_REPOSITORY: join(folder.path, "repository") };
    disk = join(folder.path, "web1.img");
    contents = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(2_000_000), randomBytes(500_000)]);
    await writeFile(disk, contents);
    await writeFile(join(folder.path, "web1.xml"), "<domain/>\n");
  });
  after(() => folder.remove());

  it("init says what was made", async () => {
    const made = await json("init", "--no-encryption", "--average-chunk", "64K", "--pack-size", "4M");
    assert.equal(made.encrypted, false);
    assert.equal(made.recoveryKey, null);
    assert.equal(made.packBytes, 4 * 1024 * 1024);
    const { minBytes, averageBytes, maxBytes } = made.chunker as Record<string, number>;
    assert.deepEqual(
      { minBytes, averageBytes, maxBytes },
      { minBytes: 32_768, averageBytes: 65_536, maxBytes: 2_097_152 },
    );
    await cliJson(["init", "--no-encryption"], { env, code: 2 });
  });

  it("backup answers with what was stored", async () => {
    const first = await json<Record<string, unknown>>(
      ...[
        "backup",
        disk,
        "--group",
        "vm/web1",
        "--config",
        join(folder.path, "web1.xml"),
        "--notes",
        "first",
        "--tag",
        "daily",
        "--tag",
        "x",
      ],
    );
    for (const member of ["bytesRead", "bytesNew", "bytesStored", "chunksNew", "durationMs"]) {
      assert.equal(typeof first[member], "number", member);
    }
    assert.match(first.snapshotId as string, /^[0-9a-f]{32}$/);
    assert.match(first.digest as string, /^[0-9a-f]{64}$/);
    assert.match(first.time as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(first.group, "vm/web1");
    assert.deepEqual(first.tags, ["daily", "x"]);
    const archives = first.archives as { name: string; kind: string; sizeBytes: number }[];
    assert.deepEqual(
      archives.map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes]),
      [
        ["web1", "image", contents.length],
        ["web1.xml", "file", 10],
      ],
    );
    assert.deepEqual(first.warnings, []);
    const dry = await json("backup", disk, "--group", "vm/web1", "--dry-run");
    assert.deepEqual([dry.snapshotId, dry.digest, dry.dryRun, dry.chunksNew], [null, null, true, 0]);
    assert.equal((await snapshots()).length, 1, "a dry run leaves nothing");
  });

  it("a second backup stores only what is new, and a stream the same chunks", async () => {
    await delay(1100); // names and the order of snapshots have whole seconds
    const changed = Buffer.from(contents);
    changed.fill(7, 1_000_000, 1_000_100);
    const second = await cliJson(["backup", "-", "--group", "vm/web1", "--name", "web1", "--protected"], {
      env,
      input: changed,
    });
    assert.ok((second.bytesNew as number) < 1_500_000, String(second.bytesNew));
    const list = await snapshots();
    assert.deepEqual(
      list.map(({ protected: guarded }) => guarded),
      [false, true],
    );
  });

  it("snapshots can be narrowed down, and its JSON is what prune --simulate takes", async () => {
    await json("backup", disk, "--group", "ct/db", "--ns", "prod");
    assert.deepEqual(
      (await snapshots("--ns", "prod")).map(({ group }) => group),
      ["ct/db"],
    );
    assert.deepEqual((await snapshots("--group", "prod:ct/db")).length, 1);
    assert.equal((await snapshots("--group", "vm/web1")).length, 2);
    assert.equal((await snapshots("--group", "ct/db")).length, 0);
    assert.equal((await snapshots("--tag", "daily", "--tag", "x")).length, 1);
    assert.equal((await snapshots("--last", "1")).length, 2);
    const list = JSON.stringify(await snapshots());
    const decisions = await cliJson<{ mark: string }[]>(["prune", "--simulate", "-", "--keep-last", "1"], {
      env: {},
      input: list,
    });
    assert.deepEqual(decisions.map(({ mark }) => mark).sort(), ["keep", "protected", "remove"]);
  });

  it("a table for people", async () => {
    const text = await cliText(["snapshots"], { env });
    assert.match(text, /^ID +TIME +MACHINE +CONTENTS +SIZE +NEW/);
    assert.match(text, /[0-9a-f]{8} {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}prod:ct\/db/);
    assert.match(text, /protected/);
    assert.match(text, /3 snapshots of 2 machines/);
    assert.doesNotMatch(await cliText(["snapshots", "--quiet"], { env }), /3 snapshots/);
    const shown = await cliText(["show", "vm/web1~1"], { env });
    assert.match(shown, /first/);
    assert.match(shown, /web1\.xml +file/);
  });

  it("restore writes one disk, a folder, or a stream", async () => {
    const to = join(folder.path, "one.raw");
    const { restored } = await json<{ restored: { bytesWritten: number }[] }>(
      "restore",
      "vm/web1~1",
      "--to",
      to,
      "--verify",
    );
    assert.deepEqual(await readFile(to), Buffer.from(contents));
    assert.equal(restored.length, 1);
    await cliJson(["restore", "vm/web1~1", "--to", to], { env, code: 2 });
    await json("restore", "vm/web1~1", "--to", to, "--force");
    const out = join(folder.path, "out");
    await mkdir(out);
    await json("restore", "vm/web1~1", "--to", out);
    assert.deepEqual((await readdir(out)).sort(), ["web1.raw", "web1.xml"]);
    assert.equal((await stat(join(out, "web1.xml"))).mode & 0o777, 0o600);
    assert.deepEqual(await readFile(join(out, "web1.raw")), Buffer.from(contents));
    const stream = await cli(["restore", "vm/web1~1", "--disk", "web1", "--to", "-"], { env });
    assert.equal(stream.code, 0, stream.stderr);
    assert.equal(
      createHash("sha256").update(stream.output).digest("hex"),
      createHash("sha256").update(contents).digest("hex"),
    );
    assert.match(stream.stderr, /wrote 5\.2 MiB/);
    const config = await cli(["restore", "vm/web1~1", "--disk", "web1.xml", "--to", "-"], { env });
    assert.equal(config.stdout, "<domain/>\n");
    for (const option of ["--json", "--verify", "--skip-damaged"]) {
      assert.equal((await cli(["restore", "vm/web1~1", "--to", "-", option], { env })).code, 64, option);
    }
  });

  it("notes, tags and protection change", async () => {
    assert.equal(await cliText(["notes", "vm/web1~1"], { env }), "first\n");
    const notes = await json("notes", "vm/web1~1", "line 1\nline 2");
    assert.deepEqual([notes.notes, notes.changed], ["line 1\nline 2", true]);
    assert.equal(await cliText(["notes", "vm/web1~1"], { env }), "line 1\nline 2\n");
    assert.deepEqual((await json("tag", "vm/web1~1", "--add", "new", "--remove", "x")).tags, ["daily", "new"]);
    assert.deepEqual((await json("tag", "vm/web1~1", "--set", "only")).tags, ["only"]);
    assert.deepEqual((await json("tag", "vm/web1~1", "--set", "")).tags, []);
    assert.equal((await cli(["tag", "vm/web1~1", "--set", "a", "--add", "b"], { env })).code, 64);
    const unprotected = await json<{ snapshots: { changed: boolean }[] }>("unprotect", "vm/web1@latest", "vm/web1~1");
    assert.deepEqual(
      unprotected.snapshots.map(({ changed }) => changed),
      [true, false],
    );
    await json("protect", "vm/web1@latest");
    assert.deepEqual(
      (await snapshots("--group", "vm/web1")).map((entry) => entry.protected),
      [false, true],
    );
  });

  it("verify says that all is well, and remembers it", async () => {
    const report = await json<{ ok: boolean; level: string; snapshots: { result: string }[] }>("verify", "--read-data");
    assert.ok(report.ok);
    assert.deepEqual(
      report.snapshots.map(({ result }) => result),
      ["ok", "ok", "ok"],
    );
    assert.ok((await snapshots()).every(({ verification }) => verification?.level === "data"));
    const again = await json<{ skipped: string[] }>(
      "verify",
      "--read-data",
      "--ignore-verified",
      "--outdated-after",
      "30d",
    );
    assert.equal(again.skipped.length, 3);
    assert.equal((await cli(["verify", "--subset", "1/2"], { env })).code, 64);
    assert.equal((await cli(["verify", "--outdated-after", "1d"], { env })).code, 64);
  });

  it("prune plans, then forgets; a protected snapshot stays", async () => {
    const plan = await json<{ marks: Record<string, number>; dryRun: boolean }>(
      "prune",
      "--keep-last",
      "1",
      "--dry-run",
    );
    assert.deepEqual(plan.marks, { keep: 2, "keep-partial": 0, protected: 1, remove: 0 });
    const text = await cliText(["prune", "--keep-last", "1", "--dry-run", "--timezone", "Europe/Berlin"], { env });
    assert.match(text, /TIME \(Europe\/Berlin\) +ID +MARK +REASON/);
    assert.equal((await cli(["prune", "--keep-last", "1", "--now", "2030-01-01T00:00:00Z"], { env })).code, 64);
    await json("forget", "vm/web1~1");
    assert.equal((await snapshots()).length, 2);
    const refused = await cliJson<{ error: { code: string } }>(["forget", "vm/web1@latest"], { env, code: 64 });
    assert.equal(refused.error.code, "SNAPSHOT_PROTECTED");
  });

  it("gc frees what nobody needs", async () => {
    await json("unprotect", "vm/web1@latest");
    await json("forget", "vm/web1@latest", "prod:ct/db@latest");
    const plan = await json<{ plan: { freedBytes: number; packs: unknown[] } }>("gc", "--dry-run");
    assert.ok(plan.plan.freedBytes > 3_000_000);
    assert.ok(plan.plan.packs.length > 0);
    assert.match(await cliText(["gc", "--dry-run"], { env }), /delete +no snapshot needs/);
    const done = await json<{ deletedBytes: number }>("gc", "--fence-after", "6h", "--max-unused", "0");
    assert.ok(done.deletedBytes > 3_000_000);
    const stats = await json<{ snapshots: number; packs: { bytes: number } }>("stats");
    assert.deepEqual([stats.snapshots, stats.packs.bytes], [0, 0]);
  });

  it("repair shows a plan before it does anything", async () => {
    await json("backup", disk, "--group", "vm/web1");
    const index = await json("repair", "index");
    assert.deepEqual([index.upToDate, index.applied], [true, false]);
    const plan = await json<{ repairs: unknown[]; applied: boolean }>("repair", "snapshots");
    assert.deepEqual([plan.repairs, plan.applied], [[], false]);
    assert.equal((await cli(["repair", "index", "--apply", "--dry-run"], { env })).code, 64);
    await json("repair", "rescue");
    for (const verb of [["stats"], ["repair", "index"], ["verify"], ["gc"]]) await cliText(verb, { env });
  });
});
