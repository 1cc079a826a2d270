// The machines of a report in HTML: numbers that matter, the table, and a card for each restore test with its checks and its screen.

import { formatBytes, formatDuration } from "../report/amounts.js";
import { badge, pictureOf, section } from "../report/htmlPage.js";
import { html, Markup } from "../report/markup.js";
import type { JobReport, MachineReportLine, TestReportPart } from "./jobReport.js";
import { type Cell, type Column, columnsOf } from "./machineColumns.js";
import { ageOf, amountOf, measuredOf, outcomeCounts, worstFirst } from "./reportWords.js";

/** Of many machines, those that passed are folded away. */
const MANY = 25;
const MAX_PICTURES = 24;

interface Tile {
  label: string;
  value: string;
  note: string;
  met: boolean | null;
}

export function tilesOf(report: JobReport): Markup {
  const tiles = [
    ...gateTiles(report),
    machinesTile(report),
    ageTile(report),
    addedTile(report),
    rtoTile(report),
    problemsTile(report),
  ];
  const shown = tiles.filter((tile) => tile !== null);
  if (shown.length < 2) return Markup.empty;
  return html`<div class="tiles">${shown.map(
    ({ label, value, note, met }) =>
      html`<div class="tile"><span>${label}</span><b>${value}</b><span class="${met === false ? "missed" : "note"}">${note}</span></div>`,
  )}</div>`;
}

function gateTiles({ gate }: JobReport): Tile[] {
  if (gate === null) return [];
  const go = gate.machines.filter(({ decision }) => decision === "go").length;
  const all = gate.machines.length;
  const note =
    all === 0 ? "none is touched" : go === all ? "all of them" : `${amountOf(all - go, "machine")} not proven`;
  return [
    { label: "Machines that are proven", value: `${go} of ${all}`, note, met: go === all ? null : false },
    { label: "Changed files", value: String(gate.changedFiles), note: "compared with the base", met: null },
  ];
}

function machinesTile({ machines }: JobReport): Tile | null {
  if (machines.length === 0) return null;
  const counts = outcomeCounts(machines);
  const passed = machines.filter(({ outcome }) => outcome === "passed").length;
  const others = counts.filter(([outcome]) => outcome !== "passed").map(([outcome, count]) => `${count} ${outcome}`);
  const met = counts.some(([outcome]) => outcome === "failed") ? false : null;
  return { label: "Machines passed", value: `${passed} of ${machines.length}`, note: others.join(", ") || "all", met };
}

function ageTile({ machines }: JobReport): Tile | null {
  const known = machines.flatMap(({ machine, state }) =>
    state === null || state.newest === null ? [] : { machine, ageMs: state.newest.ageMs },
  );
  const oldest = known.sort((a, b) => b.ageMs - a.ageMs)[0];
  if (oldest === undefined) return null;
  return { label: "Oldest newest backup", value: ageOf(oldest.ageMs), note: oldest.machine, met: null };
}

function addedTile({ machines }: JobReport): Tile | null {
  const backups = machines.flatMap(({ backup }) => backup ?? []);
  if (backups.length === 0) return null;
  const sum = (pick: (backup: (typeof backups)[number]) => number) =>
    backups.reduce((all, each) => all + pick(each), 0);
  const size = formatBytes(sum(({ sizeBytes }) => sizeBytes));
  return { label: "New data", value: formatBytes(sum(({ addedBytes }) => addedBytes)), note: `of ${size}`, met: null };
}

function rtoTile({ machines }: JobReport): Tile | null {
  const tests = machines.flatMap(({ machine, test }) => (test === null ? [] : { machine, ...test }));
  const measured = tests.filter(({ rtoMs }) => rtoMs !== null).sort((a, b) => (b.rtoMs ?? 0) - (a.rtoMs ?? 0));
  const slowest = measured.find(({ objectives }) => objectives.rtoMet === false) ?? measured[0];
  if (slowest === undefined) return null;
  const { rtoMs, rtoMet } = slowest.objectives;
  const asked = rtoMs === null ? "" : `, objective ${formatDuration(rtoMs)} ${rtoMet === false ? "not met" : "met"}`;
  const note = `${slowest.machine}${asked}`;
  return { label: "Recovery time", value: formatDuration(slowest.rtoMs ?? 0), note, met: rtoMet };
}

function problemsTile({ problems }: JobReport): Tile | null {
  if (problems.length === 0) return null;
  const of = (severity: string) => problems.filter((problem) => problem.severity === severity).length;
  const words = [amountOf(of("error"), "error"), amountOf(of("warning"), "warning"), amountOf(of("notice"), "notice")];
  const note = words.filter((word) => !word.startsWith("0 ")).join(", ");
  return { label: "Problems", value: String(problems.length), note, met: of("error") > 0 ? false : null };
}

