// What a verification found: nothing, or what is damaged and whom it hurts.

import { qualifiedGroup, type SnapshotVerdict, type VerifyReport } from "../../core/index.js";
import { idDigits } from "./snapshotText.js";
import { type Line, styled } from "./text.js";
import { bytesText, countText, elapsedText, percentText } from "./units.js";

/** More ranges of one disk than this are only counted; --json has them all. */
const MAX_RANGES = 10;
const MAX_PROBLEMS = 100;

export function verifyLines({ snapshots, objects, packs }: VerifyReport, ids: readonly string[]): Line[] {
  const digits = idDigits(ids);
  const hurt = snapshots.filter(({ result }) => result === "damaged");
  return [
    ...hurt.flatMap((verdict) => verdictLines(verdict, digits)),
    ...limited(objects.problems.map(({ object, message }) => problemLine(object, message))),
    ...limited(packs.problems.map(({ pack, message }) => problemLine(`pack ${pack}`, message))),
  ];
}

export function verifySummary(report: VerifyReport): Line[] {
  const { snapshots, skipped, objects, packs, coverage, durationMs, level } = report;
  const parts = [countText(snapshots.length, "snapshot")];
  if (objects.checked > 0) parts.push(countText(objects.checked, "object"));
  if (level === "data")
    parts.push(
      `${countText(packs.read, "pack")} (${bytesText(packs.bytesRead)}, ${percentText(Math.round(coverage * 1000), 1000)} of all packs)`,
    );
  const lines: Line[] = [`checked ${parts.join(", ")} in ${elapsedText(durationMs)}`];
  if (skipped.length > 0) lines.push(`${countText(skipped.length, "snapshot")} left out: verified before`);
  if (objects.foreign.length > 0)
    lines.push(`${countText(objects.foreign.length, "object")} in the storage that are not the repository's`);
  const lost = objects.problems.filter(({ object }) => object.startsWith("snapshots/")).length;
  const hurt = snapshots.filter(({ result }) => result === "damaged").length;
  if (report.ok)
    lines.push(
      styled(
        "green",
        level === "data" ? "no damage" : "no damage in the structure; --read-data reads the data as well",
      ),
    );
  else if (hurt > 0) lines.push(styled("red", `DAMAGED: ${countText(hurt, "snapshot")} cannot be restored completely`));
  else if (lost > 0)
    lines.push(styled("red", `DAMAGED: ${countText(lost, "manifest")} cannot be read: those snapshots are lost`));
  else lines.push(styled("yellow", "damage found that no checked snapshot suffers from"), ...remedyLines(report));
  return lines;
}

const UNSIGNED = "decisions without the keeper's signature count for nothing; the keeper's gc removes them";
const ELSEWHERE =
  "what was overwritten in a bucket with versions, repair versions lists; else bring it back from a copy";
/** By the beginning of the object's name. */
const REMEDIES: readonly (readonly [start: string, remedy: string])[] = [
  [
    "sessions/",
    "announcements of backups (sessions/): no snapshot needs them; gc removes them once their backups have ended",
  ],
  ["index/", "index objects (index/): repair index writes them anew from the packs"],
  ["config", "the config: repair config writes it anew from its copy, or the copy from it"],
  ["RESCUE.md", "the rescue files: repair rescue writes them anew"],
  ["rescue.mjs", "the rescue files: repair rescue writes them anew"],
];

/** What can be done about damage that no snapshot suffers from. */
function remedyLines({ objects, packs }: VerifyReport): Line[] {
  const remedies = new Set<string>();
  for (const { object, code } of objects.problems) {
    const remedy = REMEDIES.find(([start]) => object.startsWith(start))?.[1] ?? ELSEWHERE;
    remedies.add(code === "VERDICT_UNSIGNED" ? UNSIGNED : remedy);
  }
  if (packs.problems.length > 0) remedies.add("packs: repair index, then repair snapshots, show what can be done");
  return [...remedies].map((remedy) => `  ${remedy}`);
}

function verdictLines({ sid, namespace, group, time, damaged }: SnapshotVerdict, digits: number): Line[] {
  const machine = qualifiedGroup(namespace, group);
  const lines: Line[] = [[styled("red", "DAMAGED  "), `${machine}@${time}  `, styled("dim", sid.slice(0, digits))]];
  for (const [archive, ranges] of Map.groupBy(damaged, (range) => range.archive)) {
    const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
    lines.push(`  ${archive}: ${bytesText(bytes)} in ${countText(ranges.length, "range")}`);
    for (const { path, offset, length, reason } of ranges.slice(0, MAX_RANGES)) {
      const where = path === undefined ? `bytes ${offset} to ${offset + length - 1}` : `${path}, ${bytesText(length)}`;
      lines.push(`    ${where}: ${reason}`);
    }
    if (ranges.length > MAX_RANGES) lines.push(`    and ${ranges.length - MAX_RANGES} more (--json lists them)`);
  }
  return lines;
}

function problemLine(what: string, message: string): Line {
  return [styled("yellow", "problem  "), message.includes(what) ? message : `${what}: ${message}`];
}

function limited(lines: readonly Line[]): Line[] {
  if (lines.length <= MAX_PROBLEMS) return [...lines];
  return [...lines.slice(0, MAX_PROBLEMS), `and ${lines.length - MAX_PROBLEMS} more (--json lists them)`];
}
