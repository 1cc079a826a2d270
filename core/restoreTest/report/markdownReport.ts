// A restore test as Markdown, for the summary of a pipeline or a ticket. Whatever comes from elsewhere stands in code spans and
// code blocks: there neither Markdown nor HTML means anything, nobody is mentioned and nothing is linked. Pure.

import type { CheckResult, Outcome, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { formatDuration } from "../../report/amounts.js";
import { block, code, prose, table } from "../../report/markdown.js";
import { countsOf, coverageFacts, factGroupsOf, headlineOf, levelOf, rpoOf, rtoOf } from "./recordFacts.js";

const SIGNS: Record<Outcome, string> = { passed: "✅", warned: "⚠️", failed: "❌", inconclusive: "❔", skipped: "➖" };

export function renderMarkdown(record: RestoreTestRecord): string {
  const { result, checks, simulated } = record;
  const drill = simulated
    ? ["> **Drill.** A fault was made on purpose; this says nothing about the snapshot.", ""]
    : [];
  const counts = countsOf(checks).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `# ${SIGNS[result.outcome]} ${prose(headlineOf(record))}`,
    "",
    ...drill,
    `**Why:** ${code(result.reason)}`,
    "",
    ...table(
      ["Level", "RTO", "RPO", "Checks"],
      [[levelOf(record), rtoOf(record), rpoOf(record), counts.join(", ") || "none"].map((text) => prose(text))],
    ),
    ...checksOf(checks),
    ...detailsOf(checks),
    ...isolationOf(record),
    ...coverageOf(record),
    ...factsOf(record),
  ].join("\n");
}

function checksOf(checks: readonly CheckResult[]): string[] {
  if (checks.length === 0) return [];
  const rows = checks.map(({ id, type, outcome, expected, observed, reason, durationMs }) => [
    `${SIGNS[outcome]} ${outcome}`,
    `${code(id)} ${prose(type)}`,
    code(expected),
    code(reason ?? observed),
    outcome === "skipped" ? "—" : formatDuration(durationMs),
  ]);
  return ["## Checks", "", ...table(["Outcome", "Check", "Expected", "Reason or observed", "Took"], rows)];
}

/** In full, what did not pass. */
function detailsOf(checks: readonly CheckResult[]): string[] {
  const told = checks.filter(({ outcome, observed }) => outcome !== "passed" && observed.trim() !== "");
  return told.flatMap(({ id, observed }) => [`### Seen by ${code(id)}`, "", ...block(observed), ""]);
}

function isolationOf({ isolation }: RestoreTestRecord): string[] {
  const signs = { held: "✅ held", broken: "❌ broken", "not-probed": "➖ not tried" } as const;
  const rows = isolation.proofs.map(({ what, outcome, observed }) => [signs[outcome], code(what), code(observed)]);
  const proofs = rows.length === 0 ? [] : table(["Outcome", "What", "Seen"], rows);
  return ["## Isolation", "", `Network of the machine: **${prose(isolation.network)}**`, "", ...proofs];
}

function coverageOf(record: RestoreTestRecord): string[] {
  const rows = coverageFacts(record).map(([label, value]) => [label, prose(value)]);
  const left = record.coverage.notTested.map((what) => `- ${code(what)}`);
  const notTested = left.length === 0 ? [] : ["**Not tested:**", "", ...left, ""];
  return ["## Coverage", "", ...table(["What", "How much"], rows), ...notTested];
}

function factsOf(record: RestoreTestRecord): string[] {
  const rows = factGroupsOf(record).flatMap(({ title, facts }) =>
    facts.filter(([, value]) => value !== "").map(([label, value]) => [title, label, code(value)]),
  );
  const { artifacts } = record.integrity;
  const files = artifacts.map(({ name, sha256 }) => ["Evidence", code(name), code(sha256)]);
  return ["## Facts", "", ...table(["", "", ""], [...rows, ...files])];
}
