// FAT, exFAT and NTFS: our tree against the folder that the image was made from, and against the Sleuth Kit's view of it.

import assert from "node:assert/strict";
import { comparable, type PortableKind, pathsBySleuthKit, portableImage, withImage } from "./portableImages.js";
import { walkFileSystem } from "./treeWalk.js";

const kinds: PortableKind[] = ["fat12", "fat16", "fat32", "exfat", "ntfs", "ntfs-512", "ntfs-64k"];

describe("file systems of Windows: kinds", function () {
  this.timeout(120_000);

  for (const kind of kinds) {
    it(`${kind}: as the folder it was made from`, async function () {
      const { path, tree } = await portableImage(kind, this);
      const seen = await withImage(kind, path, walkFileSystem);
      assert.deepEqual(comparable(seen), comparable(tree));
    });

    it(`${kind}: the names that the Sleuth Kit finds`, async function () {
      const { path } = await portableImage(kind, this);
      const theirs = await pathsBySleuthKit(path);
      const ours = await withImage(kind, path, walkFileSystem);
      // it cuts long names, and shows the label and alternate streams
      const short = (name: string) => name !== "/" && name.length < 100 && !/:| \(Volume Label Entry\)$/.test(name);
      const names = ours.map((entry) => entry.path);
      assert.deepEqual(names.filter(short).sort(), theirs.filter(short).sort());
    });

    it(`${kind}: every file is found by its name, in any case`, async function () {
      const { path, tree } = await portableImage(kind, this);
      await withImage(kind, path, async (fileSystem) => {
        for (const { path: wanted } of tree.filter((entry) => entry.path.split("/").length === 2)) {
          if (wanted === "/") continue;
          const exact = await fileSystem.lookup(fileSystem.root, Buffer.from(wanted.slice(1)));
          assert.equal(Buffer.from(exact?.name ?? []).toString(), wanted.slice(1));
          const upper = await fileSystem.lookup(fileSystem.root, Buffer.from(wanted.slice(1).toUpperCase()));
          assert.equal(upper?.id, exact?.id);
        }
        assert.equal(await fileSystem.lookup(fileSystem.root, Buffer.from("nothing-like-it")), null);
      });
    });
  }
});
