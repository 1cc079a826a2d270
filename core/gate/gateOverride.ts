// The way past a shut gate that its policy allows: a label, which only people with rights in the project can set, and a reason that
// stands in the pull request's description. Both are recorded. Pure.

import type { GateOverride } from "../config/repriseConfig.js";
import type { GateReportPart } from "../jobReport/jobReport.js";
import { shortLine } from "../report/inertText.js";

export interface OverrideRequest {
  labels: readonly string[];
  /** Of the pull request; null: there is none. */
  description: string | null;
  /** Who has set the label or runs this, for the record. */
  by: string;
}

export type OverrideAnswer =
  | { kind: "none" }
  /** The label is there, and no reason. */
  | { kind: "without-reason"; message: string }
  | { kind: "asked"; override: NonNullable<GateReportPart["override"]> };

const MAX_DESCRIPTION_CHARS = 1024 * 1024;
const MAX_REASON_CHARS = 500;
const MAX_BY_CHARS = 100;

export function readOverride(
  allowed: GateOverride | null,
  { labels, description, by }: OverrideRequest,
): OverrideAnswer {
  if (allowed === null || !labels.includes(allowed.label)) return { kind: "none" };
  const { label, reasonPrefix } = allowed;
  const reason = reasonIn(description ?? "", reasonPrefix);
  if (reason === null) {
    const message = `the label "${shortLine(label, 100)}" is set, but the description has no line "${shortLine(reasonPrefix, 100)}: why"`;
    return { kind: "without-reason", message };
  }
  return { kind: "asked", override: { label, reason, by: shortLine(by, MAX_BY_CHARS) } };
}

/** Of the first line that has one; what stands in comments of a template does not count. */
function reasonIn(description: string, prefix: string): string | null {
  const wanted = `${prefix.toLowerCase()}:`;
  for (const line of withoutComments(description.slice(0, MAX_DESCRIPTION_CHARS)).split(/\r\n|\r|\n/)) {
    const text = line.trim();
    if (!text.toLowerCase().startsWith(wanted)) continue;
    const reason = shortLine(text.slice(wanted.length).trim(), MAX_REASON_CHARS);
    if (/[\p{L}\p{N}]/u.test(reason)) return reason;
  }
  return null;
}

/** Without `<!-- … -->`; one that is never closed hides the rest. */
function withoutComments(text: string): string {
  let kept = "";
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf("<!--", at);
    if (start < 0) return kept + text.slice(at);
    kept += text.slice(at, start);
    const end = text.indexOf("-->", start + 4);
    if (end < 0) return kept;
    at = end + 3;
  }
  return kept;
}
