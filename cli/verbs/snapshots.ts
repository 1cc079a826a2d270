import type { Snapshot } from "../../core/index.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { fitsMachine, NAMESPACE_OPTION, readMachineFilter, unknownMachines } from "../given/machine.js";
import { badges, idDigits, machineOf } from "../output/snapshotText.js";
import { tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText, localTimeText } from "../output/units.js";
import { sizeOf, snapshotDocument } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

export const snapshotsVerb: Verb = {
  name: "snapshots",
  summary: "list snapshots, oldest first",
  operands: [],
  options: [
    { flags: "-g, --group <machine>", description: "only this machine", many: true, completes: "group" },
    NAMESPACE_OPTION,
    {
      flags: "--tag <tag>",
      description: "only snapshots with this tag (given twice: with both)",
      many: true,
      completes: "nothing",
    },
    { flags: "-n, --last <count>", description: "only the newest ones of each machine", completes: "nothing" },
  ],
  examples: [
    { command: "reprise snapshots", meaning: "all of them" },
    { command: "reprise snapshots --group vm/web1 --last 3", meaning: "the newest three of one machine" },
    { command: "reprise snapshots --json | jq -r '.[].snapshotId'", meaning: "only the ids" },
  ],
  run: runSnapshots,
};

async function runSnapshots(context: Context, given: Given): Promise<Answer> {
  const filter = readMachineFilter(given);
  const last = given.integer("last", 1);
  const tags = given.texts("tag");
  const { catalog } = await context.openCatalog();
  const unknown = unknownMachines(
    filter,
    catalog.snapshots.map(({ manifest }) => manifest),
  );
  if (unknown !== null) context.note(unknown.message);
  const fitting = catalog.snapshots.filter(
    (snapshot) => fitsMachine(filter, snapshot.manifest) && tags.every((tag) => snapshot.tags.includes(tag)),
  );
  const chosen = last === undefined ? fitting : newestOfEach(fitting, last);
  const digits = idDigits(catalog.snapshots.map(({ sid }) => sid));
  return { document: chosen.map(snapshotDocument), lines: listLines(chosen, digits), summary: [totalLine(chosen)] };
}

/** The last `count` of each machine, in the order of the list. */
function newestOfEach(snapshots: readonly Snapshot[], count: number): Snapshot[] {
  const byMachine = Map.groupBy(snapshots, machineOf);
  const kept = new Set([...byMachine.values()].flatMap((ofMachine) => ofMachine.slice(-count)));
  return snapshots.filter((snapshot) => kept.has(snapshot));
}

const COLUMNS = [
  { title: "ID" },
  { title: "TIME" },
  { title: "MACHINE" },
  { title: "CONTENTS" },
  { title: "SIZE", align: "right" },
  { title: "NEW", align: "right" },
  { title: "" },
] as const;

function listLines(snapshots: readonly Snapshot[], digits: number): Line[] {
  if (snapshots.length === 0) return [];
  const rows = snapshots.map((snapshot): Line[] => {
    const { archives, statistics } = snapshot.manifest;
    return [
      snapshot.sid.slice(0, digits),
      localTimeText(snapshot.timeMs),
      machineOf(snapshot),
      contentsText(archives.filter(({ kind }) => kind !== "file").map(({ name }) => name)),
      bytesText(sizeOf(archives)),
      bytesText(statistics.bytesNew),
      badges(snapshot),
    ];
  });
  return tableLines(COLUMNS, rows);
}

function contentsText(names: readonly string[]): string {
  const text = names.join(",");
  return text.length <= 24 ? text : `${text.slice(0, 21)}… (${names.length})`;
}

function totalLine(snapshots: readonly Snapshot[]): Line {
  const machines = new Set(snapshots.map(machineOf)).size;
  if (snapshots.length === 0) return styled("dim", "no snapshots");
  return styled("dim", `${countText(snapshots.length, "snapshot")} of ${countText(machines, "machine")}`);
}
