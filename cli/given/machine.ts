// --group and --ns, which together name a machine.

import { isGroup, isNamespace, qualifiedGroup, splitNamespace } from "../../core/index.js";
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

/** What the filter names and nobody has backed up, and what there is instead; null when everything is known. */
export function unknownMachines(
  filter: MachineFilter,
  machines: readonly { namespace: string; group: string }[],
): { message: string; isEverything: boolean } | null {
  const unknown = filter.groups.filter((wanted) => !machines.some((machine) => isSame(wanted, machine)));
  const { namespace } = filter;
  const isNamespaceUnknown =
    filter.groups.length === 0 &&
    namespace !== undefined &&
    !machines.some((machine) => machine.namespace === namespace);
  if (unknown.length === 0 && !isNamespaceUnknown) return null;
  const what = isNamespaceUnknown
    ? `snapshot in the namespace "${namespace}"`
    : `machine ${unknown.map(nameOf).join(", ")}`;
  const known = [...new Set(machines.map(nameOf))].sort();
  const shown = `${known.slice(0, 10).join(", ")}${known.length > 10 ? ", …" : ""}`;
  const there = known.length === 0 ? "the repository has no snapshots" : `known: ${shown}`;
  return { message: `there is no ${what} (${there})`, isEverything: unknown.length === filter.groups.length };
}

function isSame(a: { namespace: string; group: string }, b: { namespace: string; group: string }): boolean {
  return a.namespace === b.namespace && a.group === b.group;
}

function nameOf({ namespace, group }: { namespace: string; group: string }): string {
  return qualifiedGroup(namespace, group);
}

function readNamespace(given: Given): string | undefined {
  const namespace = given.text("ns");
  if (namespace === undefined || isNamespace(namespace)) return namespace;
  throw wrongValue("--ns", namespace, "a namespace: up to eight names joined by /, of letters, digits, . _ -");
}
