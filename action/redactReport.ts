// A report without secrets, wherever in it they stand. Before it is written or shown: numbers and structure stay what they are.

import type { JobReport } from "../core/index.js";

/** Pictures are not text. */
const NO_TEXT = "pngBase64";

export function redactReport(report: JobReport, redact: (text: string) => string): JobReport {
  return redactMember(report, "", redact) as JobReport;
}

function redactMember(value: unknown, name: string, redact: (text: string) => string): unknown {
  if (typeof value === "string") return name === NO_TEXT ? value : redact(value);
  if (Array.isArray(value)) return value.map((element) => redactMember(element, name, redact));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, redactMember(member, key, redact)]));
}
