// Writes the file of a report: docs/job-reports.md. A run that went well must not fail because its report is long: texts and lists
// are cut to their bounds, and pictures, trends and checks left out when the whole would be too large.

import { encodeCanonicalJson, type JsonValue } from "../format/canonicalJson.js";
import { decodeJobReport } from "./decodeJobReport.js";
import { type JobReport, MAX_JOB_REPORT_BYTES } from "./jobReport.js";
import { type ListName, MAX_ELEMENTS, MAX_PICTURE_CHARS, MAX_TEXT_CHARS } from "./jobReportLimits.js";

/** Of those members that the newest elements are kept of. */
const SERIES = new Set<string>(["rto", "added", "size"]);
const SIGNED = new Set(["rpoMs", "ageMs"]);
/** What is not one is left out: digits that a mask for secrets has struck do not stop a report. */
const DIGESTS = new Set(["digest", "recordId", "sha256", "policyDigest"]);
/** When even the text of two thousand machines is too long. */
const FEW_MACHINES = 500;
const FEW_CHARS = 400;

/** Canonical JSON, at most MAX_JOB_REPORT_BYTES. FORMAT_INVALID for a time, an id or a word that no report may have. */
export function encodeJobReport(report: JobReport): Uint8Array {
  const bytes = encodeCanonicalJson(fitJobReport(report) as unknown as JsonValue);
  decodeJobReport(bytes);
  return bytes;
}

/** The report as it can be written: within all bounds, numbers whole. The given one stays as it is. */
export function fitJobReport(report: JobReport): JobReport {
  const cut = cutMember(withoutTooLargePictures(report) as unknown as JsonValue, "", MAX_TEXT_CHARS);
  let fitting = cut as unknown as JobReport;
  if (sizeOf(fitting) <= MAX_JOB_REPORT_BYTES) return fitting;
  fitting = withPicturesWithin(fitting, MAX_JOB_REPORT_BYTES - sizeOf(withPicturesWithin(fitting, 0)));
  if (sizeOf(fitting) <= MAX_JOB_REPORT_BYTES) return fitting;
  const machines = fitting.machines.map((line) => ({ ...line, test: line.test && { ...line.test, checks: [] } }));
  fitting = { ...fitting, machines, trends: [] };
  if (sizeOf(fitting) <= MAX_JOB_REPORT_BYTES) return fitting;
  const { gate } = fitting;
  const few = {
    ...fitting,
    machines: machines.slice(0, FEW_MACHINES),
    gate: gate && { ...gate, machines: gate.machines.slice(0, FEW_MACHINES) },
  };
  return cutMember(few as unknown as JsonValue, "", FEW_CHARS) as unknown as JobReport;
}

function sizeOf(report: JobReport): number {
  return encodeCanonicalJson(report as unknown as JsonValue).length;
}

/** Half a picture is none. */
function withoutTooLargePictures(report: JobReport): JobReport {
  return withPictures(report, (length) => length <= MAX_PICTURE_CHARS);
}

/** The first ones, as many as fit. */
function withPicturesWithin(report: JobReport, budget: number): JobReport {
  let left = budget;
  return withPictures(report, (length) => {
    // name, digest and the words around them
    const needed = length + MAX_TEXT_CHARS;
    if (needed > left) return false;
    left -= needed;
    return true;
  });
}

function withPictures(report: JobReport, keep: (chars: number) => boolean): JobReport {
  const machines = report.machines.map((line) => {
    const picture = line.test?.screenshot;
    if (line.test === null || picture === null || picture === undefined || keep(picture.pngBase64.length)) return line;
    return { ...line, test: { ...line.test, screenshot: null } };
  });
  return { ...report, machines };
}

function cutMember(value: JsonValue, name: string, maxChars: number): JsonValue {
  if (typeof value === "string" && DIGESTS.has(name)) return /^[0-9a-f]{0,64}$/.test(value) ? value : "";
  if (typeof value === "string") return name === "pngBase64" ? value : cutText(value, maxChars);
  if (typeof value === "number") return wholeNumber(value, SIGNED.has(name));
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return cutList(value, name).map((element) => cutMember(element, name, maxChars));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, cutMember(member, key, maxChars)]),
  );
}

function cutList(values: readonly JsonValue[], name: string): readonly JsonValue[] {
  const max = MAX_ELEMENTS[name as ListName];
  if (max === undefined || values.length <= max) return values;
  return SERIES.has(name) ? values.slice(-max) : values.slice(0, max);
}

function cutText(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function wholeNumber(value: number, negative: boolean): number {
  if (Number.isNaN(value)) return 0;
  const whole = Math.round(Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
  // never −0: JSON has none
  return negative ? whole + 0 : Math.max(0, whole) + 0;
}
