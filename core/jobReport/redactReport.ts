// A report without what must not be seen, wherever in it it stands. Before it is written, shown or sent.

import { mapTexts } from "../report/mapTexts.js";
import type { JobReport } from "./jobReport.js";

/** Pictures are not text. */
const NO_TEXT = ["pngBase64"];

/** `redact` answers a text without it; it is called for every text of the report. */
export function redactReport(report: JobReport, redact: (text: string) => string): JobReport {
  return mapTexts(report, redact, NO_TEXT);
}
