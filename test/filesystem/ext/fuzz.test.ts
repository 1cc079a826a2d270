// A short run of mutated images; `npm run campaign -- filesystems --reader ext` does more of them.

import assert from "node:assert/strict";
import { fuzzReader } from "../fuzzReader.js";
import { extFuzzSubjects } from "./fuzzSubjects.js";

const SEED = 4;
const RUNS = 250;

describe("ext: mutated images", function () {
  this.timeout(30_000);

  for (const subject of extFuzzSubjects) {
    it(`${subject.name}: errors of ours only, in bounded time and memory`, async () => {
      const report = await fuzzReader(subject, { seed: SEED, count: RUNS });
      assert.deepEqual(report.violations, []);
      assert.ok(report.runs > 0 && report.opened > 0, "some images open all the same");
      assert.ok((report.errors.FILESYSTEM_DAMAGED ?? 0) > 0, "some damage is found");
    });
  }
});
