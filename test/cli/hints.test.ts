// What a person reads who has mistyped something: the object's name, and what to do.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Context } from "../../cli/context.js";
import { writeError } from "../../core/restore/targetErrors.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, memoryLocation } from "./runInProcess.js";

interface ErrorDocument {
  error: { code: string; message: string; hint: string | null };
}

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

  async function newest(): Promise<{ sid: string }> {
    const list = (await cliJson<unknown>(["snapshots"], { env })) as { snapshotId: string }[];
    return { sid: list.at(-1)?.snapshotId ?? "" };
  }
});
