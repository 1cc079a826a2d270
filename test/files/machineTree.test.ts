import assert from "node:assert/strict";
import { join } from "node:path";
import { type ListedFile, listFiles } from "../../core/files/listFiles.js";
import { MachineTree } from "../../core/files/machineTree.js";
import { formatTreePath, parseTreePath } from "../../core/files/treePath.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { makeHostileDisk } from "./hostileDisk.js";
import { type ImageTree, openImages } from "./imageTree.js";
import { machineDisks } from "./machineDisk.js";

describe("the tree of a machine", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let one: ImageTree;
  let two: ImageTree;
  let hostile: ImageTree;
  const place = async (disks: ImageTree, path: string, followLast = true) =>
    formatTreePath((await disks.tree.resolve(parseTreePath(path), { followLast })).path);
  const listing = async (disks: ImageTree, path: string, recursive = false) => {
    const files: ListedFile[] = [];
    const node = await disks.tree.resolve(parseTreePath(path));
    for await (const file of listFiles(disks.tree, node, { recursive })) files.push(file);
    return files;
  };

  before(async () => {
    folder = await makeTemporaryFolder("machine-tree");
    const [first, second] = await machineDisks();
    one = await openImages({ etc: first });
    two = await openImages({ sda: first, sdb: second });
    const path = join(folder.path, "hostile.img");
    await makeHostileDisk(folder.path, path, "/outside");
    hostile = await openImages({ sda: path });
  });
  after(async () => {
    await Promise.all([one, two, hostile].map((disks) => disks?.close()));
    await folder.remove();
  });

  it("finds a path in the one file system that has it, and by disk and volume", async () => {
    assert.equal(await place(one, "/var/lib/data.bin"), "/etc/p2/var/lib/data.bin");
    assert.equal(await place(one, "/EFI/grub.cfg"), "/etc/p1/EFI/grub.cfg");
    assert.equal(await place(two, "/sdb/p2/etc/added.conf"), "/sdb/p2/etc/added.conf");
    assert.equal(await place(two, "/etc/added.conf"), "/sdb/p2/etc/added.conf");
  });

  it("looks into file systems when a disk has the name of a folder", async () => {
    assert.equal(await place(one, "/etc/hostname"), "/etc/p2/etc/hostname");
    assert.equal((await one.tree.resolve(parseTreePath("/etc"))).kind, "disk");
    await assertCode(one.tree.resolve(parseTreePath("/etc/p9")), "FILE_NOT_FOUND");
  });

  it("says where a path is when it is in several places", async () => {
    const error = await assertCode(two.tree.resolve(parseTreePath("/etc/hostname")), "FILE_PATH_AMBIGUOUS");
    assert.deepEqual(error.data.places, ["/sda/p2/etc/hostname", "/sdb/p2/etc/hostname"]);
  });

  it("follows links within their volume, and names them when asked", async () => {
    assert.equal(await place(one, "/web/nginx.conf"), "/etc/p2/etc/nginx/nginx.conf");
    assert.equal(await place(one, "/etc/p2/etc/nginx/current"), "/etc/p2/etc/nginx/sites/default");
    assert.equal(await place(one, "/etc/nginx/current", false), "/etc/p2/etc/nginx/current");
    assert.equal(await place(one, "/web", false), "/etc/p2/web");
    await assertCode(one.tree.resolve(parseTreePath("/broken")), "FILE_NOT_FOUND");
  });

  it("ends links that lead to each other, or out of the root", async () => {
    const error = await assertCode(hostile.tree.resolve(parseTreePath("/sda/fs/round")), "FILE_NOT_FOUND");
    assert.match(error.message, /more than 40 links/);
    assert.equal(await place(hostile, "/sda/fs/above/setuid"), "/sda/fs/setuid");
  });

  it("refuses a file in the middle of a path", async () => {
    await assertCode(one.tree.resolve(parseTreePath("/etc/p2/etc/hostname/x")), "FILE_KIND_WRONG");
    const file = await one.tree.resolve(parseTreePath("/etc/p2/etc/hostname"));
    await assertCode(
      (async () => {
        for await (const _ of one.tree.list(file)) assert.fail("an entry of a file");
      })(),
      "FILE_KIND_WRONG",
    );
  });

  it("lists in order, once for each entry, and enters no folder twice", async () => {
    const paths = (await listing(one, "/etc/p2/etc", true)).map(({ path }) => formatTreePath(path));
    assert.equal(new Set(paths).size, paths.length);
    assert.ok(paths.includes("/etc/p2/etc/nginx/sites/default"));
    const loops = (await listing(hostile, "/sda/fs/loop", true)).map(({ path }) => formatTreePath(path));
    assert.ok(loops.length <= 2, loops.join(" "));
  });

  it("lists a file as itself, and the disks at the top", async () => {
    assert.deepEqual(
      (await listing(one, "/etc/hostname")).map(({ kind, sizeBytes }) => [kind, sizeBytes]),
      [["file", 5]],
    );
    assert.deepEqual(
      (await listing(two, "/")).map(({ kind }) => kind),
      ["disk", "disk"],
    );
  });

  it("goes on behind a volume that cannot be read", async () => {
    const broken = new MachineTree([
      {
        name: "bad",
        reader: {
          sizeBytes: 1024 * 1024,
          read: async (buffer, offset) => void (offset === 0 && buffer.set([0x58, 0x46, 0x53, 0x42])),
        },
      },
    ]);
    const files: ListedFile[] = [];
    for await (const file of listFiles(broken, { kind: "disk", path: parseTreePath("/bad"), disk: "bad" }))
      files.push(file);
    assert.equal(files.length, 1);
    assert.equal(files[0]?.kind, "volume");
    assert.ok(files[0]?.problem);
  });
});
