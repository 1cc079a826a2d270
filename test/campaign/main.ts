// `npm run campaign -- NAME [--count N] [--seed S] [--keep]`: long trials of the real thing that end with a table and a code.

import { parseArgs } from "node:util";
import { type Campaign, withFolder } from "./campaign.js";
import { catFromS3Campaign } from "./catFromS3.js";
import { diskCampaign } from "./disk.js";
import { eightCampaign } from "./eight.js";
import { extensionHostCampaign } from "./extensionHost.js";
import { faultsCampaign } from "./faults.js";
import { filesystemsCampaign } from "./filesystems.js";
import { flipCampaign } from "./flip.js";
import { fullCampaign } from "./full.js";
import { killCampaign } from "./kill.js";
import { protocolCampaign } from "./protocol.js";
import { randomWalkCampaign } from "./randomWalk.js";
import { restoreTestsCampaign } from "./restoreTests.js";
import { treesCampaign } from "./trees.js";

const campaigns: Record<string, Campaign> = {
  kill: killCampaign,
  flip: flipCampaign,
  disk: diskCampaign,
  full: fullCampaign,
  protocol: protocolCampaign,
  randomWalk: randomWalkCampaign,
  filesystems: filesystemsCampaign,
  trees: treesCampaign,
  catFromS3: catFromS3Campaign,
  faults: faultsCampaign,
  eight: eightCampaign,
  restoreTests: restoreTestsCampaign,
  extensionHost: extensionHostCampaign,
};

function usage(): number {
  console.log("usage: npm run campaign -- NAME [--count N] [--seed S] [--keep]");
  for (const [name, { summary }] of Object.entries(campaigns)) console.log(`  ${name.padEnd(12)} ${summary}`);
  return 64;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string" },
      seed: { type: "string" },
      keep: { type: "boolean" },
      reader: { type: "string" },
      minutes: { type: "string" },
    },
  });
  const campaign = campaigns[positionals[0] ?? ""];
  if (campaign === undefined || positionals.length > 1) return usage();
  const count = Number(values.count ?? campaign.defaultCount);
  const seed = Number(values.seed ?? 1);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) return usage();
  if (minutes !== undefined && !(minutes > 0)) return usage();
  console.log(`campaign ${positionals[0]}, count ${count}, seed ${seed}`);
  const started = performance.now();
  const violations = await withFolder(values.keep ?? false, (folder) =>
    campaign.run({ count, seed, folder, reader: values.reader, minutes }),
  );
  for (const violation of violations) console.log(`VIOLATION: ${violation}`);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${violations.length === 0 ? "passed" : `FAILED with ${violations.length} violations`} in ${seconds} s`);
  return violations.length === 0 ? 0 : 1;
}

process.exitCode = await main();
