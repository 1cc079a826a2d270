// The part `files`: what it costs to look into a snapshot, beside guestfish.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, projectRoot } from "../disks.js";
import { type Command, type Cost, execute, measure, median } from "../measure.js";
import type { Verdict } from "../targets.js";
import { initReprise, repriseCommand } from "../tools/reprise.js";
import { passphrase } from "../tools/tool.js";
import type { AccessCost, AccessRequest, AccessStep } from "./fileAccess.js";
import { type GuestfishCost, type Missing, measureGuestfish } from "./guestfish.js";
import { makeSnapshots } from "./manySnapshots.js";
import { changedBytes, largeFilePath, makeDisk, manyEntriesPath, smallFilePath, virtualDisks } from "./virtualDisk.js";

export interface FileResults {
  diskBytes: number;
  /** Of several processes each; the folder and the file are read by processes of their own. */
  listFolder: AccessCost[];
  readFile: AccessCost[];
  diffDays: AccessCost[];
  /** Whole commands. */
  ls: Cost;
  cat: Cost;
  guestfish: GuestfishCost | Missing;
  /** Null: this build has no such verb. */
  history: { snapshots: number; cost: Cost } | null;
  diff: Cost | null;
}

const gibibyte = 2 ** 30;
const tries = 3;
const volume = "/disk/p1";

