// Long random lives of repositories against a plain map, `count` of them from the seed on.

import { walkRandomly } from "../model/randomWalk.js";
import { type Campaign, printTable } from "./campaign.js";

const STEPS = 300;

export const randomWalkCampaign: Campaign = {
  summary: `100 random lives of a repository, ${STEPS} operations each, against a plain map`,
  defaultCount: 100,
  async run({ count, seed }) {
    const violations: string[] = [];
    const totals = new Map<string, number>();
    for (let life = seed; life < seed + count; life++) {
      try {
        const counts = await walkRandomly(life, STEPS);
        for (const [name, times] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + times);
      } catch (error) {
        violations.push((error as Error).message);
      }
    }
    printTable(
      ["operation", "times"],
      [...totals].sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    return violations;
  },
};
