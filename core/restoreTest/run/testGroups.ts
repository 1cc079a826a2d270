// Which machines of a specification run together: those that depend on one another, directly or not. They share a network
// and stay up until the last of them was checked; groups know nothing of each other.

import type { MachineTest } from "../spec/restoreTestSpec.js";

/** Groups in the order of their first machine; machines inside a group in the order given (dependencies first). */
export function groupMachines(machines: readonly MachineTest[]): MachineTest[][] {
  const groups: MachineTest[][] = [];
  for (const machine of machines) {
    const related = groups.filter((group) => group.some((other) => areRelated(machine, other)));
    const joined = [...related.flat(), machine];
    const [first] = related;
    const rest = groups.filter((group) => !related.includes(group));
    rest.splice(first === undefined ? rest.length : groups.indexOf(first), 0, joined);
    groups.splice(0, groups.length, ...rest);
  }
  const position = new Map(machines.map(({ machine }, index) => [machine, index]));
  const byPosition = (a: MachineTest, b: MachineTest) =>
    (position.get(a.machine) ?? 0) - (position.get(b.machine) ?? 0);
  return groups.map((group) => group.sort(byPosition));
}

function areRelated(a: MachineTest, b: MachineTest): boolean {
  return a.dependsOn.includes(b.machine) || b.dependsOn.includes(a.machine);
}
