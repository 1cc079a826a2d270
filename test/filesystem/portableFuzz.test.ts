// A short run of mutated images of FAT, exFAT and NTFS.

import assert from "node:assert/strict";
import { fuzzReader } from "./fuzzReader.js";
import { portableFuzzKinds, portableFuzzSubjects } from "./portableFuzzSubjects.js";
import { portableImage } from "./portableImages.js";

const SEED = 7;
const RUNS = 60;

describe("file systems of Windows: mutated images", function () {
  this.timeout(60_000);

  for (const subject of portableFuzzSubjects) {
    it(`${subject.name}: errors of ours only, in bounded time and memory`, async function () {
      for (const kind of portableFuzzKinds) await portableImage(kind, this);
      const report = await fuzzReader(subject, { seed: SEED, count: RUNS });
      assert.deepEqual(report.violations, []);
      assert.ok(report.runs > 0 && report.opened > 0, "some images open all the same");
      assert.ok((report.errors.FILESYSTEM_DAMAGED ?? 0) > 0, "some damage is found");
    });
  }
});
