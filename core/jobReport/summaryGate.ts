// A gate's decision in Markdown: per machine what was required, what was found, and why that means go or blocked.

import { formatInstant } from "../report/amounts.js";
import { code, folded, prose, table } from "../report/markdown.js";
import { gateTable } from "./gateRequirements.js";
import type { GateReportPart } from "./jobReport.js";
import { amountOf } from "./reportWords.js";
import type { SummaryLimits } from "./summaryOptions.js";

type GateMachine = GateReportPart["machines"][number];

/** Blocked machines first. */
export function gateSummary(gate: GateReportPart, { rows, open }: SummaryLimits): string[] {
  const machines = [...gate.machines].sort(
    (a, b) => Number(a.decision === "go") - Number(b.decision === "go") || (a.machine < b.machine ? -1 : 1),
  );
  const shown = machines.slice(0, rows);
  const left = machines.length - shown.length;
  return [
    ...overrideOf(gate),
    ...shown.slice(0, open).flatMap((machine) => machineOf(machine, gate)),
    ...(shown.length <= open
      ? []
      : folded(
          amountOf(shown.length - open, "more machine"),
          shown.slice(open).flatMap((machine) => machineOf(machine, gate)),
        )),
    ...(left > 0 ? [`… and ${amountOf(left, "more machine")}`, ""] : []),
    ...basisOf(gate),
  ];
}

function overrideOf({ override }: GateReportPart): string[] {
  if (override === null) return [];
  const { label, reason, by } = override;
  return [
    `> ⚠️ **Overridden** with the label ${code(label)}, event by ${code(by)}: ${code(reason)}. The policy was not met; the override is on record.`,
    "",
  ];
}

function machineOf(machine: GateMachine, { policyFile }: GateReportPart): string[] {
  const { decision, files, filesTotal, line, reasons } = machine;
  const rule = policyFile === null ? `line ${line}` : code(`${policyFile}:${line}`);
  const { head, rows } = gateTable(machine);
  const more = filesTotal > files.length ? [`- … and ${amountOf(filesTotal - files.length, "more file")}`] : [];
  return [
    `### ${decision === "go" ? "✅" : "⛔"} ${code(machine.machine)}: ${decision}`,
    "",
    ...reasons.map(
      ({ code: reasonCode, message }) => `- ${decision === "go" ? "✔" : "✖"} ${prose(message)} ${code(reasonCode)}`,
    ),
    "",
    ...(rows.length === 0
      ? []
      : table(
          head,
          rows.map((row) => row.map((cell) => prose(cell))),
        )),
    ...folded(`${amountOf(filesTotal, "changed file")} asked for it`, [
      `By the rule ${rule}:`,
      "",
      ...files.map((file) => `- ${code(file)}`),
      ...more,
      "",
    ]),
  ];
}

/** What the decision stands on. */
function basisOf(gate: GateReportPart): string[] {
  const { base, head, changedFiles, policyDigest, policyFile, evidence } = gate;
  const compared = base === null || head === null ? "" : `, ${code(base.slice(0, 12))} … ${code(head.slice(0, 12))}`;
  const policy = policyFile === null ? "the policy" : `the policy ${code(policyFile)}`;
  const parts = [
    `${amountOf(changedFiles, "changed file")}${compared}`,
    `${policy}, SHA-256 ${code(policyDigest.slice(0, 16))}`,
    evidence === null ? "no evidence could be read" : evidenceOf(evidence),
  ];
  return [`Compared: ${parts.join(" · ")}`, ""];
}

function evidenceOf({ source, sequence, commit, publishedAt }: NonNullable<GateReportPart["evidence"]>): string {
  const parts = [
    source === "branch" ? "evidence from the branch" : "facts from the repository",
    sequence === null ? "" : `number ${sequence}`,
    commit === null ? "" : `commit ${code(commit.slice(0, 12))}`,
    publishedAt === null ? "" : `published ${prose(formatInstant(publishedAt))}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
