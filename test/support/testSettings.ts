// What holds for every test, loaded by mocha before the first one: time-outs that end hangs only, whatever else the machine
// is doing, and properties that try the same cases in every run (REPRISE_TEST_SEED=N tries others).

import fc from "fast-check";
import Mocha from "mocha";

const USUAL_SEED = 20261122;
/** A shorter time-out of a test says how long it takes on an idle machine; this one is what counts. */
const LEAST_TIMEOUT_MS = 300_000;

fc.configureGlobal({ seed: Number(process.env.REPRISE_TEST_SEED ?? USUAL_SEED) });

for (const prototype of [Mocha.Runnable.prototype, Mocha.Suite.prototype]) {
  const own = prototype.timeout as (this: unknown, ms?: string | number) => unknown;
  function timeout(this: unknown, ms?: string | number): unknown {
    if (ms === undefined) return own.call(this);
    return own.call(this, typeof ms === "number" && ms > 0 ? Math.max(ms, LEAST_TIMEOUT_MS) : ms);
  }
  Object.assign(prototype, { timeout });
}
