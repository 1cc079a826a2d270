import {
  type BackupRequest,
  type BackupResult,
  type Manifest,
  qualifiedGroup,
  type SnapshotStatistics,
} from "../../core/index.js";
import { type Line, styled } from "./text.js";
import { bytesText, countText, elapsedText, percentText, ratioText } from "./units.js";

/** What a backup did: what was read, what of it was new, and what that took. */
export function backupLines(
  request: Pick<BackupRequest, "namespace" | "group">,
  manifest: Manifest | null,
  statistics: SnapshotStatistics,
  trees: BackupResult["trees"] = [],
): Line[] {
  const machine = qualifiedGroup(request.namespace, request.group);
  const lines: Line[] = [];
  if (manifest === null) lines.push(["dry run: ", styled("bold", machine), ", nothing was stored"]);
  else {
    lines.push(["snapshot ", styled("bold", manifest.sid.slice(0, 8)), ` of ${machine}, ${manifest.time}`]);
    const width = Math.max(...manifest.archives.map(({ name }) => name.length));
    for (const { name, sizeBytes, format } of manifest.archives) {
      lines.push(["  ", name.padEnd(width), "  ", bytesText(sizeBytes).padStart(9), "  ", styled("dim", format)]);
    }
  }
  lines.push(...trees.map(treeLine));
  return [...lines, ...statisticsLines(statistics, manifest === null)];
}

function statisticsLines(statistics: SnapshotStatistics, isDryRun: boolean): Line[] {
  const { bytesRead, bytesNew, bytesStored, chunksNew, chunksTotal, durationMs } = statistics;
  const speed = durationMs > 0 ? `, ${bytesText((bytesRead / durationMs) * 1000)}/s` : "";
  const read = `read    ${bytesText(bytesRead)} in ${elapsedText(durationMs)}${speed}`;
  const share = `${percentText(bytesNew, bytesRead)} of what was read`;
  const chunks = `${countText(chunksNew, "chunk")} of ${chunksTotal.toLocaleString("en-US")}`;
  if (bytesNew === 0) return [read, `new     nothing: all ${countText(chunksTotal, "chunk")} were stored already`];
  const lines: Line[] = [read, `new     ${bytesText(bytesNew)}, ${share} (${chunks})`];
  if (!isDryRun) lines.push(`stored  ${bytesText(bytesStored)}, compressed ${ratioText(bytesNew, bytesStored)}`);
  return lines;
}

function treeLine({ name, files, folders, filesUnchanged, excluded, unreadable }: BackupResult["trees"][number]): Line {
  const parts = [
    countText(files, "file"),
    countText(folders, "folder"),
    `${filesUnchanged.toLocaleString("en-US")} unchanged`,
  ];
  if (excluded > 0) parts.push(`${excluded.toLocaleString("en-US")} excluded`);
  const line = `${name}: ${parts.join(", ")}`;
  return unreadable === 0 ? line : [`${line}, `, styled("red", `${unreadable.toLocaleString("en-US")} unreadable`)];
}
