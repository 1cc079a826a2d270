import { collectGarbage, DEFAULT_FENCE_AFTER_MS, DEFAULT_MAX_UNUSED, type GcReport } from "../../core/index.js";
import type { Context } from "../context.js";
import { parseShare, parseSpanMs } from "../given/amounts.js";
import type { Given } from "../given/given.js";
import { tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, elapsedText, percentText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";

export const gcVerb: Verb = {
  name: "gc",
  summary: "free the space of what no snapshot needs",
  details: [
    "Backups may run meanwhile; neither waits for the other. A gc that was interrupted is continued by the next one.",
  ],
  operands: [],
  options: [
    { flags: "--dry-run", description: "only show what would be done, and why" },
    {
      flags: "--fence-after <duration>",
      description: "give up backups that were silent for so long",
      standard: "6h",
      completes: "nothing",
    },
    {
      flags: "--max-unused <share>",
      description: "unused bytes that may stay",
      standard: `${DEFAULT_MAX_UNUSED * 100}%`,
      completes: "nothing",
    },
    { flags: "--confirm", description: "also when that frees more than half of the repository and 1 GiB" },
  ],
  examples: [
    { command: "reprise gc --dry-run", meaning: "what it would do" },
    {
      command: "reprise gc --max-unused 0",
      meaning: "free everything that can be freed, at the price of more copying",
    },
  ],
  run: runGc,
};

async function runGc(context: Context, given: Given): Promise<Answer> {
  const request = {
    dryRun: given.flag("dryRun"),
    fenceAfterMs: given.parsed("fenceAfter", parseSpanMs) ?? DEFAULT_FENCE_AFTER_MS,
    maxUnused: given.parsed("maxUnused", parseShare) ?? DEFAULT_MAX_UNUSED,
    confirmed: given.flag("confirm"),
  };
  const repository = await context.openRepository();
  const report = await collectGarbage(repository, request, context.options);
  const lines = report.dryRun ? planLines(report) : [];
  return { document: gcDocument(report), lines, summary: gcSummary(report) };
}

/** Packs that simply stay are counted, not listed. */
function gcDocument({ plan, ...report }: GcReport): unknown {
  const packs = plan.packs.filter(({ action }) => action !== "keep");
  return { ...report, plan: { ...plan, packs, packsKept: plan.packs.length - packs.length } };
}

function planLines({ plan }: GcReport): Line[] {
  const columns = [
    { title: "PACK" },
    { title: "SIZE", align: "right" },
    { title: "IN USE", align: "right" },
    { title: "ACTION" },
    { title: "REASON" },
  ] as const;
  const rows = plan.packs
    .filter(({ action }) => action !== "keep")
    .map(({ name, sizeBytes, usedBytes, action, reason }): Line[] => [
      name,
      bytesText(sizeBytes),
      percentText(usedBytes, sizeBytes),
      action === "delete" ? styled("red", action) : action,
      reason,
    ]);
  return rows.length === 0 ? [] : tableLines(columns, rows);
}

function gcSummary(report: GcReport): Line[] {
  const { plan, waitingFor, fenced } = report;
  const lines: Line[] = [];
  if (report.dryRun) {
    lines.push(
      `would free ${bytesText(plan.freedBytes)} of ${bytesText(plan.totalBytes)}, copying ${bytesText(plan.repackedBytes)}`,
    );
  } else {
    const repacked = report.repackedPacks > 0 ? `, ${countText(report.repackedPacks, "pack")} repacked` : "";
    lines.push(
      `deleted ${countText(report.deletedPacks, "pack")} (${bytesText(report.deletedBytes)})${repacked} in ${elapsedText(report.durationMs)}`,
    );
  }
  lines.push(
    `${bytesText(plan.unusedBytes)} that nobody needs stay (${percentText(plan.unusedBytes, plan.totalBytes)})`,
  );
  for (const { sid, silentMs } of waitingFor) {
    lines.push(
      `waits for the backup ${sid.slice(0, 8)}, last heard of ${elapsedText(silentMs)} ago: run gc again later (when it is dead: --fence-after with a shorter time)`,
    );
  }
  for (const sid of fenced)
    lines.push(`gave up the backup ${sid.slice(0, 8)}, which had been silent for longer than --fence-after`);
  return lines;
}
