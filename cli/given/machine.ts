// --group and --ns, which together name a machine.

import { isGroup, isNamespace, splitNamespace } from "../../core/index.js";
import type { OptionSpec } from "../lineSpec.js";
import { type Given, usageError, wrongValue } from "./given.js";

export const NAMESPACE_OPTION: OptionSpec = {
  flags: "--ns <namespace>",
  description: "the namespace, as in prod or prod/east",
  completes: "nothing",
};

/** `--group vm/web1 --ns prod` or `--group prod:vm/web1`. */
export function readMachine(given: Given): { namespace: string; group: string } {
  const { namespace, group } = splitNamespace(given.text("group") ?? "");
  const wanted = readNamespace(given);
  if (wanted !== undefined && namespace !== "" && namespace !== wanted) {
    throw usageError(`--group is in the namespace ${namespace}, --ns says ${wanted}`, "give one of them");
  }
  return { namespace: wanted ?? namespace, group };
}

export interface MachineFilter {
  /** Undefined: every namespace. */
  namespace: string | undefined;
  groups: readonly { namespace: string; group: string }[];
}

/** What --ns and any number of --group leave over; without both everything. */
export function readMachineFilter(given: Given): MachineFilter {
  const namespace = readNamespace(given);
  const groups = given.texts("group").map((text) => {
    const named = splitNamespace(text);
    return isGroup(text) && namespace !== undefined ? { ...named, namespace } : named;
  });
  return { namespace, groups };
}

export function fitsMachine(filter: MachineFilter, machine: { namespace: string; group: string }): boolean {
  if (filter.namespace !== undefined && filter.namespace !== machine.namespace) return false;
  if (filter.groups.length === 0) return true;
  return filter.groups.some(({ namespace, group }) => namespace === machine.namespace && group === machine.group);
}

function readNamespace(given: Given): string | undefined {
  const namespace = given.text("ns");
  if (namespace === undefined || isNamespace(namespace)) return namespace;
  throw wrongValue("--ns", namespace, "a namespace: up to eight names joined by /, of letters, digits, . _ -");
}
