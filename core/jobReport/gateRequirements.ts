// What a gate required of a machine beside what it found, as a table.

import type { GateReportPart } from "./jobReport.js";

export interface GateTable {
  head: readonly string[];
  rows: readonly (readonly string[])[];
}

type GateMachine = Pick<GateReportPart["machines"][number], "required" | "found">;

/** Label by label where both use the same ones; else one list beside the other. */
export function gateTable(machine: GateMachine): GateTable {
  const labels = new Set(machine.required.map(({ label }) => label));
  const shared = machine.found.filter(({ label }) => labels.has(label)).length;
  return shared * 2 > machine.found.length ? byLabel(machine) : sideBySide(machine);
}

function byLabel({ required, found }: GateMachine): GateTable {
  const asked = new Map(required.map(({ label, value }) => [label, value]));
  const seen = new Map(found.map(({ label, value }) => [label, value]));
  const labels = [...new Set([...asked.keys(), ...seen.keys()])];
  const rows = labels.map((label) => [label, asked.get(label) ?? "—", seen.get(label) ?? "—"]);
  return { head: ["What", "Required", "Found"], rows };
}

function sideBySide({ required, found }: GateMachine): GateTable {
  const lineOf = (fact: { label: string; value: string } | undefined) =>
    fact === undefined ? "" : `${fact.label}: ${fact.value}`;
  const rows = Array.from({ length: Math.max(required.length, found.length) }, (_, i) => [
    lineOf(required[i]),
    lineOf(found[i]),
  ]);
  return { head: ["Required", "Found"], rows };
}
