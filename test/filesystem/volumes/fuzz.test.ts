// A short run of mutated partition tables and volume groups.

import assert from "node:assert/strict";
import { fuzzReader } from "../fuzzReader.js";
import { volumeFuzzSubjects } from "./fuzzSubjects.js";
import { lvmFixture } from "./lvmFixture.js";

const SEED = 7;
const RUNS = 150;

describe("partition tables and volume groups: mutated", function () {
  this.timeout(60_000);

  for (const subject of volumeFuzzSubjects) {
    it(`${subject.name}: errors of ours only, in bounded time and memory`, async function () {
      if (subject.name.startsWith("lvm") && (await lvmFixture()) === null) this.skip();
      const report = await fuzzReader(subject, { seed: SEED, count: RUNS });
      assert.deepEqual(report.violations, []);
      assert.ok(report.runs > 0 && report.opened > 0, "some are understood all the same");
      assert.ok((report.errors.FILESYSTEM_DAMAGED ?? 0) > 0, "some damage is found");
    });
  }
});
