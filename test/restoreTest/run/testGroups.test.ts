import assert from "node:assert/strict";
import fc from "fast-check";
import { groupMachines } from "../../../core/restoreTest/run/testGroups.js";
import type { MachineTest } from "../../../core/restoreTest/spec/restoreTestSpec.js";

function test(machine: string, ...dependsOn: string[]): MachineTest {
  return { machine, dependsOn } as unknown as MachineTest;
}

const names = (groups: MachineTest[][]) => groups.map((group) => group.map(({ machine }) => machine));

describe("restore test: groups of machines", () => {
  it("are what depends on one another, in the order given", () => {
    const machines = [test("db"), test("mail"), test("cache"), test("app", "db", "cache"), test("web", "app")];
    assert.deepEqual(names(groupMachines(machines)), [["db", "cache", "app", "web"], ["mail"]]);
  });

  it("are of one machine each where nothing depends on anything", () => {
    assert.deepEqual(names(groupMachines([test("a"), test("b")])), [["a"], ["b"]]);
    assert.deepEqual(groupMachines([]), []);
  });

  it("hold every machine once, together with all it depends on, and each after those", () => {
    const arbitrary = fc
      .array(fc.array(fc.nat({ max: 20 }), { maxLength: 3 }), { maxLength: 12 })
      .map((edges) =>
        edges.map((to, index) => test(`m${index}`, ...to.filter((at) => at < index).map((at) => `m${at}`))),
      );
    fc.assert(
      fc.property(arbitrary, (machines) => {
        const groups = groupMachines(machines);
        assert.deepEqual(names(groups).flat().sort(), machines.map(({ machine }) => machine).sort());
        for (const group of groups) {
          const members = group.map(({ machine }) => machine);
          group.forEach(({ dependsOn }, index) => {
            for (const needed of dependsOn) {
              const at = members.indexOf(needed);
              assert.ok(at >= 0 && at < index, `${needed} before ${members[index]}`);
            }
          });
        }
      }),
    );
  });
});
