// The S3 column by itself: against restic on the same server, against the same program on a folder, and how much of it
// the server is. Pure: numbers in, text and verdicts out.

import { type Cost, median, medianCost } from "../measure.js";
import { table } from "../report.js";
import { type SideBySideResults, type Step, steps } from "../sideBySide.js";
import type { Verdict } from "../targets.js";
import type { RawRate } from "./rawRate.js";

const ours = "reprise-s3";
const peer = "restic-s3";
const local = "reprise";

function costsOf(results: SideBySideResults, tool: string, step: Step): Cost[] {
  return results.get(tool)?.costs[step] ?? [];
}

function wall(results: SideBySideResults, tool: string, step: Step): number | undefined {
  const costs = costsOf(results, tool, step);
  return costs.length === 0 ? undefined : medianCost(costs).wallSeconds;
}

function ratio(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined ? undefined : over / under;
}

export function judgeS3(results: SideBySideResults): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const step of ["first backup", "restore"] as const) {
    const seconds = wall(results, ours, step);
    verdicts.push(
      {
        what: `${step} over S3: times as fast as restic over S3`,
        value: ratio(wall(results, peer, step), seconds),
        limit: 1.5,
        atLeast: true,
        unit: "×",
      },
      {
        what: `${step} over S3: share of the local folder's speed`,
        value: ratio(wall(results, local, step), seconds),
        limit: 0.5,
        atLeast: true,
        unit: "×",
      },
    );
  }
  const peaks = Object.values(results.get(ours)?.costs ?? {}).flatMap((costs) => costs.map((cost) => cost.peakBytes));
  verdicts.push({
    what: "peak memory of any step over S3",
    value: peaks.length === 0 ? undefined : Math.max(...peaks) / 1e6,
    limit: 400,
    atLeast: false,
    unit: "MB",
  });
  return verdicts;
}

export function s3Report(results: SideBySideResults, raw: RawRate, cores: number): string {
  const number = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(2));
  const middle = (values: readonly number[]) => number(values.length === 0 ? undefined : median(values));
  const rows = steps.map((step) => {
    const costs = costsOf(results, ours, step);
    const seconds = wall(results, ours, step);
    return [
      step as string,
      number(seconds),
      number(ratio(wall(results, peer, step), seconds)),
      number(ratio(wall(results, local, step), seconds)),
      middle(costs.map(({ cpuSeconds }) => cpuSeconds)),
      middle(costs.flatMap(({ serverCpuSeconds }) => serverCpuSeconds ?? [])),
      middle(costs.map((cost) => leastSeconds(cost, cores))),
      requestsText(costs),
    ];
  });
  const titles = ["over S3", "wall s", "restic ÷", "local ÷", "CPU s", "server CPU s", "least wall s", "requests"];
  return `${table([titles, ...rows])}\n\n${rawText(raw)}`;
}

/** No run on these cores can be shorter: its processor time and the server's have to fit. */
function leastSeconds({ cpuSeconds, serverCpuSeconds = 0 }: Cost, cores: number): number {
  return (cpuSeconds + serverCpuSeconds) / cores;
}

function requestsText(costs: readonly Cost[]): string {
  const traffic = costs.findLast(({ traffic }) => traffic !== undefined)?.traffic;
  if (traffic === undefined) return "–";
  const { requests, bytesUp, retries } = traffic;
  const sum = Object.values(requests).reduce((total, count) => total + count, 0);
  const kinds = Object.entries(requests).map(([kind, count]) => `${count} ${kind}`);
  const again = retries === 0 ? "" : `, ${retries} again`;
  return `${sum} (${kinds.join(", ")}${again}; ${(bytesUp / 1e6).toFixed(0)} MB up)`;
}

function rawText(raw: RawRate): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  return (
    `the S3 server alone: PUT ${megabytes(raw.putBytesPerSecond)} MB/s, GET ${megabytes(raw.getBytesPerSecond)} MB/s ` +
    `(${raw.objects} objects of ${megabytes(raw.objectBytes)} MB, ${raw.atOnce} at once); ` +
    `the PUTs took ${raw.putCpuSeconds.toFixed(2)} s of the client's processor time and ` +
    `${raw.putServerCpuSeconds.toFixed(2)} s of the server's`
  );
}
