// A gate's decision in HTML: per machine what was required, what was found, and why that means go or blocked.

import { formatInstant } from "../report/amounts.js";
import { badge, section } from "../report/htmlPage.js";
import { html, Markup } from "../report/markup.js";
import { gateTable } from "./gateRequirements.js";
import type { GateReportPart, JobReport } from "./jobReport.js";
import { amountOf } from "./reportWords.js";

type GateMachine = GateReportPart["machines"][number];

export function gateSection({ gate }: JobReport): Markup {
  if (gate === null) return Markup.empty;
  const machines = [...gate.machines].sort((a, b) => Number(a.decision === "go") - Number(b.decision === "go"));
  const cards = machines.map((machine) => machineCard(machine, gate));
  const none =
    cards.length > 0 ? Markup.empty : html`<p>No changed file belongs to a machine: nothing has to be proven.</p>`;
  return html`${section("Decision", html`${overrideOf(gate)}${none}${cards}`)}${section("What it stands on", basisOf(gate))}`;
}

function overrideOf({ override }: GateReportPart): Markup {
  if (override === null) return Markup.empty;
  const { by, label, reason } = override;
  return html`<div class="not-tested"><h3>Overridden</h3><p>Let through by the label <code>${label}</code>, event by <strong>${by}</strong>: ${reason}</p>
<p>The policy was not met. The override is on record.</p></div>`;
}

function machineCard(machine: GateMachine, { policyFile }: GateReportPart): Markup {
  const { decision, files, filesTotal, line, reasons } = machine;
  const kind = decision === "go" ? "passed" : "failed";
  const { head, rows } = gateTable(machine);
  const lines = rows.map(
    (row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  );
  const table =
    rows.length === 0
      ? Markup.empty
      : html`<table class="checks"><thead><tr>${head.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead><tbody>
${lines}</tbody></table>`;
  const why = reasons.map(({ code, message }) => html`<li>${message} <code>${code}</code></li>`);
  const left =
    filesTotal > files.length ? html`<li>and ${amountOf(filesTotal - files.length, "more file")}</li>` : Markup.empty;
  return html`<div class="card gate ${kind}"><div>
<h3>${machine.machine}</h3><p>${badge(kind, "", decision)}</p><ul class="why">${why}</ul>${table}
<p class="quiet">By the rule in ${policyFile ?? "the policy"}, line ${line}, for ${amountOf(filesTotal, "changed file")}:</p>
<ul class="files">${files.map((file) => html`<li><code>${file}</code></li>`)}${left}</ul></div></div>
`;
}

function basisOf({ base, head, changedFiles, policyDigest, policyFile, evidence }: GateReportPart): Markup {
  const facts: [string, string][] = [
    ["Base commit", base ?? "none"],
    ["Head commit", head ?? "none"],
    ["Changed files", String(changedFiles)],
    ["Policy", policyFile ?? "given"],
    ["Policy SHA-256", policyDigest],
    [
      "Evidence",
      evidence === null ? "none could be read" : evidence.source === "branch" ? "evidence branch" : "repository",
    ],
    ["Evidence commit", evidence?.commit ?? ""],
    ["Evidence number", evidence?.sequence === null || evidence === null ? "" : String(evidence.sequence)],
    ["Published", formatInstant(evidence?.publishedAt ?? "")],
  ];
  const shown = facts.filter(([, value]) => value !== "");
  return html`<dl>${shown.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
}
