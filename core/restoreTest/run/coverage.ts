// How much of a machine a test has looked at, and, in words, what it has not.

import type { CheckResult, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import type { ChunkReport } from "../checks/check.js";
import { reaches } from "../spec/checkLevels.js";
import type { PreparedMachine } from "./prepareMachine.js";

type Coverage = Omit<RestoreTestRecord["coverage"], "disksTotal" | "bytesTotal">;

const RESTORED_UNTIL_READY =
  "the checks asked the machine that was started straight from the repository; the restored one was started until it was ready";

export function describeCoverage(
  { test, chosen, shape }: PreparedMachine,
  results: readonly CheckResult[],
  report: ChunkReport | null,
  volumesOpened: number,
): Coverage {
  const { archives } = chosen.snapshot.manifest;
  const mine = report?.snapshots.find(({ sid }) => sid === chosen.snapshot.sid);
  const isVerified = report?.level === "data" && mine?.result === "ok";
  const attached = new Set(shape.disks.map(({ name }) => name));
  const images = archives.filter(({ kind }) => kind === "image");
  const wasReady = results.some(({ type, outcome }) => type === "ready" && outcome === "passed");
  return {
    disks: wasReady ? images.filter(({ name }) => attached.has(name)).length : 0,
    bytesVerified: isVerified ? archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) : 0,
    chunksVerified: isVerified ? chosen.snapshot.manifest.statistics.chunksTotal : 0,
    volumesOpened,
    notTested: [
      ...levelsLeftOut(test.level),
      ...(wasReady && test.via === "both" ? [RESTORED_UNTIL_READY] : []),
      ...results.filter(({ outcome }) => isOpen(outcome)).map(({ id, reason }) => `${id}: ${reason ?? "not known"}`),
      ...images.filter(({ name }) => !attached.has(name)).map(({ name }) => `disk ${name} was not attached`),
      ...archives.filter(({ kind }) => kind === "tree").map(({ name }) => `the folder ${name} was read, not started`),
    ],
  };
}

function isOpen(outcome: CheckResult["outcome"]): boolean {
  return outcome === "inconclusive" || outcome === "skipped";
}

function levelsLeftOut(level: PreparedMachine["test"]["level"]): string[] {
  if (!reaches(level, "readable")) return ["file systems were not opened", "the machine was not started"];
  if (!reaches(level, "boots")) return ["the machine was not started"];
  if (!reaches(level, "serves")) return ["what the machine serves was not looked at"];
  return ["nothing outside the machine: what it needs from others was not there"];
}
