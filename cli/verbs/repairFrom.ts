import { type ReplicaRepairReport, type ReplicaRepairSnapshot, repairFromReplica } from "../../core/index.js";
import type { Context } from "../context.js";
import { parseRate } from "../given/amounts.js";
import { type Given, usageError } from "../given/given.js";
import { BWLIMIT_OPTION, FROM_PASSPHRASE_OPTION } from "../given/replicaOptions.js";
import { type Line, styled } from "../output/text.js";
import { bytesText, countText } from "../output/units.js";
import type { Answer, Verb } from "../verb.js";

export const repairFromVerb: Verb = {
  name: "repair",
  summary: "rebuild what can be rebuilt; shows a plan first",
  details: [
    "With --from REPLICA: reads every byte of the repository, and fetches from the replica what snapshots have lost. The replica is another repository with copies of the same snapshots (see sync), in either direction; its key and chunk sizes may be others. Nothing is taken that is not exactly what was lost. The damaged packs stay until the next gc, and verify --read-data goes on naming them until then. Ends with exit code 1 when something could not be healed.",
  ],
  operands: [],
  options: [
    { flags: "--from <repository>", description: "fetch what is lost from this replica", completes: "folder" },
    FROM_PASSPHRASE_OPTION,
    { flags: "--dry-run", description: "with --from: only say what could be healed" },
    BWLIMIT_OPTION,
  ],
  examples: [
    { command: "reprise repair --from /mnt/offsite --dry-run", meaning: "what a replica could heal" },
    { command: "reprise repair --from /mnt/offsite", meaning: "heal it" },
  ],
  run: runRepairFrom,
};

async function runRepairFrom(context: Context, given: Given): Promise<Answer> {
  const from = given.text("from");
  if (from === undefined) throw usageError("repair: nothing was asked for", "see reprise repair --help");
  const dryRun = given.flag("dryRun");
  const bytesPerSecond = given.parsed("bwlimit", parseRate);
  const passphraseFile = given.text("fromPassphraseFile");
  const replica = await context.openOther(from, { passphraseFile, bytesPerSecond });
  const repository = await context.openRepository({ bytesPerSecond });
  const report = await repairFromReplica(repository, replica, { dryRun }, context.options);
  const failed = report.unreadable.length > 0 || report.snapshots.some(({ healed }) => !healed);
  return {
    document: documentOf(report, dryRun),
    lines: [...report.snapshots.flatMap(snapshotLines), ...unreadableLines(report)],
    summary: summaryOf(report, dryRun),
    ...(failed ? { failed: true } : {}),
  };
}

function documentOf({ snapshots, unreadable, ...counts }: ReplicaRepairReport, dryRun: boolean): unknown {
  return {
    dryRun,
    ...counts,
    snapshots: snapshots.map(({ sid, replica, ...rest }) => ({ snapshotId: sid, replicaSnapshotId: replica, ...rest })),
    unreadable: unreadable.map(({ sid, ...problem }) => ({ snapshotId: sid, ...problem })),
  };
}

function snapshotLines({ sid, namespace, group, time, ranges, healed }: ReplicaRepairSnapshot): Line[] {
  const name = `${namespace === "" ? "" : `${namespace}:`}${group}@${time}`;
  const left = ranges.filter((range) => !range.healed);
  return [
    [
      styled("bold", name),
      "  ",
      styled("dim", sid.slice(0, 8)),
      healed ? styled("green", "  healed") : styled("red", "  still damaged"),
    ],
    ...left.map(({ archive, offset, length, reason }) => {
      return `  ${archive}: ${bytesText(length)} at byte ${offset}: ${reason ?? "still lost"}`;
    }),
  ];
}

function unreadableLines({ unreadable }: ReplicaRepairReport): Line[] {
  return unreadable.map(({ object, message }) => [
    styled("red", `${object} cannot be read: `),
    message,
    "; give it up with forget, and copy the snapshot back with sync",
  ]);
}

function summaryOf({ snapshots, blobs, bytes }: ReplicaRepairReport, dryRun: boolean): Line[] {
  if (snapshots.length === 0) return ["every byte that snapshots need is there: nothing to heal"];
  const amount = `${countText(blobs, "chunk or map", "chunks and maps")}, ${bytesText(bytes)}`;
  if (dryRun) return [`could fetch ${amount} from the replica; without --dry-run it is done`];
  const healed = snapshots.filter((snapshot) => snapshot.healed).length;
  return [
    `fetched ${amount}; ${healed} of ${countText(snapshots.length, "damaged snapshot")} healed`,
    "the damaged packs stay until the next gc, and verify --read-data names them until then (exit code 1)",
  ];
}
