// Upper bounds of a report's members: docs/job-reports.md. What is written is cut to them, what is read is compared with them.

import { KIB, MIB } from "../format/limits.js";
import { MAX_TREND_POINTS } from "./jobReport.js";

/** Characters of any text that is not named below. */
export const MAX_TEXT_CHARS = 4000;
/** Characters of a picture as base64: 2 MiB of PNG. */
export const MAX_PICTURE_CHARS = Math.ceil((2 * MIB) / 3) * 4;
/** Brackets and commas in a whole file: what a parser makes of the bytes stays in proportion to them. */
export const MAX_JSON_TOKENS = 2 * KIB * KIB;

/** Elements of a list, by the name of the member. */
export const MAX_ELEMENTS = {
  machines: 2000,
  facts: 100,
  problems: 1000,
  trends: 2000,
  rto: MAX_TREND_POINTS,
  added: MAX_TREND_POINTS,
  size: MAX_TREND_POINTS,
  checks: 500,
  files: 50,
  required: 50,
  found: 50,
  reasons: 50,
  matrix: 2000,
  runs: 4000,
} as const;
export type ListName = keyof typeof MAX_ELEMENTS;
