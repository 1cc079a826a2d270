// What a gate required of a machine beside what it found, label by label.

import type { GateReportPart } from "./jobReport.js";

/** In the order of what is required; what was found besides comes after. "—" where one of the two is missing. */
export function gateRequirements({ required, found }: Pick<GateReportPart["machines"][number], "required" | "found">): {
  label: string;
  required: string;
  found: string;
}[] {
  const asked = new Map(required.map(({ label, value }) => [label, value]));
  const seen = new Map(found.map(({ label, value }) => [label, value]));
  return [...new Set([...asked.keys(), ...seen.keys()])].map((label) => ({
    label,
    required: asked.get(label) ?? "—",
    found: seen.get(label) ?? "—",
  }));
}
