import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { prose } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { writeDisk } from "./diskWriter.js";
import { canonical, type JsonObject, RepositoryWriter } from "./repositoryWriter.js";
import { type RescueRun, runRescue } from "./runRescue.js";

describe("rescue: which snapshots there are and how they are named", () => {
  const env = { REPRISE_PASSPHRASE: "open sesame" };
  let folder: TemporaryFolder;
  let writer: RepositoryWriter;
  let archive: JsonObject;
  const rescue = (...args: string[]) => runRescue(args, { repo: writer.folder, env });
  const sidOf = (run: RescueRun) => (JSON.parse(run.stdout) as { sid: string }).sid;
  const snapshot = (day: string, changes: JsonObject = {}) =>
    writer.writeSnapshot([archive], {
      time: `2026-01-${day}T00:00:00Z`,
      finishedAt: `2026-01-${day}T01:00:00Z`,
      ...changes,
    });

  beforeEach(async () => {
    folder = await makeTemporaryFolder("rescue");
    writer = new RepositoryWriter(folder.path, { encrypted: true });
    writer.addPassphrase(env.REPRISE_PASSPHRASE);
    archive = writeDisk(writer, "sda", prose(1, 3000)).archive;
  });

  afterEach(() => folder.remove());

  it("by latest, count, time, id and namespace", async () => {
    const sids = ["03", "01", "02"].map((day) => snapshot(day));
    const [third, first, second] = sids;
    const elsewhere = snapshot("09", { namespace: "office/x" });
    const named: [string, string | undefined][] = [
      ["vm/a@latest", third],
      ["vm/a", third],
      ["vm/a~0", third],
      ["vm/a~1", second],
      ["vm/a~2", first],
      ["vm/a@2026-01-02", second],
      ["vm/a@2026-01-01T00:00:00Z", first],
      [":vm/a", third],
      ["office/x:vm/a@latest", elsewhere],
      ["office/x:vm/a@2026-01-09T00:00:00Z", elsewhere],
      [first!, first],
    ];
    for (const [name, sid] of named) assert.equal(sidOf(await rescue("show", name)), sid, name);
    for (const name of ["vm/a~3", "vm/b", "office:vm/a", "vm/a@2027", "0123456789abcdef"]) {
      assert.equal((await rescue("show", name)).code, 2, name);
    }
    const several = await rescue("show", "vm/a@2026");
    assert.equal(several.code, 2);
    assert.match(several.stderr, /several/);
  });

  it("leaves out VOID and forgotten ones", async () => {
    const kept = snapshot("01");
    const forgotten = snapshot("02");
    const voided = writer.newSid();
    writer.writeObject(
      `snapshots/${voided}`,
      canonical({ version: 1, type: "void", sid: voided, at: "", by: "", reason: "" }),
    );
    writer.writeObject(`forgotten/${forgotten}`, canonical({ version: 1, sid: forgotten, at: "", by: "", reason: "" }));
    assert.equal(sidOf(await rescue("show", "vm/a")), kept);
    const list = await rescue("list");
    assert.equal(list.code, 0, list.stderr);
    assert.equal(list.stdout.trim().split("\n").length, 1);
  });

  it("does not lose a snapshot to a forgotten object that is damaged, forged or another's", async () => {
    const first = snapshot("01");
    const mark = (sid: string) => canonical({ version: 1, sid, at: "", by: "", reason: "" });
    writer.writeObject(`forgotten/${first}`, mark(first), { open: true });
    assert.equal(sidOf(await rescue("show", "vm/a")), first);
    writer.writeObject(`forgotten/${first}`, mark("0".repeat(32)));
    assert.equal(sidOf(await rescue("show", "vm/a")), first);
    writer.writeObject(`forgotten/${first}`, mark(first));
    writer.change(`forgotten/${first}`, (stored) => stored.subarray(0, -1));
    assert.equal(sidOf(await rescue("show", "vm/a")), first);
  });

  it("refuses manifests that are open, swapped, sealed for another name or of another kind", async () => {
    const sound = snapshot("01");
    const [copied, opened, resealed, other] = [writer.newSid(), writer.newSid(), writer.newSid(), writer.newSid()];
    const manifest = (sid: string) => canonical({ version: 1, type: "void", sid });
    copyFileSync(writer.path(`snapshots/${sound}`), writer.path(`snapshots/${copied}`));
    writer.writeObject(`snapshots/${opened}`, manifest(opened), { open: true });
    writer.writeObject(`snapshots/${resealed}`, manifest(resealed), { sealedAs: `snapshots/${sound}` });
    writer.writeObject(`snapshots/${other}`, manifest(other), { kind: 9 });
    const list = await rescue("list");
    assert.equal(list.code, 3);
    for (const sid of [copied, resealed, other]) assert.match(list.stderr, new RegExp(`${sid}.*another name`));
    assert.match(list.stderr, new RegExp(`${opened}.*forged`));
    assert.equal(list.stdout.trim().split("\n").length, 1);
  });

  it("keeps control characters off the terminal", async () => {
    snapshot("01", { notes: "red \u001b[31m\nsecond\u202eline" });
    const { stdout } = await rescue("list");
    assert.equal(stdout.split("\n").length, 2);
    assert.ok(!stdout.includes("\u001b") && !stdout.includes("\u202e"));
  });

  it("asks for the disk when there are several, and for sense", async () => {
    const two = writer.writeSnapshot([archive, { ...archive, name: "sdb" }], { group: "vm/two" });
    const target = `${folder.path}-target`;
    const run = await rescue("restore", two, "--to", target);
    assert.equal(run.code, 64);
    assert.match(run.stderr, /sda, sdb/);
    const wrong = [
      ["restore", two],
      ["restore", "--to", target],
      ["restore", two, "--to", target, "--disk", "sdc"],
      ["list", two],
      ["list", "--to", target],
      ["show"],
      ["show", two, "more"],
      ["nonsense"],
      ["constructor"],
      ["list", "--nonsense"],
      ["show", "nonsense"],
      [],
    ];
    for (const args of wrong) assert.equal((await rescue(...args)).code, 64, args.join(" "));
  });

  it("says when there is no repository", async () => {
    const empty = await makeTemporaryFolder("rescue");
    try {
      const run = await runRescue(["list"], { repo: empty.path });
      assert.equal(run.code, 2);
      assert.match(run.stderr, /no repository/);
    } finally {
      await empty.remove();
    }
  });
});
