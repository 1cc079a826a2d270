// Any sequence of publications against a plain model: the branch is always sound, and holds what the model holds.

import assert from "node:assert/strict";
import fc from "fast-check";
import { type CheckedTree, checkBranchTree } from "../../core/evidenceBranch/branchTree.js";
import { newStatements, planPublication } from "../../core/evidenceBranch/planPublication.js";
import { assertThrowsCode } from "../support/assertCode.js";
import { backedUpMs, HOUR, key, signedInventory, signedTest, trusted } from "./sampleEvidence.js";

const statements = Array.from({ length: 8 }, (_, at) => signedInventory({ machine: `vm/m${at}`, count: 1 }));
const publications = fc.array(
  fc.record({
    which: fc.uniqueArray(fc.nat(7), { maxLength: 4 }),
    drop: fc.uniqueArray(fc.nat(7), { maxLength: 2 }),
    afterHours: fc.nat(5),
    keepHours: fc.option(fc.nat(8)),
  }),
  { maxLength: 8 },
);
const digestOf = newStatements(statements).map(({ digest }) => digest);

describe("plans of publications", () => {
  it("leave a sound branch that holds what a plain model holds", () => {
    fc.assert(
      fc.property(publications, (steps) => {
        const files = new Map<string, Uint8Array>();
        const model = new Map<string, number>();
        let tree: CheckedTree | null = null;
        let hour = 0;
        for (const { which, drop, afterHours, keepHours } of steps) {
          hour += afterHours;
          const wishes = {
            by: "model",
            nowMs: backedUpMs + hour * HOUR,
            keepMs: keepHours === null ? null : keepHours * HOUR,
            drop: drop.map((at) => digestOf[at]!),
            keys: [key],
          };
          const plan = planPublication(tree, newStatements(which.map((at) => statements[at]!)), wishes);
          const fresh = which.map((at) => digestOf[at]!).filter((digest) => !model.has(digest));
          assert.equal(plan === null, fresh.length === 0);
          if (plan === null) continue;
          for (const [digest, since] of model)
            if (wishes.drop.includes(digest) || (keepHours !== null && hour - since > keepHours)) model.delete(digest);
          for (const digest of fresh) model.set(digest, hour);
          for (const [path, bytes] of plan.files) {
            if (bytes === null) files.delete(path);
            else files.set(path, bytes);
          }
          tree = checkBranchTree(files, trusted);
          assert.deepEqual(tree.problems, []);
          assert.deepEqual(tree.statements.map(({ digest }) => digest).sort(), [...model.keys()].sort());
        }
      }),
      { numRuns: 60 },
    );
  });

  it("take white space around an envelope for nothing, and one given twice for one", () => {
    const [first = ""] = statements;
    assert.equal(newStatements([first, `\n ${first} \n`]).length, 1);
  });

  it("drop inventories of more than a month ago, but never the newest of a machine", () => {
    const inventory = (machine: string, asOfMs: number) => signedInventory({ machine, count: 1, asOfMs });
    const at = (days: number, envelopes: readonly string[], tree: CheckedTree | null) => {
      const wishes = { by: "model", nowMs: backedUpMs + days * 24 * HOUR, keepMs: null, drop: [], keys: [key] };
      const plan = planPublication(tree, newStatements(envelopes), wishes);
      for (const [path, bytes] of plan?.files ?? []) {
        if (bytes === null) files.delete(path);
        else files.set(path, bytes);
      }
      return { tree: checkBranchTree(files, trusted), dropped: plan?.entry.dropped };
    };
    const files = new Map<string, Uint8Array>();
    const [a1, a2, b1] = [
      inventory("vm/a", backedUpMs),
      inventory("vm/a", backedUpMs + HOUR),
      inventory("vm/b", backedUpMs),
    ];
    const test = signedTest("vm/a", 0);
    const first = at(0, [a1, b1, ...test], null);
    const second = at(1, [a2], first.tree);
    assert.deepEqual(second.dropped, []);
    const month = at(30.5, [inventory("vm/c", backedUpMs)], second.tree);
    assert.deepEqual(
      month.dropped,
      newStatements([a1]).map(({ digest }) => digest),
    );
    const later = at(90, [inventory("vm/a", backedUpMs + 2 * HOUR)], month.tree);
    assert.deepEqual(
      later.dropped,
      newStatements([a2]).map(({ digest }) => digest),
      "of vm/b and vm/c there is no newer one",
    );
    assert.deepEqual(later.tree.problems, []);
  });

  it("do not sign what could not be read again", () => {
    const wishes = { by: "x".repeat(1_000), nowMs: backedUpMs, keepMs: null, drop: [], keys: [key] };
    assert.equal(planPublication(null, newStatements(statements), wishes)?.entry.by.length, 300);
    assertThrowsCode(() => newStatements([statements[0]!.slice(0, -1)]), "EVIDENCE_UNREADABLE");
  });
});
