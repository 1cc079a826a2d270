// Records with somebody's text in every place where text can be.

import fc from "fast-check";
import type { RestoreTestRecord } from "../../../core/format/restoreTestRecord.js";
import { sampleRecord } from "./sampleRecord.js";

const NASTY = [
  ...['"', "'", "`", "<", ">", "&", "</td>", "<script>alert(1)</script>", "]]>", "<!--", "-->", "--!>", "</style>"],
  ...['" onmouseover="x', "<img src=x onerror=y>", "&lt;", "&#60;", "<svg/onload=z>", "</title>", "<![CDATA["],
  ...[
    "\u001b[31m",
    "\u001b]0;x\u0007",
    "\u0000",
    "\u009b",
    "\u202e",
    "\u2028",
    "\ufffe",
    "\ud800",
    "\udc00",
    "\u{e0041}",
  ],
  ...[
    "\n::set-output name=x::y",
    "\r::error::x",
    "::add-mask::x",
    "\n  ::stop-commands::x",
    "##[error]x",
    "##vso[task.x]",
    "##teamcity[x]",
  ],
  ...[
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\\",
    "|",
    "\\|",
    "``",
    "```",
    "\n```\n",
    "\n# x",
    "\n- x",
    "[x](javascript:y)",
    "![x](y)",
    "@team",
    "#12",
  ],
  ...["\n---\n", "~~~", "<!doctype html>", "%{x}", "\u{1f600}", "é", " ", "x".repeat(300)],
];

export const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: "binary", maxLength: 8 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join(""));

/** In every member that is free text. It is not decoded: a report must bear what a decoder would have refused. */
export function withText(text: string): RestoreTestRecord {
  const plain = sampleRecord();
  const { checks, isolation, integrity, times, environment } = plain;
  return {
    ...plain,
    tool: { name: text, version: text },
    asset: { machine: text, name: text, owner: text, criticality: text, controls: [text, text] },
    plan: { ...plain.plan, spec: text, specDigest: text, description: `x${text}`, url: `x:${text}` },
    backup: {
      ...plain.backup,
      ...{
        repositoryId: text,
        location: text,
        snapshotId: text,
        manifestDigest: text,
        startedAt: text,
        finishedAt: text,
      },
      ...{ mode: text, consistency: text, keyId: text },
    },
    environment: {
      ...{ executedBy: text, host: text, node: text, hypervisor: text, accelerator: text, acceleratorReason: text },
      ...{ hardware: environment.hardware.map(() => text), deviations: environment.deviations.map(() => text) },
    },
    isolation: { ...isolation, proofs: isolation.proofs.map((proof) => ({ ...proof, what: text, observed: text })) },
    times: { ...times, phases: times.phases.map((phase, i) => ({ ...phase, name: `phase ${i} ${text}` })) },
    coverage: { ...plain.coverage, notTested: [text, text] },
    checks: checks.map((check, i) => ({
      ...{ ...check, id: `${i}${text}`, type: text, expected: text, observed: `x${text}`, reason: text },
      artifacts: check.artifacts.map(() => text),
    })),
    result: { ...plain.result, reason: text, deviations: [text] },
    integrity: {
      artifacts: integrity.artifacts.map((artifact) => ({ ...artifact, name: text, mediaType: text, sha256: text })),
      teardown: { confirmed: true, observed: text },
      disposal: { confirmed: false, observed: text },
    },
  };
}
