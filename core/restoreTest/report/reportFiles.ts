// Everything that a test leaves for people and programs, as files of one folder. Pure.

import { encodeCanonicalJson } from "../../format/canonicalJson.js";
import { encodeRestoreTestRecord } from "../../format/restoreTestRecord.js";
import type { HistoryPoint } from "../../report/historyChart.js";
import type { MachineReport } from "../run/testRequest.js";
import { renderHtml } from "./htmlReport.js";
import { renderJunit } from "./junitReport.js";
import { renderMarkdown } from "./markdownReport.js";
import { renderNdjson } from "./ndjsonReport.js";

export interface ReportFile {
  /** A plain file name. */
  name: string;
  bytes: Uint8Array;
}

/** `history`: of the same machine, oldest first, this test included. */
export function reportFiles(report: MachineReport, history: readonly HistoryPoint[]): ReportFile[] {
  const { record, envelopes, artifacts } = report;
  const signed = envelopes.map((envelope) => `${envelope}\n`).join("");
  return [
    { name: "record.json", bytes: encodeCanonicalJson(encodeRestoreTestRecord(record)) },
    textFile("report.html", renderHtml({ record, artifacts, history })),
    textFile("report.md", renderMarkdown(record)),
    textFile("junit.xml", renderJunit([record])),
    textFile("events.ndjson", renderNdjson(record)),
    ...(signed === "" ? [] : [textFile("evidence.intoto.jsonl", signed)]),
    ...artifacts.map(({ name, bytes }) => ({ name, bytes })),
  ];
}

/** `prod:vm/web1` → `prod.vm-web1`: one level of folders, whatever the machine is called. */
export function reportFolderName(machine: string): string {
  return machine.replaceAll(":", ".").replaceAll("/", "-");
}

function textFile(name: string, text: string): ReportFile {
  return { name, bytes: new TextEncoder().encode(text) };
}
