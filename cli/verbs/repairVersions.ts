import { applyRepairVersions, planRepairVersions, type VersionRepair } from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import { type Line, styled } from "../output/text.js";
import { countText, localTimeText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";

export const repairVersionsVerb: Verb = {
  name: "versions",
  summary: "bring back objects that somebody has overwritten, from the older versions of an S3 bucket",
  operands: [],
  options: [
    { flags: "--apply", description: "do what the plan says" },
    { flags: "--dry-run", description: "only show the plan; this is what happens without --apply" },
  ],
  examples: [{ command: "reprise repair versions --apply --keeper-key keeper.pem", meaning: "after a theft" }],
  run: runRepairVersions,
};

async function runRepairVersions(context: Context, given: Given): Promise<Answer> {
  const apply = given.flag("apply");
  if (apply && given.flag("dryRun")) throw usageError("--apply and --dry-run contradict each other");
  const repository = await context.openRepository();
  const repairs = await planRepairVersions(repository, context.options);
  const restored = apply ? await applyRepairVersions(repository, repairs, context.options) : 0;
  const document = { applied: apply && restored > 0, restored, repairs };
  const isLeft = repairs.some(({ versionId }) => versionId === null);
  return {
    document,
    lines: repairs.map(repairLine),
    summary: [summaryLine(repairs, restored, apply)],
    ...(isLeft ? { failed: true } : {}),
  };
}

function repairLine({ object, versionId, overwrittenAtMs }: VersionRepair): Line {
  const what = versionId === null ? styled("red", "no version of it makes sense") : `version ${versionId} comes back`;
  return [`${object}: overwritten ${localTimeText(overwrittenAtMs)}, `, what];
}

function summaryLine(repairs: readonly VersionRepair[], restored: number, apply: boolean): Line {
  if (repairs.length === 0) return "nothing was overwritten";
  if (apply) return `brought back ${countText(restored, "object")}`;
  return `would bring back ${countText(repairs.filter(({ versionId }) => versionId !== null).length, "object")}; --apply does it`;
}
