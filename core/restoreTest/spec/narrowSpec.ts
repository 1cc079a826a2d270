// A spec for only some of its machines. Pure.

import type { RestoreTestSpec } from "./restoreTestSpec.js";

/** With the machines that those depend on. Without a name: all of them. Names that the spec does not have change nothing. */
export function narrowSpec(spec: RestoreTestSpec, names: readonly string[]): RestoreTestSpec {
  if (names.length === 0) return spec;
  const wanted = new Set(names);
  // what a machine depends on stands before it
  for (const { machine, dependsOn } of spec.machines.toReversed()) {
    if (wanted.has(machine)) for (const name of dependsOn) wanted.add(name);
  }
  return { ...spec, machines: spec.machines.filter(({ machine }) => wanted.has(machine)) };
}
