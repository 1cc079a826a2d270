// Every kind of ext file system: our tree against the folder that the image was made from, and, where mounting is allowed,
// against the kernel's view of the same image to the nanosecond.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mount, unmount } from "../../support/loopDevice.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { type TreeEntry, walkFileSystem, walkFolder } from "../treeWalk.js";
import { type ExtKind, extImage, extKinds } from "./extImages.js";
import { withExt } from "./extReading.js";

/** What the image's maker adds or changes on purpose is not compared with the folder. */
const changedByMaker: Partial<Record<ExtKind, string[]>> = { ext4: ["/hello.txt", "/empty.txt"] };
/** The kernel cannot mount blocks larger than its pages, and shows encrypted names differently. */
/** Case folding needs a kernel that was built with Unicode tables. */
const folds = existsSync("/sys/fs/ext4/features/casefold");
const notMountable: ExtKind[] = ["ext4-64k", "ext4-encrypt", ...(folds ? [] : (["ext4-casefold"] as const))];

function comparable(entries: TreeEntry[], without: string[] = []): unknown[] {
  return entries
    .filter(({ path }) => path !== "/" && !path.startsWith("/lost+found") && !without.includes(path))
    .map(({ attributes, modifiedAtNs, sizeBytes, ...entry }) => ({
      ...entry,
      sizeBytes: entry.kind === "symlink" ? undefined : sizeBytes,
      modifiedAt: BigInt(modifiedAtNs) / 1_000_000_000n,
    }));
}

describe("ext: kinds of file systems", function () {
  this.timeout(60_000);

  for (const kind of extKinds.filter((name) => name !== "ext4-encrypt")) {
    it(`${kind}: as the folder it was made from`, async () => {
      const { path, tree } = await extImage(kind);
      const seen = await withExt(path, walkFileSystem);
      assert.deepEqual(comparable(seen, changedByMaker[kind]), comparable(tree, changedByMaker[kind]));
    });
  }

  for (const kind of extKinds.filter((name) => !notMountable.includes(name))) {
    it(`${kind}: as the kernel shows it`, async function () {
      const { path } = await extImage(kind);
      const folder = await makeTemporaryFolder("mounted");
      try {
        if (!mount("-o", "ro,loop", path, folder.path)) return this.skip();
        const theirs = await walkFolder(folder.path);
        const ours = await withExt(path, walkFileSystem);
        assert.deepEqual(
          ours.map(({ attributes, ...entry }) => entry),
          theirs,
        );
      } finally {
        unmount(folder.path);
        await folder.remove();
      }
    });
  }
});
