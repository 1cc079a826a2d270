// Problems, plans and facts of a report in HTML.

import { formatMinute } from "../report/amounts.js";
import { badge, section } from "../report/htmlPage.js";
import { html, Markup } from "../report/markup.js";
import type { JobReport } from "./jobReport.js";
import { amountOf, capitalized } from "./reportWords.js";

const MAX_ROWS = 1000;
/** Longer places are broken where the column ends. */
const MAX_UNBROKEN = 40;
const KINDS = { error: "failed", warning: "warned", notice: "skipped" } as const;

export function problemsSection({ problems }: JobReport): Markup {
  if (problems.length === 0) return Markup.empty;
  const rows = problems.slice(0, MAX_ROWS).map(({ severity, code, message, hint, machine, file, line, column }) => {
    const place = [file, line, line === null ? null : column].filter((part) => part !== null).join(":");
    const remedy = hint === null || hint === "" ? Markup.empty : html`<p class="quiet">${hint}</p>`;
    const looks = place.length > MAX_UNBROKEN ? "" : "unbroken";
    const where = file === null ? html`—` : html`<code class="${looks}">${place}</code>`;
    return html`<tr><td class="outcome">${badge(KINDS[severity], "", severity)}</td><th scope="row">${machine ?? "—"}</th>
<td>${message}${remedy}<small><code>${code}</code></small></td><td>${where}</td></tr>
`;
  });
  return section(
    "Problems",
    html`<div class="scroll"><table class="problems"><thead><tr><th scope="col">Severity</th>
<th scope="col">Machine</th><th scope="col">Problem</th><th scope="col">Where</th></tr></thead><tbody>
${rows}</tbody></table></div>`,
  );
}

/** Due runs first. */
export function planSection({ plan }: JobReport): Markup {
  if (plan === null) return Markup.empty;
  const runs = [...plan.runs].sort((a, b) => Number(b.due) - Number(a.due)).slice(0, MAX_ROWS);
  const rows = runs.map(
    ({ job, command, machine, due, dueAt, lastRunAt, nextAt, reason }) =>
      html`<tr><td>${badge(due ? "warned" : "skipped", "", due ? "due" : "not due")}</td>
<th scope="row">${job}<small>${command}${machine === null ? "" : `, ${machine}`}</small></th>
<td>${timeOf(dueAt)}</td><td>${lastRunAt === null ? html`never` : timeOf(lastRunAt)}</td><td>${timeOf(nextAt)}</td><td>${reason}</td></tr>
`,
  );
  const table =
    rows.length === 0
      ? html`<p>No job has a schedule.</p>`
      : html`<div class="scroll"><table><thead><tr><th scope="col">State</th><th scope="col">Job</th><th scope="col">Due since</th>
<th scope="col">Last run</th><th scope="col">Next</th><th scope="col">Why</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
  return html`${section("Runs", table)}${matrixSection(plan.matrix)}`;
}

function matrixSection(matrix: readonly { job: string; machine: string }[]): Markup {
  if (matrix.length === 0) return Markup.empty;
  const byJob = Map.groupBy(matrix.slice(0, MAX_ROWS), ({ job }) => job);
  const jobs = [...byJob].map(
    ([job, entries]) =>
      html`<dt>${job}<small>${amountOf(entries.length, "machine")}</small></dt><dd>${entries.map(({ machine }) => html`<code class="chip">${machine}</code> `)}</dd>`,
  );
  return section("Matrix", html`<dl>${jobs}</dl>`);
}

function timeOf(time: string | null): Markup {
  return time === null ? html`—` : html`<span class="unbroken">${formatMinute(time)}</span>`;
}

export function factsSection({ facts, repository }: JobReport): Markup {
  const own = facts.map(({ label, value }): [string, string] => [capitalized(label), value]);
  const all = repository === null ? own : [...own, ["Repository", repository.id] as [string, string]];
  if (all.length === 0) return Markup.empty;
  return section("Facts", html`<dl>${all.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`);
}
