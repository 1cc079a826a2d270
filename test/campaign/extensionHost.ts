// What the packaged extension costs the real extension host: activation, the longest block of its event loop, memory. Prints each figure
// with its limit; a figure above it is a violation.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cliJson } from "../cli/runInProcess.js";
import { makeBadRepositories } from "../extension/support/badRepositories.js";
import { runHostTests } from "../extension/support/hostTests.js";
import { makeSampleRepository } from "../extension/support/sampleRepository.js";
import { type Campaign, type CampaignOptions, printTable } from "./campaign.js";

const MANY = 20_000;
const MOST_ACTIVATION_MS = 100;
const MOST_BLOCKED_MS = 50;

interface Figures {
  activationMs: number;
  activationCpuMs: number;
  blockedMs: Record<string, number>;
  rssMiB: Record<string, number>;
}

export const extensionHostCampaign: Campaign = {
  summary: "activation, event loop and memory of the extension host; count: how often",
  defaultCount: 1,
  run: runCampaign,
};

async function runCampaign({ count, folder }: CampaignOptions): Promise<string[]> {
  const violations: string[] = [];
  for (let round = 0; round < count; round++) {
    const { activationMs, activationCpuMs, blockedMs, rssMiB } = await measureOnce(join(folder, String(round)));
    const rows = [
      ["activation", activationMs, MOST_ACTIVATION_MS] as const,
      ["activation, processor time", activationCpuMs, MOST_ACTIVATION_MS] as const,
      ...Object.entries(blockedMs).map(([name, ms]) => [`blocked: ${name}`, ms, MOST_BLOCKED_MS] as const),
    ];
    printTable(
      ["figure", "ms", "limit", ""],
      rows.map(([name, ms, limit]) => [name, ms.toFixed(1), String(limit), ms <= limit ? "reached" : "MISSED"]),
    );
    printTable(
      ["memory", "MiB"],
      Object.entries(rssMiB).map(([name, mib]) => [name, mib.toFixed(0)]),
    );
    for (const [name, ms, limit] of rows)
      if (ms > limit) violations.push(`${name}: ${ms.toFixed(1)} ms, limit ${limit}`);
  }
  return violations;
}

async function measureOnce(folder: string): Promise<Figures> {
  const tree = join(folder, "many");
  await mkdir(tree, { recursive: true });
  const sample = await makeSampleRepository();
  const bad = await makeBadRepositories();
  try {
    const env = { REPRISE_REPOSITORY: bad.crowded.location };
    const backUp = async () => (await cliJson(["backup", "--dir", tree, "--group", "vm/many"], { env })).snapshotId;
    const path = (i: number) => join(tree, `entry-${String(i).padStart(5, "0")}.log`);
    for (let i = 0; i < MANY; i++) await writeFile(path(i), "");
    await backUp();
    for (let i = 0; i < MANY; i += 2) await writeFile(path(i), `${i}\n`);
    const many = String(await backUp());
    const results = await runHostTests(sample, bad, { folder: "figures", extra: { many } });
    for (const { title, problem } of results) if (problem !== undefined) throw new Error(`${title}: ${problem}`);
    return JSON.parse(await readFile(join(sample.folder, "figures.json"), "utf8")) as Figures;
  } finally {
    await sample.remove();
    await bad.remove();
  }
}
