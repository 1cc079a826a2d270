// The order in which the machines of a restore test start: each after those it depends on, else as they are listed.

import { RepriseError } from "../../errors.js";

interface Dependent {
  machine: string;
  dependsOn: readonly string[];
}

/** Names that are none of the machines are ignored. MACHINES_IN_CIRCLE. */
export function orderMachines<T extends Dependent>(machines: readonly T[]): T[] {
  const cycle = cycleAmong(machines);
  if (cycle !== null) {
    throw new RepriseError(
      "usage",
      "MACHINES_IN_CIRCLE",
      `machines depend on each other in a circle: ${cycle.join(" → ")}`,
      {
        data: { cycle },
        hint: "take one depends-on out of the circle",
      },
    );
  }
  const byName = new Map(machines.map((machine) => [machine.machine, machine]));
  const ordered = new Set<T>();
  const add = (machine: T) => {
    if (ordered.has(machine)) return;
    for (const name of machine.dependsOn) {
      const other = byName.get(name);
      if (other) add(other);
    }
    ordered.add(machine);
  };
  for (const machine of machines) add(machine);
  return [...ordered];
}

/** The machines of a circle, its first one again at the end; null when there is none. */
export function cycleAmong(machines: readonly Dependent[]): string[] | null {
  const byName = new Map(machines.map((machine) => [machine.machine, machine]));
  const done = new Set<string>();
  const walk = (name: string, trail: readonly string[]): string[] | null => {
    const seenAt = trail.indexOf(name);
    if (seenAt >= 0) return [...trail.slice(seenAt), name];
    if (done.has(name)) return null;
    for (const next of byName.get(name)?.dependsOn ?? []) {
      const cycle = walk(next, [...trail, name]);
      if (cycle !== null) return cycle;
    }
    done.add(name);
    return null;
  };
  for (const { machine } of machines) {
    const cycle = walk(machine, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
