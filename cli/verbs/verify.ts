import { type Catalog, type SnapshotVerdict, type VerifyReport, verifyRepository } from "../../core/index.js";
import { type Context, resolveSnapshots } from "../context.js";
import { parseSpanMs, parseSubset } from "../given/amounts.js";
import { type Given, usageError } from "../given/given.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { verifyLines, verifySummary } from "../output/verifyText.js";
import type { Answer, Verb } from "../verb.js";

export const verifyVerb: Verb = {
  name: "verify",
  summary: "prove that stored data is undamaged",
  details: [
    "Without --read-data: every small object opens, and every chunk that a snapshot needs is in a pack. With it every byte of the packs is read and every digest computed. Ends with exit code 1 when something is damaged, and names the snapshots, disks and bytes that it touches.",
  ],
  operands: [
    { ...SNAPSHOT_OPERAND, name: "[snapshot...]", description: `${SNAPSHOT_OPERAND.description}; without: everything` },
  ],
  options: [
    { flags: "--read-data", description: "read and check every byte" },
    { flags: "--ignore-verified", description: "leave out snapshots that were found good before" },
    {
      flags: "--outdated-after <duration>",
      description: "but not when that is longer ago than this, as in 30d",
      completes: "nothing",
    },
    {
      flags: "--subset <n/t>",
      description: "with --read-data: only the n-th of t parts of the packs",
      completes: "nothing",
    },
    { flags: "--no-record", description: "do not store the result with the snapshots" },
  ],
  examples: [
    { command: "reprise verify --read-data", meaning: "everything" },
    {
      command: "reprise verify --read-data --ignore-verified --outdated-after 30d",
      meaning: "what is new, and each old snapshot once a month",
    },
    {
      command: "reprise verify --read-data --subset 1/7",
      meaning: "a seventh of the packs, another one on each day of the week",
    },
  ],
  run: runVerify,
};

async function runVerify(context: Context, given: Given): Promise<Answer> {
  const outdatedAfterMs = given.parsed("outdatedAfter", parseSpanMs) ?? null;
  const ignoreVerified = given.flag("ignoreVerified");
  const readData = given.flag("readData");
  const subset = given.parsed("subset", parseSubset) ?? null;
  if (outdatedAfterMs !== null && !ignoreVerified)
    throw usageError("--outdated-after limits --ignore-verified: give both");
  if (subset !== null && !readData) throw usageError("--subset is about reading data: give --read-data as well");
  if (readData) context.warmUp();
  const { repository, catalog } = await context.openCatalog();
  const snapshots = given.operands.length === 0 ? null : resolveSnapshots(given.operands, catalog);
  const request = { snapshots, readData, ignoreVerified, outdatedAfterMs, subset, record: given.flag("record") };
  const report = await verifyRepository(repository, request, context.options);
  return {
    document: verifyDocument(report),
    lines: verifyLines(report, idsOf(catalog)),
    summary: verifySummary(report),
    ...(report.ok ? {} : { failed: true }),
  };
}

function idsOf({ snapshots }: Catalog): string[] {
  return snapshots.map(({ sid }) => sid);
}

function verifyDocument({ snapshots, ...report }: VerifyReport): unknown {
  return { ...report, snapshots: snapshots.map(verdictDocument) };
}

function verdictDocument({ sid, damaged, ...verdict }: SnapshotVerdict): unknown {
  const ranges = damaged.map(({ archive, path, offset, length, reason }) => ({
    archive,
    path,
    offset,
    length,
    reason,
  }));
  return { snapshotId: sid, ...verdict, damaged: ranges };
}
