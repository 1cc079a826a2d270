// Paths that lead nowhere, or somewhere else than was thought: what is said about them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText, memoryLocation } from "./runInProcess.js";

interface ErrorDocument {
  error: { code: string; message: string; hint: string | null; data: Record<string, unknown> };
}

describe("paths inside snapshots", () => {
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  before(async () => {
    folder = await makeTemporaryFolder("cli-paths");
    env = { REPRISE_REPOSITORY: memoryLocation() };
    const data = join(folder.path, "data");
    await mkdir(join(data, "sub"), { recursive: true });
    for (const name of ["a.txt", "100%.txt", "%5C.txt", "a\\b"]) await writeFile(join(data, name), name);
    await symlink("nowhere", join(data, "dangling"));
    await symlink("dangling/deeper", join(data, "twice"));
    await symlink("sub", join(data, "way"));
    await cliText(["init", "--no-encryption"], { env });
    await cliText(["backup", "--dir", data, "-g", "host/h"], { env });
  });
  after(() => folder.remove());

  const failing = async (args: string[], code: number) => (await cliJson<ErrorDocument>(args, { env, code })).error;
  const failingCat = async (path: string, code: number) => {
    const { code: actual, stderr } = await cli(["cat", `host/h@latest:${path}`], { env });
    assert.equal(actual, code, stderr);
    return stderr;
  };

  it("a dangling link is named with its target, also when the disk is not named", async () => {
    for (const path of ["/dangling", "/data/fs/dangling"]) {
      const said = await failingCat(path, 2);
      assert.match(
        said,
        /\/data\/fs\/dangling is a link to nowhere, and there is no \/data\/fs\/nowhere \[FILE_NOT_FOUND\]/,
      );
    }
    assert.match(
      await failingCat("/twice", 2),
      /twice is a link to dangling\/deeper, and there is no \/data\/fs\/nowhere/,
    );
    // what is missing behind a link that leads somewhere is no matter of the link
    assert.match(await failingCat("/data/fs/way/x", 2), /fs\/sub\/x: no such file/);
    assert.match(await failingCat("/absent", 2), /no file system has it/);
  });

  it("what something is instead of a file", async () => {
    assert.match(await failingCat("/sub", 64), /\/sub is a folder, not a file.*\n.*ls shows what is in it/);
    assert.match(await failingCat("/", 64), /the whole snapshot, not a file/);
    const inside = await failing(["ls", "host/h@latest:/data/fs/a.txt/b"], 64);
    assert.deepEqual([inside.code, inside.message], ["FILE_KIND_WRONG", "/data/fs/a.txt is a file, not a folder"]);
  });

  it("a slash behind a file is wrong, behind a folder or a link to one it is not", async () => {
    for (const verb of [["cat"], ["ls"], ["find"], ["restore", "--to", folder.path], ["tar"]]) {
      const { code, stderr } = await cli([...verb, "host/h@latest:/a.txt/"], { env });
      assert.equal(code, 64, verb.join(" "));
      assert.match(stderr, /a\.txt is no folder.*FILE_KIND_WRONG/);
    }
    assert.equal(await cliText(["ls", "host/h@latest:/sub/"], { env }), "");
    assert.equal(await cliText(["ls", "host/h@latest:/way/"], { env }), "");
  });

  it("cat of several files opens the repository once, and writes them in their order", async () => {
    const place = (name: string) => `host/h@latest:/data/fs/${name}`;
    assert.equal(
      await cliText(["cat", place("a.txt"), place("100%.txt"), place("a.txt")], { env }),
      "a.txt100%.txta.txt",
    );
  });

  it("zip escapes what it escapes with, so that no two names become one", async () => {
    const path = join(folder.path, "x.zip");
    const { skipped } = await cliJson<{ skipped: number }>(["zip", "host/h@latest:/data/fs", "--to", path], { env });
    assert.equal(skipped, 0);
    const list = execFileSync("unzip", ["-Z1", path]).toString().split("\n");
    for (const name of ["fs/100%25.txt", "fs/%255C.txt", "fs/a%5Cb"]) assert.ok(list.includes(name), name);
  });

  it("ls tells how large disks and stored folders are", async () => {
    const { files } = await cliJson<{ files: { name: string; sizeBytes: number }[] }>(["ls", "host/h@latest"], { env });
    assert.equal(files[0]?.name, "data");
    assert.ok((files[0]?.sizeBytes ?? 0) > 0);
  });

  it("a snapshot that is not named rightly: the right form is shown", async () => {
    const cases: [string[], RegExp, RegExp][] = [
      [["ls", "host/h@latest:etc"], /does not name a snapshot/, /begins with a slash: host\/h@latest:\/etc$/],
      [["ls", "3f2a9c01:etc"], /does not name a snapshot/, /begins with a slash: 3f2a9c01:\/etc$/],
      [["show", "host/h@2026-11-2"], /"2026-11-2" is not the time/, /host\/h@2026-11-21T02:00:00Z/],
      [["show", "host/h@Latest"], /"Latest" is not the time/, /host\/h@latest/],
      [["ls", "host/h:/etc"], /is a machine, not one of its snapshots/, /host\/h@latest:\/etc/],
      [["show", "nonsense"], /does not name a snapshot/, /vm\/NAME@latest/],
    ];
    for (const [args, message, hint] of cases) {
      const error = await failing(args, 64);
      assert.equal(error.code, "SNAPSHOT_NAME_INVALID", args.join(" "));
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
    }
    const back = await failing(["show", "host/h~3"], 2);
    assert.match(back.message, /host\/h~3 does not exist \(there is 1 snapshot of this machine\)/);
  });

  it("a machine that does not exist is named as it was given", async () => {
    const error = await failing(["history", "vm/nope:/x"], 2);
    assert.deepEqual([error.code, error.data.name], ["MACHINE_NOT_FOUND", "vm/nope"]);
    assert.match(error.message, /no machine vm\/nope \(known machines: host\/h\)/);
  });
});
