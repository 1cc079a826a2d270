// Mutated images by the thousand for the readers of file systems (issue: no hang, no foreign error, bounded memory).

import { btrfsFuzzSubjects } from "../filesystem/btrfs/fuzzSubjects.js";
import { extFuzzSubjects } from "../filesystem/ext/fuzzSubjects.js";
import { type FuzzSubject, fuzzReader } from "../filesystem/fuzzReader.js";
import { portableFuzzSubjects } from "../filesystem/portableFuzzSubjects.js";
import { xfsFuzzSubjects } from "../filesystem/xfs/fuzzSubjects.js";
import { type Campaign, type CampaignOptions, printTable } from "./campaign.js";

const portable = (start: string) => portableFuzzSubjects.filter(({ name }) => name.startsWith(start));

/** By the name that `--reader` takes. */
const readers: Record<string, readonly FuzzSubject[]> = {
  ext: extFuzzSubjects,
  fat: portable("fat"),
  exfat: portable("exfat"),
  ntfs: portable("ntfs"),
  xfs: xfsFuzzSubjects,
  btrfs: btrfsFuzzSubjects,
};

export const filesystemsCampaign: Campaign = {
  summary:
    "10,000 mutated images of each file system reader [--reader NAME]: no hang, no foreign error, bounded memory",
  defaultCount: 10_000,
  run: runFilesystems,
};

async function runFilesystems({ count, seed, reader }: CampaignOptions): Promise<string[]> {
  if (reader !== undefined && readers[reader] === undefined) {
    return [`there is no reader ${reader}; there are ${Object.keys(readers).join(", ")}`];
  }
  const violations: string[] = [];
  const rows: (string | number)[][] = [];
  for (const name of reader === undefined ? Object.keys(readers) : [reader]) {
    const subjects = readers[name] as readonly FuzzSubject[];
    for (const subject of subjects) {
      const report = await fuzzReader(subject, { seed, count: Math.ceil(count / subjects.length) });
      violations.push(...report.violations);
      const errors = Object.values(report.errors).reduce((sum, times) => sum + times, 0);
      rows.push([
        subject.name,
        report.runs,
        report.opened,
        errors,
        Math.round(report.slowestMs),
        report.violations.length,
      ]);
      console.log(`${subject.name}: ${report.runs} runs`);
    }
  }
  printTable(["image", "runs", "opened", "errors", "slowest ms", "violations"], rows);
  return violations;
}
