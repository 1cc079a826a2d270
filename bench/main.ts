// `npm run bench [-- --rounds N --only NAME,NAME --quick]`: see bench/README.md.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchDisks, largeDisk, projectRoot, usedBytes } from "./disks.js";
import { measureFloor } from "./floor.js";
import { medianCost } from "./measure.js";
import { sideBySideReport, verdictReport } from "./report.js";
import { measureEmptyDisk } from "./scale/emptyDisk.js";
import { measureFirstBackup } from "./scale/largeDisk.js";
import { measureChunkIndex, measureSnapshotList } from "./scale/repositories.js";
import { runSideBySide, type SideBySideResults } from "./sideBySide.js";
import { judgeSideBySide, type Verdict } from "./targets.js";
import { borg } from "./tools/borg.js";
import { copy } from "./tools/copy.js";
import { reprise } from "./tools/reprise.js";
import { restic } from "./tools/restic.js";
import type { BenchTool } from "./tools/tool.js";

const tools: BenchTool[] = [reprise, restic, borg, copy];
const scaleParts = ["large", "empty", "index", "snapshots"] as const;
const tebibyte = 2 ** 40;

interface Options {
  rounds: number;
  tools: BenchTool[];
  scale: string[];
  quick: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: { rounds: { type: "string" }, only: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const known = [...tools.map((tool) => tool.name), ...scaleParts];
  const names = values.only?.split(",") ?? (values.quick ? ["reprise", "restic", "cp"] : known);
  const unknown = names.filter((name) => !known.includes(name));
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--only takes ${known.join(",")}; --rounds a number above 0`);
  }
  return {
    rounds,
    tools: tools.filter((tool) => names.includes(tool.name)),
    scale: scaleParts.filter((part) => names.includes(part)),
    quick: values.quick,
  };
}

async function describeMachine(chosen: readonly BenchTool[]): Promise<Record<string, unknown>> {
  const [processor] = cpus();
  const descriptions = await Promise.all(chosen.map((tool) => tool.describe()));
  return {
    date: new Date().toISOString(),
    processor: processor?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    tools: descriptions,
  };
}

async function runScale(options: Options, results: SideBySideResults | undefined): Promise<[object, Verdict[]]> {
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

async function main(): Promise<void> {
  const options = readOptions();
  const cli = join(projectRoot, "dist", "cli", "reprise.mjs");
  const needsCli =
    options.tools.includes(reprise) || options.scale.some((part) => part === "large" || part === "empty");
  if (needsCli && !existsSync(cli)) throw new Error(`${cli} is not built`);
  const machine = await describeMachine(options.tools);
  console.log(JSON.stringify(machine, null, 2));
  const verdicts: Verdict[] = [];
  let results: SideBySideResults | undefined;
  let disks: Record<string, number> | undefined;
  if (options.tools.length > 0) {
    const paths = await benchDisks();
    disks = {};
    for (const [name, path] of Object.entries(paths)) disks[name] = await usedBytes(path);
    results = await runSideBySide(options.tools, paths, options.rounds);
    verdicts.push(...judgeSideBySide(results));
    verdicts.push(...(await judgeFloor(paths.shop, results)));
  }
  const [scale, scaleVerdicts] = await runScale(options, results);
  verdicts.push(...scaleVerdicts);
  if (results !== undefined) console.log(`\n${sideBySideReport(results)}`);
  console.log(`\n${verdictReport(verdicts)}`);
  const sideBySide = results === undefined ? undefined : Object.fromEntries(results);
  await mkdir(join(projectRoot, "bench", "results"), { recursive: true });
  const file = join(projectRoot, "bench", "results", "latest.json");
  await writeFile(
    file,
    `${JSON.stringify({ machine, rounds: options.rounds, disks, sideBySide, scale, verdicts }, null, 2)}\n`,
  );
  console.log(`\nresults: ${file}`);
  if ([...(results?.values() ?? [])].some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

await main();
