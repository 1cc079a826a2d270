import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AccessRequest, measureAccess } from "../../bench/files/fileAccess.js";
import { makeSnapshots } from "../../bench/files/manySnapshots.js";
import { compressibleBytes, makeDisk } from "../../bench/files/virtualDisk.js";
import { makeRepository, passphrase } from "../../bench/scale/bigRepository.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

describe("the bench's look into files", () => {
  it("backs up a disk it has made and changed, and counts what reading costs", async function () {
    this.timeout(60_000);
    const folder = await makeTemporaryFolder("bench-files");
    try {
      const [tree, disk, repository] = ["tree", "disk.raw", "repository"].map((name) => join(folder.path, name));
      for (const name of ["many", "data", "var/log"]) await mkdir(join(tree!, name), { recursive: true });
      for (let i = 0; i < 300; i++) await writeFile(join(tree!, "many", `${i}`), "");
      await writeFile(join(tree!, "data", "file"), compressibleBytes(300_001));
      await makeDisk(disk!, 2 ** 30, tree!);
      await (await makeRepository(repository!)).close();
      const wanted = { repository: repository!, passphrase, group: "vm/test", count: 2 };
      await makeSnapshots(disk!, folder.path, wanted);
      const request: AccessRequest = {
        ...{ repository: repository!, passphrase, snapshot: "vm/test@latest", volume: "/disk/p1" },
        ...{ folder: "/many", file: "/data/file", before: "vm/test~1" },
      };
      const cost = await measureAccess(request);
      assert.equal(cost.listTop.amount, 4, "with lost+found");
      assert.ok(cost.listTop.reads > 3 && cost.listTop.reads <= 40, `${cost.listTop.reads} reads`);
      assert.equal(cost.listFolder?.amount, 300);
      assert.equal(cost.readFile?.amount, 300_001);
      assert.ok((cost.diff?.amount ?? 0) > 0, "a log is new");
      const days = await measureAccess({ ...request, folder: "/var/log", file: null, before: null });
      assert.equal(days.listFolder?.amount, 2, "a file for each day");
      assert.equal(days.readFile, null);
    } finally {
      await folder.remove();
    }
  });
});
