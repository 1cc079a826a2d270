// `restore` with a path: files and folders instead of whole disks.

import {
  type RestoreFilesReport,
  type RestoreFilesRequest,
  refuseTargetInside,
  restoreFiles,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { parseFilePlace } from "../given/filePlace.js";
import { type Given, optionName, usageError } from "../given/given.js";
import { openTree, resolvePlace } from "../openTree.js";
import { machineOf } from "../output/snapshotText.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, elapsedText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer } from "../verb.js";

/** More than these are only counted. */
const MAX_NAMED = 1000;

export async function restoreFilesTo(context: Context, given: Given, to: string): Promise<Answer> {
  refuseDiskOptions(given, to);
  const started = performance.now();
  const place = parseFilePlace(given.operand(0));
  const opened = await context.openCatalog();
  await refuseTargetInside(opened.repository.backend, to);
  const { snapshot, tree } = await openTree(context, place.snapshot, opened);
  const source = await resolvePlace(context, tree, place);
  const dryRun = given.flag("dryRun");
  const skipped: { path: string; reason: string }[] = [];
  const report = await restoreFiles(
    {
      ...{ tree, source, name: place.path.at(-1) ?? null, to, dryRun, existing: existingOf(given) },
      ...{ owners: given.flag("owner"), devices: given.flag("devices") },
    },
    {
      ...context.options,
      onSkipped: (file) => {
        if (skipped.length === MAX_NAMED) return;
        skipped.push(file);
        const message = `${file.path} is not restored: ${file.reason}`;
        context.onWarning({ code: "FILE_NOT_RESTORED", message, data: { ...file } });
      },
    },
  );
  for (const left of report.leftOut) {
    const others = left.files > 1 ? ` and ${countText(left.files - 1, "other")}` : "";
    const message = `${left.what} of ${left.example}${others}: ${left.reason}`;
    context.onWarning({ code: "FILE_ATTRIBUTES_LEFT_OUT", message, data: { ...left } });
  }
  const durationMs = Math.round(performance.now() - started);
  const head = dryRun ? "would restore " : "restored ";
  return {
    document: { ...snapshotReference(snapshot), to, dryRun, ...report, skippedFiles: skipped, durationMs },
    lines: [],
    summary: [
      [head, styled("bold", given.operand(0)), ` of ${machineOf(snapshot)} as of ${snapshot.manifest.time} to ${to}`],
      ...countLines(report, dryRun),
      `in ${elapsedText(durationMs)}${dryRun ? "" : ", every chunk checked"}`,
    ],
  };
}

function existingOf(given: Given): RestoreFilesRequest["existing"] {
  const [force, keep] = [given.flag("force"), given.flag("keepExisting")];
  if (force && keep) throw usageError("--force replaces what is there, --keep-existing leaves it", "give one of them");
  return force ? "replace" : keep ? "keep" : "refuse";
}

function refuseDiskOptions(given: Given, to: string): void {
  if (to === "-") throw usageError("files are restored into a folder", "one file: cat; a folder as a stream: tar");
  for (const option of ["verify", "skipDamaged"])
    if (given.flag(option)) throw usageError(`${optionName(option)} is for whole disks`);
  if (given.has("format") || given.texts("disk").length > 0 || !given.flag("resume"))
    throw usageError("--format, --disk and --no-resume are for whole disks");
}

function countLines(report: RestoreFilesReport, dryRun: boolean): Line[] {
  const { files, folders, links, hardLinks, special, sizeBytes, bytesWritten, kept, skipped } = report;
  const counts = [
    countText(files, "file"),
    countText(folders, "folder"),
    ...(links > 0 ? [countText(links, "link")] : []),
    ...(hardLinks > 0 ? [countText(hardLinks, "hard link")] : []),
    ...(special > 0 ? [countText(special, "device or pipe", "devices and pipes")] : []),
  ];
  const written = dryRun ? "" : `, ${bytesText(bytesWritten)} written`;
  const lines: Line[] = [`  ${counts.join(", ")}: ${bytesText(sizeBytes)}${written}`];
  if (kept > 0) lines.push(`  ${countText(kept, "file")} left alone: there already`);
  if (skipped > 0) lines.push(["  ", styled("yellow", `${countText(skipped, "file")} not restored`)]);
  return lines;
}
