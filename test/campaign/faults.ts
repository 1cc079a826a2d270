// Networks that break in every way we know, between the product and real servers: `count` lives of repositories, three on S3
// for each on SFTP.

import { makeS3Place, makeSftpPlace } from "../model/faultyPlaces.js";
import { type FaultyWalkReport, walkWithFaults } from "../model/faultyWalk.js";
import { sharedS3Server } from "../support/s3Server.js";
import { sshServer } from "../support/sshServer.js";
import { type Campaign, type CampaignOptions, printTable } from "./campaign.js";

/** Walks wait more than they compute. */
const AT_ONCE = 3;
const BACKUPS = 4;

export const faultsCampaign: Campaign = {
  summary: "200 lives on Ceph's S3 gateway and sshd behind fault proxies: no loss, no hang, no double commit",
  defaultCount: 200,
  run: runFaults,
};

async function runFaults({ count, seed, folder }: CampaignOptions): Promise<string[]> {
  const server = await sharedS3Server();
  const bucket = await server.newBucket();
  const violations: string[] = [];
  const totals = { outcomes: new Map<string, number>(), faults: new Map<string, number>() };
  let next = seed;
  let done = 0;
  const durations = new Map<string, number[]>();
  const lane = async () => {
    while (next < seed + count) {
      const walk = next++;
      const place =
        walk % 4 === 3 ? await makeSftpPlace(await sshServer(), walk) : await makeS3Place(server, bucket, walk);
      const report = await walkWithFaults(place, { seed: walk, folder, backups: BACKUPS });
      await place.close();
      note(report, place.faults, totals);
      for (const violation of report.violations) console.log(`VIOLATION: ${violation}`);
      violations.push(...report.violations);
      const kind = place.name.replace(/,.*/, "");
      durations.set(kind, [...(durations.get(kind) ?? []), report.durationMs]);
      if (++done % 20 === 0) console.log(`${done} walks, ${violations.length} violations`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    server.stop();
    (await sshServer()).stop();
  }
  print(totals);
  for (const [kind, all] of durations) console.log(`${kind}: ${all.length} walks, ${seconds(all)}`);
  return violations;
}

function seconds(durationsMs: readonly number[]): string {
  const mean = durationsMs.reduce((sum, ms) => sum + ms, 0) / durationsMs.length;
  return `mean ${(mean / 1000).toFixed(1)} s, longest ${(Math.max(...durationsMs) / 1000).toFixed(1)} s`;
}

interface Totals {
  outcomes: Map<string, number>;
  faults: Map<string, number>;
}

function note(report: FaultyWalkReport, faults: ReadonlyMap<string, number>, totals: Totals): void {
  const add = (to: Map<string, number>, [name, times]: [string, number]) => to.set(name, (to.get(name) ?? 0) + times);
  for (const entry of report.outcomes) add(totals.outcomes, entry);
  for (const entry of faults) add(totals.faults, entry);
}

function print({ outcomes, faults }: Totals): void {
  const sorted = (counts: Map<string, number>) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  printTable(["operation and outcome", "times"], sorted(outcomes));
  printTable(["fault", "times"], sorted(faults));
}
