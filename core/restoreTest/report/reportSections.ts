// The parts of the HTML report, from its headline to its digests.

import type { CheckResult, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { formatBytes, formatDuration } from "../../report/amounts.js";
import { badge, pageLink, section } from "../../report/htmlPage.js";
import { html, Markup } from "../../report/markup.js";
import { TEST_LEVELS } from "../spec/restoreTestSpec.js";
import {
  countsOf,
  coverageFacts,
  type FactGroup,
  factGroupsOf,
  headlineOf,
  objectiveOf,
  rpoOf,
  rtoOf,
} from "./recordFacts.js";

export function headerOf(record: RestoreTestRecord): Markup {
  const { result, simulated, asset, plan } = record;
  const drill = simulated
    ? html`<p class="drill">Drill: a fault was made on purpose. This says nothing about the snapshot.</p>`
    : Markup.empty;
  const run = plan.url === null ? Markup.empty : html` · ${pageLink(plan.url, "the run")}`;
  return html`<header class="${result.outcome}"><div>
${drill}${badge(result.outcome, "large")}
<h1>${headlineOf(record)}</h1>
<p>${result.reason}</p>
<p class="quiet">${asset.name}${plan.description === "" ? "" : `: ${plan.description}`}${run}</p>
</div></header>`;
}

export function tilesOf(record: RestoreTestRecord): Markup {
  const { result, plan, times, checks } = record;
  const counts = countsOf(checks).map(([outcome, count]) => `${count} ${outcome}`);
  const { rtoMs, rtoMet, rpoMs, rpoMet } = times.objectives;
  const tiles: [label: string, value: string, note: string, met: boolean | null][] = [
    ["Proven level", result.provenLevel ?? "none", `asked for: ${plan.level}`, isProven(record)],
    ["Recovery time (RTO)", rtoOf(record), objectiveOf(rtoMs, rtoMet), rtoMet],
    ["Data loss (RPO)", rpoOf(record), objectiveOf(rpoMs, rpoMet), rpoMet],
    ["Checks", `${checks.length}`, counts.join(", "), null],
  ];
  return html`<div class="tiles">${tiles.map(
    ([label, value, note, met]) =>
      html`<div class="tile"><span>${label}</span><b>${value}</b><span class="${met === false ? "missed" : "note"}">${note}</span></div>`,
  )}</div>`;
}

function isProven({ result, plan }: RestoreTestRecord): boolean {
  return result.provenLevel !== null && TEST_LEVELS.indexOf(result.provenLevel) >= TEST_LEVELS.indexOf(plan.level);
}

export function checksOf({ checks }: RestoreTestRecord): Markup {
  if (checks.length === 0) return section("Checks", html`<p>No check was made.</p>`);
  return section(
    "Checks",
    html`<div class="scroll"><table class="checks"><thead><tr><th scope="col">Outcome</th><th scope="col">Check</th>
<th scope="col">Expected and observed</th><th scope="col" class="took">Took</th></tr></thead><tbody>
${checks.map(checkRow)}</tbody></table></div>`,
  );
}

function checkRow(check: CheckResult): Markup {
  const { id, type, severity, outcome, expected, observed, reason, durationMs, attempts, line } = check;
  const origin = line === null ? "by the level" : `line ${line}`;
  const weight = severity === "fail" ? "" : `, severity ${severity}`;
  const tries = attempts > 1 ? html`<small>${attempts} attempts</small>` : Markup.empty;
  return html`<tr><td class="outcome">${badge(outcome)}</td>
<th scope="row" class="name">${id}<small>${type}, ${origin}${weight}</small></th>
<td class="observed">${expected}${reason === null ? Markup.empty : html`<p class="reason ${outcome}">${reason}</p>`}
${observed.trim() === "" ? Markup.empty : html`<pre>${observed}</pre>`}</td>
<td class="took">${outcome === "skipped" ? "—" : formatDuration(durationMs)}${tries}</td></tr>
`;
}

export function isolationOf({ isolation }: RestoreTestRecord): Markup {
  const words = { held: "passed", broken: "failed", "not-probed": "skipped" } as const;
  const labels = { held: "held", broken: "BROKEN", "not-probed": "not tried" } as const;
  const proofs = isolation.proofs.map(
    ({
      what,
      outcome,
      observed,
    }) => html`<tr><td class="outcome"><span class="badge ${words[outcome]}">${labels[outcome]}</span></td>
<th scope="row">${what}</th><td>${observed}</td></tr>
`,
  );
  const table =
    proofs.length === 0
      ? html`<p class="quiet">Nothing was started, so nothing had to be shut in.</p>`
      : html`<div class="scroll"><table class="checks"><thead><tr><th scope="col">Outcome</th><th scope="col">What</th><th scope="col">Seen</th></tr></thead>
<tbody>${proofs}</tbody></table></div>`;
  return section("Isolation", html`<p>Network of the machine: <strong>${isolation.network}</strong></p>${table}`);
}

export function coverageOf(record: RestoreTestRecord): Markup {
  const { notTested } = record.coverage;
  const list = notTested.map((what) => html`<li>${what}</li>`);
  const left =
    notTested.length === 0 ? Markup.empty : html`<div class="not-tested"><h3>Not tested</h3><ul>${list}</ul></div>`;
  return section("Coverage", html`${facts(coverageFacts(record))}${left}`);
}

export function factsOf(record: RestoreTestRecord): Markup {
  const groups = factGroupsOf(record).map(
    ({ title, facts: own }) => html`<div><h3>${title}</h3>${facts(own.filter(([, value]) => value !== ""))}</div>`,
  );
  const { deviations } = record.result;
  const notes =
    deviations.length === 0
      ? Markup.empty
      : html`<div><h3>Notes</h3><ul>${deviations.map((note) => html`<li>${note}</li>`)}</ul></div>`;
  return section("Facts", html`<div class="facts">${groups}${notes}</div>`);
}

export function artifactsOf({ integrity }: RestoreTestRecord): Markup {
  if (integrity.artifacts.length === 0) return Markup.empty;
  const rows = integrity.artifacts.map(
    ({
      name,
      mediaType,
      bytes,
      sha256,
    }) => html`<tr><th scope="row">${name}<small>${mediaType}, ${formatBytes(bytes)}</small></th>
<td><code>${sha256}</code></td></tr>
`,
  );
  return section(
    "Evidence files",
    html`<div class="scroll"><table><thead><tr><th scope="col">File</th><th scope="col">SHA-256</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  );
}

function facts(own: FactGroup["facts"]): Markup {
  return html`<dl>${own.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
}
