// A few lives of a repository; `npm run campaign -- randomWalk` lives many.

import { walkRandomly } from "./randomWalk.js";
import { walkSchedule } from "./scheduleWalk.js";

describe("random life of a repository against a plain map", function () {
  this.timeout(120_000);
  this.slow(20_000);
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`seed ${seed}`, async () => {
      await walkRandomly(seed, 60);
    });
  }
});

describe("operations side by side in random schedules", function () {
  this.timeout(120_000);
  this.slow(20_000);
  for (let first = 1; first <= 60; first += 20) {
    it(`seeds ${first} to ${first + 19}`, async () => {
      for (let seed = first; seed < first + 20; seed++) await walkSchedule(seed);
    });
  }
});
