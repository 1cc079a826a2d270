// The protocol at length: the scenarios that are too large for `npm test`, explored completely, then random schedules of whole
// operations, `count` of them from the seed on.

import { explore, readable } from "../model/explorer.js";
import { MUTANT_SCENARIOS } from "../model/mutantScenarios.js";
import { SAFE_SCENARIOS } from "../model/protocolScenarios.js";
import { walkSchedule } from "../model/scheduleWalk.js";
import { type Campaign, printTable } from "./campaign.js";

export const protocolCampaign: Campaign = {
  summary: "every interleaving of the large scenarios, then 2000 random schedules of whole operations",
  defaultCount: 2000,
  async run({ count, seed }) {
    return [...(await exploreAll()), ...(await walkSchedules(seed, count))];
  },
};

async function exploreAll(): Promise<string[]> {
  const violations: string[] = [];
  const rows: (string | number)[][] = [];
  for (const { name, make } of SAFE_SCENARIOS) {
    const started = performance.now();
    const found = await explore(await make());
    const result = found.violation !== null ? "LOSS" : found.capped ? "not finished" : "safe";
    rows.push([name, found.states, found.histories, seconds(started), result]);
    if (result !== "safe")
      violations.push(`${name}: ${readable(found.violation ?? result)}\n  ${found.trace.join("\n  ")}`);
  }
  for (const { name, loss, make } of MUTANT_SCENARIOS) {
    const started = performance.now();
    const found = await explore(await make());
    const isFound = loss.test(found.violation ?? "");
    rows.push([
      `broken: ${name}`,
      found.states,
      found.histories,
      seconds(started),
      isFound ? "loss found" : "NOT FOUND",
    ]);
    if (!isFound) violations.push(`${name}: the loss was not found`);
  }
  printTable(["scenario", "states", "histories", "s", "result"], rows);
  return violations;
}

async function walkSchedules(seed: number, count: number): Promise<string[]> {
  const violations: string[] = [];
  const endings = new Map<string, number>();
  let steps = 0;
  let crashes = 0;
  for (let walk = seed; walk < seed + count; walk++) {
    try {
      const result = await walkSchedule(walk);
      steps += result.steps;
      crashes += result.crashes;
      for (const [ending, times] of Object.entries(result.endings))
        endings.set(ending, (endings.get(ending) ?? 0) + times);
    } catch (error) {
      violations.push((error as Error).message);
    }
  }
  const rows = [...endings].sort(([a], [b]) => (a < b ? -1 : 1));
  printTable(["how operations ended", "times"], [["steps of all schedules", steps], ["crashes", crashes], ...rows]);
  return violations;
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
