import {
  formatTreePath,
  type HistoryPeriod,
  openSnapshotTree,
  type PathVersion,
  pathHistory,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { timeText } from "../fileDocument.js";
import { parseMachinePlace } from "../given/filePlace.js";
import type { Given } from "../given/given.js";
import { openMachine } from "../openTree.js";
import { tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, localTimeText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const historyVerb: Verb = {
  name: "history",
  summary: "show all versions of a file over the snapshots of a machine",
  details: [
    "Versions are told apart by their contents, not by their times. What has not changed on the disk is not read. Folders are compared by the names in them, links by their targets.",
  ],
  operands: [
    {
      name: "<machine:/path>",
      description: "as in vm/web1:/etc/nginx/nginx.conf or prod:vm/web1:/etc",
      completes: "machine-place",
    },
  ],
  options: [],
  examples: [
    { command: "reprise history vm/web1:/etc/nginx/nginx.conf", meaning: "when it changed, and when it was not there" },
  ],
  run: runHistory,
};

async function runHistory(context: Context, given: Given): Promise<Answer> {
  const { machine, path } = parseMachinePlace(given.operand(0));
  const { snapshots, fetcher } = await openMachine(context, machine);
  const open = (snapshot: (typeof snapshots)[number]) => openSnapshotTree(snapshot, fetcher, context.options);
  const { versions, periods } = await pathHistory(snapshots, open, path, context.options);
  for (const { problem, first } of periods) {
    if (problem === null) continue;
    context.onWarning({ code: "FILE_UNREADABLE", message: `${first.manifest.time}: ${problem}`, data: { problem } });
  }
  const found = versions.length === 0 ? "it is in none of them" : countText(versions.length, "version");
  return {
    document: {
      ...{ machine, path: formatTreePath(path), snapshots: snapshots.length },
      versions: versions.map(versionDocument),
      periods: periods.map(periodDocument),
    },
    lines: historyLines(versions, periods),
    summary: [`${found} in ${countText(snapshots.length, "snapshot")} of ${machine}`],
  };
}

function versionDocument({ first, last, path, modifiedAtNs, ...version }: PathVersion): Record<string, unknown> {
  return {
    ...version,
    path: formatTreePath(path),
    modifiedAt: timeText(modifiedAtNs),
    first: snapshotReference(first),
    last: snapshotReference(last),
  };
}

function periodDocument({ first, last, ...period }: HistoryPeriod): Record<string, unknown> {
  return { ...period, first: snapshotReference(first), last: snapshotReference(last) };
}

function historyLines(versions: readonly PathVersion[], periods: readonly HistoryPeriod[]): Line[] {
  const columns = [
    { title: "VERSION", align: "right" },
    { title: "FIRST" },
    { title: "LAST" },
    { title: "SNAPSHOTS", align: "right" },
    { title: "SIZE", align: "right" },
    { title: "MODIFIED" },
  ] as const;
  return tableLines(
    columns,
    periods.map(({ version, problem, first, last, snapshots }) => {
      const times = [first, last].map(({ timeMs }) => localTimeText(timeMs));
      const shown = version === null ? undefined : versions[version - 1];
      const [from = "", to = ""] = times;
      const start: Line[] = [String(version ?? "–"), from, to, String(snapshots)];
      if (shown === undefined)
        return [...start, "", problem === null ? styled("dim", "not there") : styled("red", problem)];
      const { kind, sizeBytes, modifiedAtNs } = shown;
      const modified = modifiedAtNs === null ? "" : localTimeText(Number(modifiedAtNs / 1_000_000n));
      return [...start, kind === "file" ? bytesText(sizeBytes) : kind, modified];
    }),
  );
}
