import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mkdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { OpenFolders } from "../../core/files/restore/openFolders.js";
import { TargetFolder } from "../../core/files/restore/targetFolder.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

const DEPTH = 100;

describe("folders of a target that are kept open", () => {
  it("are the right ones in any order, few at a time, and never behind a link", async () => {
    const folder = await makeTemporaryFolder("open-folders");
    const top = await TargetFolder.openTop(folder.path);
    try {
      const names = Array.from({ length: DEPTH }, (_, i) => `d${i}`);
      await mkdir(join(folder.path, ...names, "last"), { recursive: true });
      await mkdir(join(folder.path, "d0", "beside"));
      await symlink("/", join(folder.path, "d0", "out"));
      const open = new OpenFolders(top);
      const handles = () => readdirSync("/proc/self/fd").length;
      const before = handles();
      const deep = [...names, "last"];
      const wanted = deep.map((_, i) => deep.slice(0, i + 1));
      for (const path of [...wanted.toReversed(), ["d0", "beside"], [], ...wanted]) {
        const { handle } = await open.at(path.map((name) => Buffer.from(name)));
        assert.equal((await handle.stat()).ino, (await stat(join(folder.path, ...path))).ino, path.join("/"));
        assert.ok(handles() - before <= 40, `${handles() - before} handles`);
      }
      await assert.rejects(open.at(["d0", "out"].map((name) => Buffer.from(name))), /ENOTDIR|ELOOP/);
      await open.close();
      assert.equal(handles(), before);
    } finally {
      await top.close();
      await folder.remove();
    }
  });
});
