// What a restore did, as a sentence and as a report to keep.

import type { RestoredDisksData, RestoredFilesData } from "../service/restoreProtocol.js";
import { durationText } from "./progressMeter.js";
import { lastNames, shortened } from "./shownName.js";
import { sizeText, type Translate } from "./words.js";

export interface RestoreDone {
  /** What was restored, as in `prod:vm/web1 /sda/p2/etc`. */
  subject: string;
  /** The same without the machine. */
  name: string;
  /** When the snapshot was made. */
  time: string;
  to: string;
  seconds: number;
  files: RestoredFilesData | null;
  disks: RestoredDisksData["disks"];
}

export function restoreSummary(done: RestoreDone, locale: string, t: Translate): string {
  const bytes = (done.files?.bytesWritten ?? 0) + done.disks.reduce((sum, disk) => sum + disk.bytesWritten, 0);
  const [written, took] = [sizeText(bytes, locale), durationText(done.seconds, t)];
  const parts = [wordsFor(done, written, took, t)];
  const { skipped = 0, kept = 0 } = done.files ?? {};
  const lost = lostRanges(done);
  if (kept > 0) parts.push(t("{0} were there already and were kept.", kept));
  if (skipped > 0) parts.push(t("{0} could not be restored.", skipped));
  if (lost > 0) parts.push(t("{0} damaged ranges are zeros.", lost));
  return parts.join(" ");
}

function wordsFor({ name, to, disks, files }: RestoreDone, written: string, took: string, t: Translate): string {
  const place = shortened(lastNames(to), 80);
  const diskNames = disks.map((disk) => disk.name).join(", ");
  if (disks.length > 0)
    return t("Restored {0} to {1}: {2} written in {3}, every chunk checked.", diskNames, place, written, took);
  const counts = countWords(files?.files ?? 0, files?.folders ?? 0, t);
  return t("Restored {0} to {1}: {2}, {3} written in {4}.", shortened(name, 80), place, counts, written, took);
}

function countWords(files: number, folders: number, t: Translate): string {
  const parts = [files === 1 ? t("1 file") : t("{0} files", files)];
  if (folders > 0) parts.push(folders === 1 ? t("1 folder") : t("{0} folders", folders));
  return parts.join(", ");
}

/** Whether somebody has to look. */
export function isIncomplete(done: RestoreDone): boolean {
  return (done.files?.skipped ?? 0) > 0 || lostRanges(done) > 0;
}

/** Plain text; `skipped` and `lost` are told in full as far as they are named. */
export function restoreReportText(done: RestoreDone, locale: string, t: Translate): string {
  const { files, disks } = done;
  const lines = [
    restoreSummary(done, locale, t),
    "",
    `${t("Restored")}: ${done.subject}`,
    `${t("As of")}: ${done.time}`,
    `${t("Target")}: ${done.to}`,
    ...disks.flatMap((disk) => [
      `  ${disk.name} → ${disk.path} (${sizeText(disk.sizeBytes, locale)})`,
      ...disk.lost.map(({ offset, length, reason }) => `    ${t("zeros")}: ${offset} + ${length} (${reason})`),
    ]),
  ];
  if (files === null) return lines.join("\n");
  const { skippedFiles, skipped, leftOut } = files;
  if (skipped > 0) lines.push("", t("Not restored: {0}", skipped));
  for (const { path, reason } of skippedFiles) lines.push(`  ${path}: ${reason}`);
  if (skipped > skippedFiles.length) lines.push(`  ${t("… and {0} more", skipped - skippedFiles.length)}`);
  if (leftOut.length > 0) lines.push("", t("Attributes that have no place on the target:"));
  for (const { what, reason, files: count, example } of leftOut)
    lines.push(`  ${what}: ${reason} (${count}, ${example})`);
  return lines.join("\n");
}

function lostRanges({ disks }: RestoreDone): number {
  return disks.reduce((sum, { lost }) => sum + lost.length, 0);
}

/** `web1-20261122-100200`: a name of its own for each snapshot, in UTC. */
export function restoreFolderName({ machine, timeMs }: { machine: string; timeMs: number }): string {
  const stamp = new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `${machine.slice(machine.lastIndexOf("/") + 1)}-${stamp}`;
}
