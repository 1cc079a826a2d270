import { type RepositoryStats, repositoryStats } from "../../core/index.js";
import type { Context } from "../context.js";
import { factLines, tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, percentText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";

export const statsVerb: Verb = {
  name: "stats",
  summary: "how much is stored, and how much that saves",
  operands: [],
  options: [],
  examples: [
    { command: "reprise stats", meaning: "for people" },
    { command: "reprise stats --json | jq .totalRatio", meaning: "one number" },
  ],
  run: runStats,
};

async function runStats(context: Context): Promise<Answer> {
  const repository = await context.openRepository();
  const stats = await repositoryStats(repository, context.options);
  const { repositoryId } = repository.config;
  return { document: { repositoryId, ...stats }, lines: statsLines(repositoryId, stats) };
}

function statsLines(repositoryId: string, stats: RepositoryStats): Line[] {
  const { logicalBytes, uniqueBytes, storedBytes, packs, chunks, compressionRatio, totalRatio, growth } = stats;
  const facts: [string, Line][] = [
    ["repository", repositoryId],
    ["snapshots", `${stats.snapshots.toLocaleString("en-US")} of ${countText(stats.groups.length, "machine")}`],
    ["disks", `${bytesText(logicalBytes)} when each snapshot is counted in full`],
    ["unique", `${bytesText(uniqueBytes)} in ${countText(chunks, "chunk")}`],
    ["stored", `${bytesText(storedBytes)} in ${countText(packs.count, "pack")} and what describes them`],
    ["ratio", `${totalRatio} × in all, ${compressionRatio} × by compression`],
    ["unused", `${bytesText(packs.unusedBytes)} (${percentText(packs.unusedBytes, packs.bytes)} of the packs)`],
  ];
  return [...factLines(facts), ...groupLines(stats), ...growthLines(growth)];
}

function groupLines({ groups }: RepositoryStats): Line[] {
  if (groups.length === 0) return [];
  const columns = [
    { title: "MACHINE" },
    { title: "SNAPSHOTS", align: "right" },
    { title: "DISKS", align: "right" },
    { title: "ADDED", align: "right" },
    { title: "FIRST" },
    { title: "LAST" },
  ] as const;
  const rows = groups.map(({ group, snapshots, logicalBytes, addedBytes, firstTime, lastTime }) => {
    return [
      group,
      snapshots.toLocaleString("en-US"),
      bytesText(logicalBytes),
      bytesText(addedBytes),
      firstTime,
      lastTime,
    ];
  });
  return ["", ...tableLines(columns, rows)];
}

const GROWTH_BAR = 40;

/** A bar for each day on which something was added. */
function growthLines(growth: RepositoryStats["growth"]): Line[] {
  if (growth.length === 0) return [];
  const most = Math.max(1, ...growth.map(({ addedBytes }) => addedBytes));
  const lines = growth.map(({ day, addedBytes }): Line => {
    const bar = "#".repeat(Math.ceil((GROWTH_BAR * addedBytes) / most));
    return [`${day}  `, bytesText(addedBytes).padStart(9), "  ", styled("dim", bar)];
  });
  return ["", styled("dim", "ADDED IN THE LAST 30 DAYS (UTC)"), ...lines];
}