export async function measureFiles({ quick }: { quick: boolean }): Promise<FileResults> {
  console.log("files");
  const diskBytes = 100 * gibibyte;
  const disks = await virtualDisks({ diskBytes, largeFileBytes: 100 << 20, manyEntries: 20_000 });
  const folder = join(cacheFolder, `files-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await initReprise(folder);
    for (const disk of [disks.firstDay, disks.secondDay])
      await execute(repriseCommand(folder, ["backup", "--name", `disk=${disk}`, "--group", "vm/files"]));
    const verbs = await execute(repriseCommand(folder, ["--help"]));
    const has = (verb: string) => new RegExp(`^ +${verb} `, "m").test(verbs);
    const results: FileResults = {
      diskBytes,
      listFolder: await accessCosts(folder, { folder: manyEntriesPath }),
      readFile: await accessCosts(folder, { file: largeFilePath }),
      diffDays: await accessCosts(folder, { before: "vm/files~1" }),
      ls: await measure(repriseCommand(folder, ["ls", `vm/files@latest:${volume}`])),
      cat: await measure(intoNothing(repriseCommand(folder, ["cat", `vm/files@latest:${volume}${largeFilePath}`]))),
      guestfish: await measureGuestfish(disks.firstDay, largeFilePath),
      history: has("history") ? await measureHistory(folder, quick ? 10 : 100) : null,
      diff: has("diff") ? await measure(repriseCommand(folder, ["diff", "vm/files~1", "vm/files@latest"])) : null,
    };
    console.log(filesReport(results));
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What reads the output must not be part of the cost. */
function intoNothing({ program, args, ...rest }: Command): Command {
  return { ...rest, program: "bash", args: ["-c", '"$@" >/dev/null', "bash", program, ...args] };
}

async function accessCosts(folder: string, what: Partial<AccessRequest>): Promise<AccessCost[]> {
  const script = join(projectRoot, "build", "bench", "files", "accessProcess.js");
  const repository = join(folder, "repository");
  const nothing = { folder: null, file: null, before: null };
  const request: AccessRequest = { repository, passphrase, snapshot: "vm/files@latest", volume, ...nothing, ...what };
  const costs: AccessCost[] = [];
  for (let i = 0; i < tries; i++) {
    const output = await execute({ program: process.execPath, args: [script, JSON.stringify(request)] });
    costs.push(JSON.parse(output.trim().split("\n").at(-1)!) as AccessCost);
  }
  return costs;
}

async function measureHistory(folder: string, count: number): Promise<{ snapshots: number; cost: Cost }> {
  const [tree, disk] = [join(folder, "tree"), join(folder, "history.raw")];
  await mkdir(join(tree, "var", "log"), { recursive: true });
  await mkdir(join(tree, "etc"));
  await execute({ program: "cp", args: ["/etc/os-release", join(tree, smallFilePath)] });
  await makeDisk(disk, gibibyte, tree);
  const repository = join(folder, "repository");
  await makeSnapshots(disk, folder, { repository, passphrase, group: "vm/history", count });
  const command = repriseCommand(folder, ["history", `vm/history:${smallFilePath}`]);
  return { snapshots: count, cost: await measure(command) };
}

function middle(costs: readonly AccessCost[], pick: (cost: AccessCost) => AccessStep | null): AccessStep {
  const steps = costs.flatMap((cost) => pick(cost) ?? []);
  const each = (value: (step: AccessStep) => number) => median(steps.map(value));
  return {
    seconds: each(({ seconds }) => seconds),
    cpuSeconds: each(({ cpuSeconds }) => cpuSeconds),
    reads: each(({ reads }) => reads),
    bytes: each(({ bytes }) => bytes),
    amount: each(({ amount }) => amount),
  };
}

function stepsOf(results: FileResults): Record<"opened" | "top" | "folder" | "file" | "diff", AccessStep> {
  const all = [...results.listFolder, ...results.readFile, ...results.diffDays];
  return {
    diff: middle(results.diffDays, (cost) => cost.diff),
    opened: middle(all, (cost) => cost.openRepository),
    top: middle(all, (cost) => cost.listTop),
    folder: middle(results.listFolder, (cost) => cost.listFolder),
    file: middle(results.readFile, (cost) => cost.readFile),
  };
}

export function fileVerdicts(results: FileResults): Verdict[] {
  const { top, folder, file, diff } = stepsOf(results);
  const disk = `disk of ${results.diskBytes / gibibyte} GiB`;
  const atMost = (what: string, value: number | undefined, limit: number, unit: Verdict["unit"]): Verdict => {
    return { what, value, limit, atLeast: false, unit };
  };
  const { history } = results;
  return [
    atMost(`${disk}: opened and its top listed`, top.seconds * 1000, 150, "ms"),
    atMost(`${disk}: reads for that`, top.reads, 40, "reads"),
    atMost(`folder of ${folder.amount} entries listed`, folder.seconds, 0.5, "s"),
    {
      what: `file of ${(file.amount / 2 ** 20).toFixed(0)} MiB read`,
      value: file.amount / 1e6 / file.seconds,
      ...{ limit: 150, atLeast: true, unit: "MB/s" },
    },
    atMost("diff of two days: bytes read, relative to those changed", diff.bytes / changedBytes, 3, "×"),
    atMost(`history of a file over ${history?.snapshots ?? 100} snapshots`, history?.cost.wallSeconds, 2, "s"),
  ];
}

export function filesReport(results: FileResults): string {
  const { opened, top, folder, file, diff } = stepsOf(results);
  const { ls, cat, guestfish, history } = results;
  const step = (what: string, { seconds, cpuSeconds, reads, bytes }: AccessStep) =>
    `  ${what}: ${(seconds * 1000).toFixed(0)} ms (CPU ${(cpuSeconds * 1000).toFixed(0)} ms), ${reads} reads, ${(bytes / 1e6).toFixed(1)} MB`;
  const command = (what: string, cost: Cost | null | undefined) =>
    `  ${what}: ${cost ? `${cost.wallSeconds.toFixed(2)} s` : "not in this build"}`;
  const peer =
    "missing" in guestfish
      ? [`  guestfish: not run: ${guestfish.missing}`]
      : [
          command("guestfish: ls", guestfish.open),
          `  guestfish: read the file: ${guestfish.readSeconds.toFixed(2)} s, ${(file.amount / 1e6 / guestfish.readSeconds).toFixed(0)} MB/s`,
        ];
  return [
    step("repository opened (key derivation included)", opened),
    step("disk opened, top listed", top),
    step(`folder of ${folder.amount} entries listed`, folder),
    step(`file of ${file.amount} bytes read`, file),
    step(`two days compared, ${diff.amount} files differ`, diff),
    command("reprise ls, whole command", ls),
    command("reprise cat of the file, whole command", cat),
    ...peer,
    command(`reprise history over ${history?.snapshots ?? 100} snapshots, whole command`, history?.cost),
    command("reprise diff, whole command", results.diff),
  ].join("\n");
}
