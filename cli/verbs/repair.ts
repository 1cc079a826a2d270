import {
  applyRepairConfig,
  applyRepairIndex,
  applyRepairSnapshots,
  type IndexRepairPlan,
  type Manifest,
  planRepairConfig,
  planRepairIndex,
  planRepairSnapshots,
  repairRescue,
  type SnapshotRepairPlan,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import type { OptionSpec } from "../lineSpec.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText } from "../output/units.js";
import type { Answer, Verb, VerbFamily } from "../verb.js";
import { repairFromVerb } from "./repairFrom.js";
import { repairVersionsVerb } from "./repairVersions.js";

const OPTIONS: readonly OptionSpec[] = [
  { flags: "--apply", description: "do what the plan says" },
  { flags: "--dry-run", description: "only show the plan; this is what happens without --apply" },
];

const repairIndexVerb: Verb = {
  name: "index",
  summary: "rebuild the index from the packs themselves",
  operands: [],
  options: OPTIONS,
  examples: [
    { command: "reprise repair index", meaning: "the plan" },
    { command: "reprise repair index --apply", meaning: "carry it out" },
  ],
  run: runRepairIndex,
};

const repairSnapshotsVerb: Verb = {
  name: "snapshots",
  summary: "make usable copies of snapshots that have lost chunks",
  details: [
    "For each damaged snapshot a new one is made beside it, in which the lost ranges are zeros and named. The damaged one stays until you forget it. Run verify --read-data first: what it finds is what is repaired.",
  ],
  operands: [],
  options: OPTIONS,
  examples: [
    { command: "reprise repair snapshots", meaning: "the plan" },
    { command: "reprise repair snapshots --apply", meaning: "carry it out" },
  ],
  run: runRepairSnapshots,
};

const repairConfigVerb: Verb = {
  name: "config",
  summary: "write the config or its copy again where one is damaged",
  operands: [],
  options: OPTIONS,
  examples: [
    { command: "reprise repair config", meaning: "what is wrong with them" },
    { command: "reprise repair config --apply", meaning: "write the damaged one from the other one" },
  ],
  run: runRepairConfig,
};

const repairRescueVerb: Verb = {
  name: "rescue",
  summary: "write RESCUE.md and rescue.mjs again",
  operands: [],
  options: [],
  examples: [
    { command: "reprise repair rescue", meaning: "when verify says that one is damaged, or after an upgrade" },
  ],
  run: runRepairRescue,
};

export const repairVerbs: VerbFamily = {
  name: "repair",
  summary: "rebuild what can be rebuilt; shows a plan first",
  own: repairFromVerb,
  verbs: [repairIndexVerb, repairSnapshotsVerb, repairConfigVerb, repairRescueVerb, repairVersionsVerb],
};

function wantsApply(given: Given): boolean {
  if (given.flag("apply") && given.flag("dryRun")) throw usageError("--apply and --dry-run contradict each other");
  return given.flag("apply");
}

async function runRepairIndex(context: Context, given: Given): Promise<Answer> {
  const apply = wantsApply(given);
  const repository = await context.openRepository();
  const plan = await planRepairIndex(repository, context.options);
  const applied = apply && (!plan.upToDate || plan.swapped.length > 0);
  if (applied) await applyRepairIndex(repository, plan, context.options);
  const { contents, ...document } = plan;
  return {
    document: { applied, packs: contents.length, ...document },
    lines: indexLines(plan),
    summary: [indexSummary(plan, applied)],
    ...(plan.unreadable.length > 0 || (plan.swapped.length > 0 && !applied) ? { failed: true } : {}),
  };
}

function indexLines({ scanned, swapped, unreadable }: IndexRepairPlan): Line[] {
  return [
    ...swapped.map(({ object, holds, action, reason }) => [
      styled("red", `${object} holds pack ${holds}: `),
      action === "copy" ? `goes to its right name (${reason})` : `nothing is done (${reason})`,
    ]),
    ...scanned.map(({ pack, blobs, skippedBytes }) => {
      return `pack ${pack}: table of contents destroyed; ${countText(blobs, "chunk")} found by scanning, ${bytesText(skippedBytes)} belong to none`;
    }),
    ...unreadable.map(({ pack, message }) => [styled("red", `pack ${pack} cannot be read: `), message]),
  ];
}

function indexSummary({ upToDate, contents, replaced }: IndexRepairPlan, applied: boolean): Line {
  const packs = countText(contents.length, "pack");
  if (upToDate) return `the index says exactly what the ${packs} say: nothing to repair`;
  const objects = countText(replaced.length, "index object");
  if (applied) return `wrote a new index of ${packs} and removed ${objects}`;
  return `would write a new index of ${packs} and remove ${objects}; --apply does it`;
}

async function runRepairConfig(context: Context, given: Given): Promise<Answer> {
  const apply = wantsApply(given);
  const repository = await context.openRepository();
  const repairs = await planRepairConfig(repository, context.options);
  if (apply) await applyRepairConfig(repository, repairs, context.options);
  const done = apply ? "written again" : "would be written again; --apply does it";
  const lines = repairs.map(({ object, reason }): Line => [styled("red", `${object}: `), reason]);
  const summary = repairs.length === 0 ? "the config and its copy are sound: nothing to repair" : done;
  return { document: { applied: apply && repairs.length > 0, repairs }, lines, summary: [summary] };
}

async function runRepairRescue(context: Context): Promise<Answer> {
  const repository = await context.openRepository();
  await repairRescue(repository, context.options);
  const written = ["RESCUE.md", "rescue.mjs"];
  return { document: { applied: true, written }, lines: [], summary: [`wrote ${written.join(" and ")}`] };
}

async function runRepairSnapshots(context: Context, given: Given): Promise<Answer> {
  const apply = wantsApply(given);
  const { repository, catalog } = await context.openCatalog({ fresh: true });
  const plan = await planRepairSnapshots(repository, catalog, context.options);
  const made = apply ? await applyRepairSnapshots(repository, catalog, plan, context.options) : [];
  const document = {
    applied: apply && made.length + plan.rewrites.length > 0,
    repairs: plan.repairs.map(({ sid, ...repair }) => ({ snapshotId: sid, ...repair })),
    unreadable: plan.unreadable.map(({ sid, ...problem }) => ({ snapshotId: sid, ...problem })),
    rewrites: plan.rewrites,
    made: made.map(({ sid, group, time, repairedFrom }) => ({ snapshotId: sid, group, time, repairedFrom })),
  };
  return { document, lines: snapshotLines(plan), summary: snapshotSummary(plan, made, apply) };
}

function snapshotLines({ repairs, unreadable }: SnapshotRepairPlan): Line[] {
  const lines: Line[] = repairs.flatMap(({ sid, group, time, disks, lostFiles, repairable }) => [
    [
      styled("bold", `${group}@${time}`),
      "  ",
      styled("dim", sid.slice(0, 8)),
      repairable ? "" : styled("red", "  nothing is left to save"),
    ],
    ...disks.map(
      ({ archive, lostBytes, ranges }) =>
        `  ${archive}: ${bytesText(lostBytes)} in ${countText(ranges.length, "range")} will read as zeros`,
    ),
    ...lostFiles.map((name) => `  ${name}: lost, left out`),
  ]);
  for (const { object, message } of unreadable) {
    lines.push([
      styled("red", `${object} cannot be read: `),
      message,
      "; restore it from a copy of the storage, or give it up with forget",
    ]);
  }
  return lines;
}

function snapshotSummary(
  { repairs, rewrites, unreadable }: SnapshotRepairPlan,
  made: readonly Manifest[],
  apply: boolean,
): Line[] {
  const readable = `${countText(rewrites.length, "damaged chunk")} that can still be read`;
  if (rewrites.length > 0 && repairs.length + unreadable.length === 0)
    return [apply ? `stored ${readable} anew: nothing is lost` : `would store ${readable} anew; --apply does it`];
  if (repairs.length + unreadable.length === 0)
    return ["no snapshot is known to have lost anything (verify --read-data looks closer)"];
  if (!apply)
    return [
      ...(rewrites.length > 0 ? [`would store ${readable} anew`] : []),
      `would make ${countText(repairs.filter(({ repairable }) => repairable).length, "repaired snapshot")}; --apply does it`,
    ];
  const lines: Line[] = made.map(
    ({ sid, repairedFrom }) => `made ${sid.slice(0, 8)} from ${(repairedFrom ?? "").slice(0, 8)}`,
  );
  if (rewrites.length > 0) lines.unshift(`stored ${readable} anew`);
  return [...lines, `${countText(made.length, "repaired snapshot")}; the damaged ones stay until you forget them`];
}
