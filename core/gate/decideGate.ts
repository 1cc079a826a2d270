// The decision of a gate: policy, changed files and facts in, a verdict with its reasons out. Pure, and shut by default: a machine is let
// through only by judgeMachine's yes, and the gate only when all of them are. docs/gate.md.

import type { GateConfig } from "../config/repriseConfig.js";
import type { GateFacts } from "../evidence/gateFacts.js";
import type { ChangedFiles } from "../git/changedFiles.js";
import type { GateDecision, GateReportPart } from "../jobReport/jobReport.js";
import { shortLine } from "../report/inertText.js";
import { type OverrideRequest, readOverride } from "./gateOverride.js";
import { requirementRows } from "./gateWords.js";
import { type JudgedMachine, judgeMachine } from "./judgeMachine.js";
import type { GateReason, GateTrust } from "./provenTests.js";
import { allRequired, compileRules, type RequiredMachine, requiredMachines } from "./requiredMachines.js";

export interface GateInput extends GateTrust {
  gate: GateConfig;
  policy: { fileName: string; digest: string };
  /** Commit that the decision is about; null: not known. */
  head: string | null;
  /** Null: nobody knows; `changesProblem` says why, and every machine of the policy is asked for. */
  changes: Pick<ChangedFiles, "base" | "files"> | null;
  changesProblem: string | null;
  /** Null: there are none. They count only when a machine is asked for. */
  facts: GateFacts | null;
  /** What shuts the gate whatever the facts say: keys that cannot be read. */
  problems: readonly GateReason[];
  override: OverrideRequest;
}

export interface GateVerdict {
  part: GateReportPart;
  /** What the decision relies on, for the statement. */
  relied: readonly ReliedOn[];
  /** Why a label that asks for an override does nothing; null: it does, or there is none. */
  overrideProblem: string | null;
}

export interface ReliedOn {
  machine: string;
  sid: string;
  /** SHA-256 of the manifest, hex. */
  manifestDigest: string;
  /** SHA-256 of the test's record, hex. */
  recordDigest: string | null;
}

const MAX_FILES = 10;
const MAX_FILE_CHARS = 200;
const MAX_REASONS = 20;

export function decideGate(input: GateInput): GateVerdict {
  const { gate, changes } = input;
  const compiled = compileRules(gate);
  const problems = [...globalProblems(input), ...compiled.problems.map(patternReason)];
  // with a pattern that cannot be understood nobody knows which machines a file asks for
  const isUnclear = changes === null || compiled.problems.length > 0;
  const required = isUnclear ? allRequired(compiled.rules) : requiredMachines(compiled.rules, changes.files);
  const context = { ...input, maxEvidenceAgeMs: gate.maxEvidenceAgeMs, problems };
  const judged = required.map((each) => ({
    each,
    judged: judgeMachine(each.machine, each.rule.requirement, context),
  }));
  const isShut = isUnclear || judged.some(({ judged: { decision } }) => decision !== "go");
  const override = isShut ? readOverride(gate.override, input.override) : null;
  const part: GateReportPart = {
    gate: gate.name,
    decision: decisionOf(isShut, required.length, override?.kind === "asked"),
    policyFile: input.policy.fileName,
    base: changes?.base ?? null,
    head: input.head,
    changedFiles: changes?.files.length ?? 0,
    machines: judged.map(({ each, judged: verdict }) => machinePart(each, verdict)),
    override: override?.kind === "asked" ? override.override : null,
    policyDigest: input.policy.digest,
    evidence: required.length === 0 ? null : evidencePart(input.facts),
  };
  const relied = judged.flatMap(({ each, judged: verdict }) => reliedOn(each, verdict));
  return { part, relied, overrideProblem: override?.kind === "without-reason" ? override.message : null };
}

function globalProblems({ problems, changes, changesProblem, gate, specDigests }: GateInput): GateReason[] {
  const found = [...problems];
  if (changes === null)
    found.push({ code: "changes-unknown", message: changesProblem ?? "it is not known which files have changed" });
  const named = new Set(gate.rules.flatMap(({ requirement }) => requirement.tests));
  for (const name of named) {
    if (!specDigests.has(name))
      found.push({ code: "policy-invalid", message: `the policy names a restore test that there is not: ${name}` });
  }
  return found.map(({ code, message }) => ({ code, message: shortLine(message, 600) }));
}

function patternReason({ pattern, message }: { pattern: string; message: string }): GateReason {
  return { code: "policy-invalid", message: `the pattern "${shortLine(pattern, 100)}": ${message}` };
}

function decisionOf(isShut: boolean, required: number, isOverridden: boolean): GateDecision {
  if (isShut) return isOverridden ? "overridden" : "blocked";
  return required === 0 ? "not-needed" : "go";
}

function machinePart(
  { machine, rule, files }: RequiredMachine,
  { decision, reasons, found }: JudgedMachine,
): GateReportPart["machines"][number] {
  return {
    machine,
    decision,
    files: files.slice(0, MAX_FILES).map((path) => shortLine(path, MAX_FILE_CHARS)),
    filesTotal: files.length,
    required: requirementRows(rule.requirement),
    found: [...found],
    reasons: reasons.slice(0, MAX_REASONS).map(({ code, message }) => ({ code, message })),
    line: rule.line,
  };
}

function evidencePart(facts: GateFacts | null): GateReportPart["evidence"] {
  if (facts === null) return null;
  const { source, commit, sequence, publishedAtMs } = facts;
  const isTime = publishedAtMs !== null && Number.isFinite(publishedAtMs) && Math.abs(publishedAtMs) <= 8.64e15;
  return { source, commit, sequence, publishedAt: isTime ? new Date(publishedAtMs).toISOString() : null };
}

function reliedOn({ machine }: RequiredMachine, { decision, proof }: JudgedMachine): ReliedOn[] {
  if (decision !== "go" || proof?.snapshot == null) return [];
  const { sid, digest } = proof.snapshot;
  return [{ machine, sid, manifestDigest: digest, recordDigest: proof.recordDigest }];
}
