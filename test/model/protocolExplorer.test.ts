// The product's own writer, collector and forgetting in every interleaving of their storage operations: docs/protocol.md.
// `npm run campaign -- protocol` explores the larger scenarios, too.

import assert from "node:assert/strict";
import { explore, readable } from "./explorer.js";
import { MUTANT_SCENARIOS } from "./mutantScenarios.js";
import { SAFE_SCENARIOS } from "./protocolScenarios.js";

describe("the protocol, every interleaving", function () {
  this.timeout(120_000);
  this.slow(20_000);

  for (const { name, leastStates, make } of SAFE_SCENARIOS.filter(({ size }) => size === "small")) {
    it(`loses nothing: ${name}`, async () => {
      const found = await explore(await make());
      assert.equal(found.violation, null, `${readable(found.violation ?? "")}\n  ${found.trace.join("\n  ")}`);
      assert.equal(found.capped, false, "not every interleaving was tried");
      assert.ok(found.states >= leastStates, `only ${found.states} states: what is it that is not tried any more?`);
      for (const [process, outcomes] of Object.entries(found.outcomes)) {
        assert.ok(
          outcomes.some((outcome) => /^(committed|done)/.test(outcome)),
          `${process}: ${outcomes.join(", ")}`,
        );
        const odd = outcomes.filter(
          (outcome) => !/^(committed|done|nothing to do|waiting|STORAGE_FAILED)/.test(outcome),
        );
        assert.deepEqual(odd, [], `${process} failed without a reason`);
      }
    });
  }
});

describe("the protocol, broken on purpose", function () {
  this.timeout(120_000);
  this.slow(20_000);

  for (const { name, loss, make } of MUTANT_SCENARIOS) {
    it(`loses something, and the explorer finds it: ${name}`, async () => {
      const found = await explore(await make());
      const report = `${readable(found.violation ?? "nothing lost")} in ${found.states} states\n  ${found.trace.join("\n  ")}`;
      assert.match(found.violation ?? "", loss, report);
      assert.ok(found.trace.length > 10, report);
    });
  }
});
