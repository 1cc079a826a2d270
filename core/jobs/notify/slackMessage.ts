// A report as an incoming webhook of Slack (and of what imitates it) takes it. Pure.

import type { JobReport } from "../../jobReport/jobReport.js";
import { renderJobText } from "../../jobReport/jobText.js";
import { shortLine } from "../../report/inertText.js";
import { pageAddress } from "../../report/pageAddress.js";

/** A section of Slack holds 3000 characters. */
const MAX_TEXT = 2_600;
const MAX_HEAD = 300;

const SIGNS: Record<JobReport["outcome"], string> = {
  passed: ":white_check_mark:",
  warned: ":warning:",
  failed: ":x:",
  inconclusive: ":grey_question:",
  cancelled: ":octagonal_sign:",
};

export function slackMessage(report: JobReport): string {
  const head = `${SIGNS[report.outcome]} ${escaped(shortLine(report.verdict, MAX_HEAD))}`;
  const table = cut(escaped(renderJobText(report).trimEnd()).replaceAll("```", "'''"));
  const address = report.url === null ? null : pageAddress(report.url);
  const blocks = [head, `\`\`\`\n${table}\n\`\`\``, ...(address === null ? [] : [`<${escaped(address)}|the run>`])];
  return JSON.stringify({
    text: head,
    blocks: blocks.map((text) => ({ type: "section", text: { type: "mrkdwn", text } })),
  });
}

/** https://api.slack.com/reference/surfaces/formatting#escaping: these three and no others. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("|", "¦");
}

/** At the end of a line where there is one. */
function cut(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  const part = text.slice(0, MAX_TEXT);
  return `${part.slice(0, Math.max(part.lastIndexOf("\n"), MAX_TEXT / 2))}\n…`;
}
