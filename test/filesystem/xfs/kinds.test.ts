// Every kind of XFS: our tree, attributes included, against the kernel's view of the same image; where no kernel mounts it
// (version 4), against the folder that it was made from.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { relative } from "node:path";
import { mount, unmount } from "../../support/loopDevice.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { type TreeEntry, walkFileSystem, walkFolder } from "../treeWalk.js";
import { canMount, mountedKinds, withFileSystem, xfsImage } from "./xfsImages.js";

/** The names under which Linux shows access control lists a second time. */
const STORED_LISTS = /^trusted\.SGI_ACL_/;

/** By path from `/`, in hexadecimal, as walkFileSystem has them. */
function attributesOfFolder(folder: string): Map<string, Record<string, string>> {
  const dump = execFileSync("getfattr", ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "--absolute-names", folder], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const found = new Map<string, Record<string, string>>();
  for (const part of dump.split("\n\n")) {
    const [first, ...lines] = part.trim().split("\n");
    if (first === undefined || first === "") continue;
    const pairs = lines
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replace(/^0x/, "")] as const)
      .filter(([name]) => name !== "" && !STORED_LISTS.test(name));
    found.set(`/${relative(folder, first.replace("# file: ", ""))}`, Object.fromEntries(pairs.sort()));
  }
  return found;
}

async function kernelView(image: string): Promise<TreeEntry[] | null> {
  const folder = await makeTemporaryFolder("mounted");
  try {
    if (!mount("-o", "ro,loop,nouuid", image, folder.path)) return null;
    const attributes = attributesOfFolder(folder.path);
    return (await walkFolder(folder.path)).map((entry) => {
      const own = attributes.get(entry.path) ?? {};
      return Object.keys(own).length === 0 ? entry : { ...entry, attributes: own };
    });
  } finally {
    unmount(folder.path);
    await folder.remove();
  }
}

describe("xfs: kinds of file systems", function () {
  this.timeout(60_000);

  for (const kind of mountedKinds.filter((name) => name !== "v5-dirty")) {
    it(`${kind}: as the kernel shows it`, async function () {
      if (!canMount()) return this.skip();
      const { path } = await xfsImage(kind);
      const theirs = await kernelView(path);
      if (theirs === null) return this.skip();
      assert.ok(theirs.length > 300);
      assert.deepEqual(await withFileSystem(path, walkFileSystem), theirs);
    });
  }

  for (const kind of ["v4", "v4-ftype"] as const) {
    it(`${kind}: as the folder it was made from`, async () => {
      const { path, tree } = await xfsImage(kind);
      // a prototype knows neither links nor holes, and no times
      const comparable = (entries: TreeEntry[]) =>
        entries
          .filter(({ path: name }) => name !== "/" && name !== "/sparse.bin")
          .map(({ path: name, kind: is, mode, sizeBytes, sha256, target, device }) => {
            return { name, is, mode: is === "symlink" ? 0 : mode, sizeBytes, sha256, target, device };
          });
      assert.deepEqual(comparable(await withFileSystem(path, walkFileSystem)), comparable(tree));
    });
  }

  it("v4: attributes that xfs_db set", async () => {
    const { path } = await xfsImage("v4");
    const seen = await withFileSystem(path, walkFileSystem);
    const hello = seen.find((entry) => entry.path === "/hello.txt")?.attributes ?? {};
    const lengths = Object.entries(hello).map(([name, value]) => [name, value.length / 2] as const);
    const expected = Array.from({ length: 60 }, (_, i) => [`user.a-rather-long-name-${i + 1}`, (i + 1) * 3] as const);
    assert.deepEqual(new Map(lengths), new Map([...expected, ["user.large", 5000] as const]));
    assert.match(hello["user.large"] as string, /^(76)+$/);
    assert.deepEqual(seen.find((entry) => entry.path === "/empty.txt")?.attributes, { "trusted.small": "76767676" });
  });

  it("v5-dirty: what was in place before the power failed, and a remark", async function () {
    if (!canMount()) return this.skip();
    const { path, tree } = await xfsImage("v5-dirty");
    const { seen, remarks } = await withFileSystem(path, async (fileSystem) => ({
      seen: await walkFileSystem(fileSystem),
      remarks: fileSystem.info.remarks,
    }));
    assert.equal(remarks.length, 1);
    assert.match(remarks[0] as string, /^log not empty \(\d+ KiB\): recent changes may be missing$/);
    const removed = /^\/many\/file-0000(00|03|06)/;
    const kept = tree.filter((entry) => entry.kind === "file" && !/^\/(many|sparse|empty|hello)/.test(entry.path));
    const found = new Map(seen.map((entry) => [entry.path, entry]));
    for (const { path: name, sha256 } of kept) assert.equal(found.get(name)?.sha256, sha256, name);
    assert.ok(!seen.some((entry) => removed.test(entry.path)));
  });
});
