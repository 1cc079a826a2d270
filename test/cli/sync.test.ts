import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText, memoryLocation } from "./runInProcess.js";

interface SyncDocument {
  dryRun: boolean;
  copied: { snapshotId: string; copyId: string | null; group: string; bytesRead: number }[];
  failed: { snapshotId: string; code: string; message: string }[];
  present: number;
  older: number;
  records: number | null;
  vanished: { snapshotId: string; action: string }[];
  warnings: unknown[];
}

describe("reprise sync and repair --from", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let from: string;
  let to: string;
  const env = { REPRISE_PASSPHRASE: "for the destination", REPRISE_FROM_PASSPHRASE: "for the source" };
  const disk = (name: string) => join(folder.path, name);
  const atSource = { env: { REPRISE_PASSPHRASE: "for the source" } };

  beforeEach(async () => {
    folder = await makeTemporaryFolder("cli-sync");
    from = join(folder.path, "from");
    to = join(folder.path, "to");
    await cliText(["init", "-r", from], atSource);
    await cliText(["init", "-r", to, "--average-chunk", "256K"], { env });
    await writeFile(disk("a.raw"), randomBytes(700_000));
    await writeFile(disk("b.raw"), randomBytes(300_000));
    await cliText(["backup", disk("a.raw"), "-g", "vm/a", "-r", from, "--tag", "x"], atSource);
    await cliText(["backup", disk("b.raw"), "-g", "vm/b", "-r", from, "--ns", "prod"], atSource);
    await cliText(["backup", disk("a.raw"), "-g", "vm/a", "-r", from], atSource);
  });
  afterEach(() => folder.remove());

  const sync = (...args: string[]) => cliJson<SyncDocument>(["sync", "--from", from, "--to", to, ...args], { env });

  it("copies nothing for a machine that does not exist, and says which there are", async () => {
    interface Failed {
      error: { code: string; message: string };
    }
    const args = ["sync", "--from", from, "--to", to, "-g", "vm/nope"];
    const { error } = await cliJson<Failed>(args, { env, code: 2 });
    assert.equal(error.code, "MACHINE_NOT_FOUND");
    assert.match(error.message, /no machine vm\/nope \(known: prod:vm\/b, vm\/a\)/);
    const namespace = await cliJson<Failed>(["sync", "--from", from, "--to", to, "--ns", "x"], { env, code: 2 });
    assert.match(namespace.error.message, /no snapshot in the namespace "x"/);
    const both = await cliJson<SyncDocument>([...args, "-g", "vm/a", "--transfer-last", "1"], { env, code: 3 });
    assert.deepEqual([both.copied.length, (both.warnings[0] as { code: string }).code], [1, "MACHINE_UNKNOWN"]);
  });

  it("shows a plan, copies, and then has nothing to do", async () => {
    const plan = await sync("--dry-run");
    assert.deepEqual([plan.dryRun, plan.copied.length, plan.present, plan.records], [true, 3, 0, null]);
    assert.ok(plan.copied.every(({ copyId }) => copyId === null));
    const done = await sync();
    assert.deepEqual(
      done.copied.map(({ group, bytesRead }) => [group, bytesRead]),
      plan.copied.map(({ group, bytesRead }) => [group, bytesRead]),
    );
    const again = await sync();
    assert.deepEqual([again.copied, again.present, again.records, again.failed], [[], 3, 0, []]);
    await cliText(["restore", "vm/a@latest", "--to", disk("out.raw"), "-r", to], { env });
    assert.deepEqual(await readFile(disk("out.raw")), await readFile(disk("a.raw")));
    const shown = await cliText(["show", done.copied[0]!.copyId!, "-r", to], { env });
    assert.match(shown, new RegExp(`copy of +${done.copied[0]?.snapshotId} in repository`));
    const text = await cliText(["sync", "--from", from, "--to", to], { env });
    assert.match(text, /copied 0 snapshots, 0 B stored; 3 snapshots there already/);
  });

  it("copies a part", async () => {
    assert.deepEqual(
      (await sync("--ns", "prod")).copied.map(({ group }) => group),
      ["vm/b"],
    );
    const part = await sync("--group", "vm/a", "--transfer-last", "1");
    assert.deepEqual([part.copied.length, part.older], [1, 1]);
  });

  it("forgets vanished copies when told to", async () => {
    await sync();
    await cliText(["forget", "vm/a~1", "-r", from], atSource);
    const plan = await sync("--remove-vanished", "--dry-run");
    assert.deepEqual(
      plan.vanished.map(({ action }) => action),
      ["forget"],
    );
    assert.equal((await sync()).vanished.length, 0);
    const done = await sync("--remove-vanished", "--bwlimit", "100M");
    assert.deepEqual(
      done.vanished.map(({ action }) => action),
      ["forget"],
    );
    const left = await cliJson<unknown[]>(["snapshots", "-r", to], { env });
    assert.equal(left.length, 2);
  });

  it("takes the destination from --repo, and one secret for both", async () => {
    const same = join(folder.path, "same");
    await cliText(["init", "-r", same], atSource);
    const given: Record<string, string>[] = [
      { REPRISE_PASSPHRASE: "for the source" },
      { REPRISE_FROM_PASSPHRASE: "for the source" },
    ];
    for (const env of given) {
      const { copied, present } = await cliJson<SyncDocument>(["sync", "--from", from, "-r", same], { env });
      assert.equal(copied.length + present, 3);
    }
    await writeFile(disk("secret"), "for the source\n");
    await cliText(["sync", "--from", from, "--to", to, "--from-passphrase-file", disk("secret")], {
      env: { REPRISE_PASSPHRASE: "for the destination" },
    });
  });

  it("refuses what makes no sense, with the right exit codes", async () => {
    const open = memoryLocation();
    await cliText(["init", "-r", open, "--no-encryption"]);
    const codes = async (args: string[], given: Record<string, string> = env) => (await cli(args, { env: given })).code;
    assert.equal(await codes(["sync", "--to", to]), 64);
    assert.equal(await codes(["sync", "--from", from]), 64);
    assert.equal(await codes(["sync", "--from", from, "--to", open, "--encrypted-only"]), 64);
    assert.equal(await codes(["sync", "--from", from, "--to", from], atSource.env), 64);
    assert.equal(await codes(["sync", "--from", join(folder.path, "none"), "--to", to]), 2);
    assert.equal(await codes(["sync", "--from", from, "--to", to], { REPRISE_PASSPHRASE: "for the destination" }), 2);
    assert.equal(await codes(["repair"]), 64);
    assert.equal(await codes(["repair", "--from", from, "-r", join(folder.path, "none")]), 2);
  });

  it("leaves a damaged snapshot out with exit code 1; the original is healed from its copy, and the copy from it", async () => {
    await sync("--ns", "prod");
    await damagePacks(from);
    const { code, stdout } = await cli(["sync", "--from", from, "--to", to, "--json"], { env });
    assert.equal(code, 1);
    const document = JSON.parse(stdout) as SyncDocument;
    assert.deepEqual([document.copied.length, document.failed.length], [0, 2]);
    const heal = ["repair", "--from", to, "-r", from, "--json"];
    const swapped = { env: { REPRISE_PASSPHRASE: "for the source", REPRISE_FROM_PASSPHRASE: "for the destination" } };
    const tried = await cli([...heal, "--dry-run"], swapped);
    const done = await cli(heal, swapped);
    assert.deepEqual([tried.code, done.code], [1, 1], "two snapshots have no copy");
    const report = JSON.parse(done.stdout) as { snapshots: { group: string; healed: boolean }[]; blobs: number };
    assert.deepEqual(
      report.snapshots.filter(({ healed }) => healed).map(({ group }) => group),
      ["vm/b"],
    );
    assert.ok(report.blobs >= 1);
    await damagePacks(to);
    const back = await cliText(["repair", "--from", from, "-r", to], { env });
    assert.match(back, /1 of 1 damaged snapshot healed/);
    assert.match(await cliText(["repair", "--from", from, "-r", to], { env }), /nothing to heal/);
    // 3: the damaged copy is still there until the next gc, and may be met first.
    const restored = await cli(["restore", "prod:vm/b@latest", "--to", disk("b.out"), "-r", to], { env });
    assert.ok(restored.code === 0 || restored.code === 3, restored.stderr);
    assert.deepEqual(await readFile(disk("b.out")), await readFile(disk("b.raw")));
  });

  it("the other repairs keep their options", async () => {
    assert.equal((await cli(["repair", "index", "--apply", "--dry-run", "-r", from], atSource)).code, 64);
    await cliText(["repair", "index", "--dry-run", "-r", from], atSource);
    assert.equal((await cli(["repair", "index", "--from", to, "-r", from], atSource)).code, 64);
    assert.equal((await cli(["repair", "nothing", "-r", from], atSource)).code, 64);
    const help = await cliText(["repair", "--help"]);
    for (const part of ["--from <repository>", "snapshots", "rescue", "index"]) assert.ok(help.includes(part), part);
  });

  /** One byte in the first chunk of each pack. */
  async function damagePacks(repository: string): Promise<void> {
    for (const part of await readdir(join(repository, "packs"))) {
      for (const name of await readdir(join(repository, "packs", part))) {
        const path = join(repository, "packs", part, name);
        const bytes = await readFile(path);
        if (bytes.length < 100_000) continue;
        bytes[500]! ^= 1;
        await writeFile(path, bytes);
      }
    }
  }
});