export function machinesSection(report: JobReport): Markup {
  const lines = worstFirst(report.machines);
  if (lines.length === 0) return Markup.empty;
  const columns = columnsOf(report);
  if (lines.length <= MANY) return section("Machines", machineTable(lines, columns));
  const bad = lines.filter(({ outcome }) => outcome !== "passed");
  const good = lines.filter(({ outcome }) => outcome === "passed");
  const open = bad.length === 0 ? Markup.empty : machineTable(bad, columns);
  if (good.length === 0) return section("Machines", open);
  const folded = html`<details><summary>${amountOf(good.length, "machine")} passed</summary>${machineTable(good, columns)}</details>`;
  return section("Machines", html`${open}${folded}`);
}

function machineTable(lines: readonly MachineReportLine[], columns: readonly Column[]): Markup {
  const head = columns.map(({ title }) => html`<th scope="col">${title}</th>`);
  const rows = lines.map(
    (line) => html`<tr>${columns.map(({ title, cell }) => tableCell(title, cell(line)))}</tr>
`,
  );
  return html`<div class="scroll"><table class="machines"><thead><tr>${head}</tr></thead><tbody>
${rows}</tbody></table></div>`;
}

function tableCell(title: string, cell: Cell | null): Markup {
  if (cell === null) return html`<td class="quiet">—</td>`;
  const { text, note, met, outcome } = cell;
  const small = note === "" ? Markup.empty : html`<small>${note}</small>`;
  if (outcome !== null) return html`<td>${badge(outcome)}${small}</td>`;
  if (title === "Machine") return html`<th scope="row">${text}${small}</th>`;
  if (title === "Snapshot") return html`<td><code>${text}</code>${small}</td>`;
  return html`<td${title === "Reason" ? Markup.constant(' class="why"') : Markup.empty}>${amountOrText(title, text)}${metSign(met)}${small}</td>`;
}

/** Amounts stay on one line. */
function amountOrText(title: string, text: string): Markup {
  return title === "Reason" ? html`${text}` : html`<span class="unbroken">${text}</span>`;
}

function metSign(met: boolean | null): Markup {
  if (met === null) return Markup.empty;
  return met
    ? html`\u00a0<span class="met" role="img" aria-label="in order">✓</span>`
    : html`\u00a0<span class="missed" role="img" aria-label="not in order">✗</span>`;
}

/** Restore tests, each with its checks and the machine's last screen. */
export function testsSection({ machines }: JobReport): Markup {
  let pictures = 0;
  const cards = machines.flatMap(({ machine, outcome, reason, test }) => {
    if (test === null) return [];
    const screenshot = test.screenshot;
    const picture =
      screenshot === null || pictures >= MAX_PICTURES
        ? null
        : pictureOf(screenshot.pngBase64, `Last screen of ${machine} in its restore test`);
    if (picture !== null) pictures++;
    return html`<div class="card"><div>
<h3>${machine}</h3><p>${badge(outcome)} <strong>${test.name}</strong></p>
<p class="reason ${outcome}">${reason}</p>${testNumbers(test)}${checksTable(test)}</div>
${picture === null ? Markup.empty : html`<figure>${picture}<figcaption>Screen of ${machine} at the end</figcaption></figure>`}</div>
`;
  });
  return cards.length === 0 ? Markup.empty : section("Restore tests", html`${cards}`);
}

function testNumbers({ level, provenLevel, rtoMs, rpoMs, objectives, restoreMs, recordId }: TestReportPart): Markup {
  const facts: [string, string][] = [
    ["Proven", `${provenLevel ?? "nothing"}, asked for: ${level}`],
    ["Recovery time", measuredOf(rtoMs, objectives.rtoMs)],
    ["Data loss", measuredOf(rpoMs, objectives.rpoMs)],
    ["Restored in", restoreMs === null ? "not restored in full" : formatDuration(restoreMs)],
    ["Record", recordId],
  ];
  return html`<dl>${facts.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
}

function checksTable({ checks, file }: TestReportPart): Markup {
  if (checks.length === 0) return html`<p class="quiet">No check was made.</p>`;
  const told = checks.some(({ reason }) => reason !== null);
  const rows = checks.map(({ id, outcome, reason, line }) => {
    const place = line === null ? "by the level" : `${file ?? ""} line ${line}`;
    return html`<tr><td class="outcome">${badge(outcome)}</td><th scope="row">${id}<small>${place.trim()}</small></th>${told ? html`<td>${reason ?? ""}</td>` : Markup.empty}</tr>
`;
  });
  return html`<table class="checks"><thead><tr><th scope="col">Outcome</th><th scope="col">Check</th>${told ? html`<th scope="col">Reason</th>` : Markup.empty}</tr></thead><tbody>
${rows}</tbody></table>`;
}
