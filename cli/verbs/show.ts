import { type RestoreTestState, resolveSnapshot, type Snapshot, type VerificationState } from "../../core/index.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { machineOf } from "../output/snapshotText.js";
import { factLines, tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, elapsedText, localTimeText, percentText } from "../output/units.js";
import { snapshotDocument } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const showVerb: Verb = {
  name: "show",
  summary: "show everything about one snapshot",
  operands: [SNAPSHOT_OPERAND],
  options: [],
  examples: [
    { command: "reprise show vm/web1@latest", meaning: "the newest snapshot of a machine" },
    { command: "reprise show 3f2a9c01 --json", meaning: "by the first digits of its id" },
  ],
  run: runShow,
};

async function runShow(context: Context, given: Given): Promise<Answer> {
  const { catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  return { document: snapshotDocument(snapshot), lines: showLines(snapshot) };
}

function showLines(snapshot: Snapshot): Line[] {
  const { manifest, sid, digest, tags, timeMs } = snapshot;
  const { statistics, tool } = manifest;
  const facts: [string, Line][] = [
    ["snapshot", styled("bold", sid)],
    ["machine", machineOf(snapshot)],
    ["time", `${localTimeText(timeMs)} (${manifest.time})`],
    ["taken by", `${manifest.host}, ${tool.name} ${tool.version}, in ${elapsedText(statistics.durationMs)}`],
    ["source", `${manifest.mode}, consistency ${manifest.consistency}`],
    [
      "new",
      `${bytesText(statistics.bytesNew)} (${percentText(statistics.bytesNew, statistics.bytesRead)} of ${bytesText(statistics.bytesRead)} read), ${countText(statistics.chunksNew, "chunk")}, stored as ${bytesText(statistics.bytesStored)}`,
    ],
    ["digest", digest],
    ["verified", verificationText(snapshot.verification)],
    ["tested", testText(snapshot.restoreTest)],
    ["protected", snapshot.protected ? "yes" : "no"],
  ];
  if (tags.length > 0) facts.push(["tags", tags.join(", ")]);
  if (manifest.repairedFrom !== null)
    facts.push(["repaired", `copy of ${manifest.repairedFrom} without what was lost`]);
  if (manifest.origin !== null)
    facts.push(["copy of", `${manifest.origin.snapshot} in repository ${manifest.origin.repositoryId}`]);
  return [...factLines(facts), "", ...archiveLines(snapshot), ...notesLines(snapshot.notes)];
}

function verificationText(verification: VerificationState | null): Line {
  if (verification === null) return styled("dim", "never");
  const { result, level, at, damagedRanges } = verification;
  const depth = level === "data" ? "every byte" : "structure";
  if (result === "ok") return `${at}: good (${depth})`;
  return styled("red", `${at}: DAMAGED, ${countText(damagedRanges, "range")} (${depth})`);
}

function testText(test: RestoreTestState | null): Line {
  if (test === null) return styled("dim", "never");
  const { outcome, provenLevel, at, of, recordId } = test;
  const proven = provenLevel === null ? "nothing proven" : `proven: ${provenLevel}`;
  const whose = of === "original" ? " (the original, in another repository)" : "";
  const text = `${at}: ${outcome}, ${proven}${whose}, record ${recordId.slice(0, 8)}`;
  return outcome === "failed" ? styled("red", text) : text;
}

function archiveLines({ manifest }: Snapshot): Line[] {
  const columns = [
    { title: "NAME" },
    { title: "KIND" },
    { title: "SIZE", align: "right" },
    { title: "FORMAT" },
    { title: "" },
  ] as const;
  const rows = manifest.archives.map(({ name, kind, sizeBytes, format, lost }): Line[] => {
    const losses = lost.length === 0 ? "" : styled("yellow", `${countText(lost.length, "range")} lost, read as zeros`);
    return [
      name,
      kind === "image" ? "disk" : kind === "tree" ? "folder" : "file",
      bytesText(sizeBytes),
      format,
      losses,
    ];
  });
  return tableLines(columns, rows);
}

function notesLines(notes: string): Line[] {
  return notes === "" ? [] : ["", ...notes.split("\n").map((line) => `  ${line}`)];
}
