// `npm run bench [-- --rounds N --only NAME,NAME --quick]`: see bench/README.md.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { benchDisks, largeDisk, projectRoot, usedBytes } from "./disks.js";
import { fileVerdicts, measureFiles } from "./files/filesPart.js";
import { measureFloor } from "./floor.js";
import { medianCost } from "./measure.js";
import { type BenchOptions, readOptions } from "./options.js";
import { sideBySideReport, verdictReport } from "./report.js";
import { stopBenchGateway } from "./s3/gateway.js";
import { measureRawRate, type RawRate } from "./s3/rawRate.js";
import { judgeS3, s3Report } from "./s3/s3Report.js";
import { measureEmptyDisk } from "./scale/emptyDisk.js";
import { measureFirstBackup } from "./scale/largeDisk.js";
import { measureChunkIndex, measureSnapshotList } from "./scale/repositories.js";
import { runSideBySide, type SideBySideResults } from "./sideBySide.js";
import { judgeSideBySide, type Verdict } from "./targets.js";
import { reprise, repriseS3 } from "./tools/reprise.js";
import type { BenchTool } from "./tools/tool.js";

const tebibyte = 2 ** 40;

interface Machine {
  date: string;
  processor: string | undefined;
  cores: number;
  memoryBytes: number;
  kernel: string;
  /** Of the last minute, before anything of this run. */
  loadAverage: number;
  tools: string[];
}

async function describeMachine(chosen: readonly BenchTool[]): Promise<Machine> {
  const [processor] = cpus();
  const descriptions = await Promise.all(chosen.map((tool) => tool.describe()));
  return {
    date: new Date().toISOString(),
    processor: processor?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    loadAverage: loadavg()[0]!,
    tools: descriptions,
  };
}

async function runScale(options: BenchOptions, results: SideBySideResults | undefined): Promise<[object, Verdict[]]> {
  const measured: Record<string, unknown> = {};
  const verdicts: Verdict[] = [];
  const megabytes = (what: string, bytes: number): Verdict => {
    return { what, value: bytes / 1e6, limit: 400, atLeast: false, unit: "MB" };
  };
  for (const part of options.scale) {
    console.log(`scale: ${part}`);
    if (part === "large") {
      const cost = await measureFirstBackup(await largeDisk(await benchDisks()));
      const first = results?.get("reprise")?.costs["first backup"]?.map(({ peakBytes }) => peakBytes);
      measured.large = cost;
      verdicts.push(megabytes("peak memory, disk of three times the size", cost.peakBytes));
      const value = first === undefined ? undefined : cost.peakBytes / Math.max(...first);
      verdicts.push({
        what: "peak memory, relative to the small disk's",
        value,
        limit: 1.25,
        atLeast: false,
        unit: "×",
      });
    } else if (part === "empty") {
      const cost = await measureEmptyDisk(tebibyte);
      measured.empty = cost;
      verdicts.push(megabytes("peak memory, empty disk of 1 TiB", cost.peakBytes));
      verdicts.push({ what: "empty disk of 1 TiB", value: cost.wallSeconds, limit: 10, atLeast: false, unit: "s" });
    } else if (part === "index") {
      const index = await measureChunkIndex(options.quick ? 1e6 : 1e7);
      measured.index = index;
      verdicts.push({
        what: "index in memory, per chunk",
        value: index.bytesPerChunk,
        limit: 48,
        atLeast: false,
        unit: "bytes",
      });
    } else {
      const snapshots = await measureSnapshotList(options.quick ? 1e3 : 1e4);
      measured.snapshots = snapshots;
      const what = `${snapshots.count} snapshots listed, warm cache`;
      verdicts.push({ what, value: snapshots.cachedSeconds, limit: 1, atLeast: false, unit: "s" });
    }
    console.log(JSON.stringify(measured[part]));
  }
  return [measured, verdicts];
}

/** How close the first backup comes to the time of its bare primitives. */
async function judgeFloor(diskPath: string, results: SideBySideResults): Promise<Verdict[]> {
  const first = results.get("reprise")?.costs["first backup"];
  if (first === undefined || first.length === 0) return [];
  const floor = await measureFloor(diskPath);
  const { cut, hash, compress, encrypt, cores, bytes } = floor;
  const parts = { cut, hash, compress, encrypt, sum: cut + hash + compress + encrypt };
  const shown = Object.entries(parts).map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`);
  console.log(
    `floor: ${shown.join(", ")} in one thread over ${(bytes / 1e6).toFixed(0)} MB; on ${cores} cores ${floor.seconds.toFixed(2)} s`,
  );
  const value = medianCost(first).wallSeconds / floor.seconds;
  return [{ what: "first backup, relative to its floor", value, limit: 1.2, atLeast: false, unit: "×" }];
}

interface Comparison {
  disks: Record<string, number>;
  results: SideBySideResults;
  rawS3?: RawRate;
  verdicts: Verdict[];
}

async function compareTools({ tools, rounds, quick }: BenchOptions): Promise<Comparison | undefined> {
  if (tools.length === 0) return undefined;
  const paths = await benchDisks();
  const disks: Record<string, number> = {};
  for (const [name, path] of Object.entries(paths)) disks[name] = await usedBytes(path);
  try {
    const results = await runSideBySide(tools, paths, rounds);
    const verdicts = judgeSideBySide(results);
    verdicts.push(...(await judgeFloor(paths.shop, results)));
    if (!tools.includes(repriseS3)) return { disks, results, verdicts };
    verdicts.push(...judgeS3(results));
    return { disks, results, rawS3: await measureRawRate(quick ? 8 : 24), verdicts };
  } finally {
    await stopBenchGateway();
  }
}

async function store(content: object): Promise<void> {
  const folder = join(projectRoot, "bench", "results");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "latest.json");
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  console.log(`\nresults: ${file}`);
}

function needsCli({ tools, scale, files }: BenchOptions): boolean {
  const ours = tools.includes(reprise) || tools.includes(repriseS3);
  return ours || files || scale.includes("large") || scale.includes("empty");
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const cli = join(projectRoot, "dist", "cli", "reprise.mjs");
  if (needsCli(options) && !existsSync(cli)) throw new Error(`${cli} is not built`);
  const machine = await describeMachine(options.tools);
  console.log(JSON.stringify(machine, null, 2));
  if (machine.loadAverage > machine.cores / 2) {
    const load = machine.loadAverage.toFixed(1);
    console.warn(
      `other work is running (load ${load} on ${machine.cores} cores): times will be long and ratios will vary`,
    );
  }
  const compared = await compareTools(options);
  const results = compared?.results;
  const [scale, scaleVerdicts] = await runScale(options, results);
  const files = options.files ? await measureFiles({ quick: options.quick }) : undefined;
  const verdicts = [
    ...(compared?.verdicts ?? []),
    ...scaleVerdicts,
    ...(files === undefined ? [] : fileVerdicts(files)),
  ];
  if (results !== undefined) console.log(`\n${sideBySideReport(results)}`);
  if (results !== undefined && compared?.rawS3 !== undefined)
    console.log(`\n${s3Report(results, compared.rawS3, cpus().length)}`);
  console.log(`\n${verdictReport(verdicts)}`);
  const sideBySide = results === undefined ? undefined : Object.fromEntries(results);
  const { rounds } = options;
  await store({ machine, rounds, disks: compared?.disks, sideBySide, rawS3: compared?.rawS3, scale, files, verdicts });
  if ([...(results?.values() ?? [])].some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

await main();
