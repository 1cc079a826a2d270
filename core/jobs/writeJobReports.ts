// Reports of jobs as files in a folder: one JSON a job, and all of them as one page and one text.

import { join } from "node:path";
import { encodeText } from "../format/bytes.js";
import { encodeJobReport } from "../jobReport/encodeJobReport.js";
import { renderJobHtml } from "../jobReport/jobHtml.js";
import type { JobReport } from "../jobReport/jobReport.js";
import { renderSummary } from "../jobReport/jobSummary.js";
import { makeFolder, writeNewFile } from "../platform/newFile.js";

const MAX_NAME_CHARS = 100;

/** Plain file names and what belongs into them: report.html, report.md, and NAME.json for each. */
export function jobReportFiles(reports: readonly JobReport[]): { name: string; bytes: Uint8Array }[] {
  const names = new Set<string>();
  const documents = reports.map((report) => {
    const wanted = safeName(report.job ?? report.repository?.name ?? report.command);
    let name = wanted;
    for (let number = 2; names.has(name); number++) name = `${wanted}-${number}`;
    names.add(name);
    return { name: `${name}.json`, bytes: encodeJobReport(report) };
  });
  return [
    ...documents,
    { name: "report.html", bytes: encodeText(renderJobHtml(reports)) },
    { name: "report.md", bytes: encodeText(renderSummary(reports)) },
  ];
}

/** The paths written; earlier reports in the same place are replaced. TARGET_WRITE_FAILED. */
export async function writeJobReports(folder: string, reports: readonly JobReport[]): Promise<string[]> {
  await makeFolder(folder, "name another folder for reports, one that can be written to");
  const paths: string[] = [];
  for (const { name, bytes } of jobReportFiles(reports)) {
    await writeNewFile(join(folder, name), bytes, true);
    paths.push(join(folder, name));
  }
  return paths;
}

function safeName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, MAX_NAME_CHARS);
  return name === "" || name === "report" ? `_${name}` : name;
}
