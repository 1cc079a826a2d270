import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { cliJson, cliText } from "./runInProcess.js";

describe("reprise forget", function () {
  this.timeout(60_000);

  it("forgets nothing beside a damaged record, which may protect it, unless that is confirmed", async () => {
    const folder = await makeTemporaryFolder("cli-forget");
    try {
      const env = { REPRISE_REPOSITORY: join(folder.path, "repository") };
      const disk = join(folder.path, "a.raw");
      await writeFile(disk, randomBytes(100_000));
      await cliText(["init", "--no-encryption"], { env });
      await cliText(["backup", disk, "-g", "vm/a"], { env });
      await cliText(["backup", disk, "-g", "vm/a"], { env });
      await cliText(["protect", "vm/a~1"], { env });
      const records = join(env.REPRISE_REPOSITORY, "records");
      const [name] = (await readdir(records, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
      const path = join(name!.parentPath, name!.name);
      const bytes = await readFile(path);
      bytes.fill(0, bytes.length - 10);
      await writeFile(path, bytes);
      const refused = await cliJson<{ error: { code: string } }>(["forget", "vm/a~1"], { env, code: 1 });
      assert.equal(refused.error.code, "FORGET_RECORD_UNREADABLE");
      const count = async () => (await cliJson<unknown[]>(["snapshots"], { env, code: 3 })).length;
      assert.equal(await count(), 2);
      await cliJson(["forget", "vm/a~1", "--confirm"], { env, code: 3 });
      assert.equal(await count(), 1);
    } finally {
      await folder.remove();
    }
  });
});
