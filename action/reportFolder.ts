// The folder of reports that a step leaves: for people, for later jobs, for an artifact.

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { encodeJobReport, type JobReport, renderJobHtml } from "../core/index.js";
import type { Outputs } from "./outputs.js";
import type { Runner } from "./runner.js";

const REPORT_FILE = /^reprise-report-[0-9a-f]{16}\.json$/;

/** Makes it. `named` is relative to the workspace; empty: a new one below the runner's temporary folder. */
export async function makeReportFolder(runner: Runner, named: string): Promise<string> {
  const { RUNNER_TEMP, GITHUB_WORKSPACE } = runner.env;
  if (named === "") return await mkdtemp(join(RUNNER_TEMP || tmpdir(), "reprise-report-"));
  const folder = resolve(GITHUB_WORKSPACE || ".", named);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Names of reports are never equal, so that artifacts of parallel jobs may be unpacked into one folder. */
export function isReportFile(name: string): boolean {
  return REPORT_FILE.test(name);
}

export interface ReportFolderContents {
  report: JobReport;
  summary: string;
  /** DSSE envelopes, or a statement that nobody signed. */
  statements: readonly string[];
}

/** The report has no secrets in it any more. */
export async function fillReportFolder(folder: string, contents: ReportFolderContents): Promise<Outputs> {
  const { report, summary, statements } = contents;
  const json = join(folder, `reprise-report-${randomBytes(8).toString("hex")}.json`);
  const [html, markdown, attestation] = [
    join(folder, "report.html"),
    join(folder, "summary.md"),
    join(folder, "statements.jsonl"),
  ];
  await writeFile(json, encodeJobReport(report));
  await writeFile(html, renderJobHtml([report]));
  await writeFile(markdown, summary);
  if (statements.length > 0) await writeFile(attestation, `${statements.map((text) => text.trim()).join("\n")}\n`);
  return {
    "report-folder": folder,
    "report-json": json,
    "report-html": html,
    "report-summary": markdown,
    ...(statements.length > 0 ? { "attestation-path": attestation } : {}),
  };
}
