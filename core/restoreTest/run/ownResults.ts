// The results that the run itself contributes beside the checks of the spec: whether the machine came up, stayed shut in, and
// met its objectives. They follow the rules of every check.

import { READY_CHECK_TYPE } from "../../evidence/testVerdict.js";
import type { CheckResult, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import type { MachineEnd } from "../../hypervisor/machineEnd.js";
import { formatDuration, formatTick } from "../../report/amounts.js";
import { bounded } from "../../report/visibleText.js";
import type { ReadySignal } from "../spec/restoreTestSpec.js";
import type { IsolationProof } from "./isolationProof.js";
import { isOwnEnd, type Readiness } from "./readySignal.js";

interface When {
  startMs: number;
  durationMs: number;
}

type Finding = Pick<CheckResult, "id" | "type" | "outcome" | "expected" | "observed" | "reason">;

export function readyResult(way: string, signal: ReadySignal, readiness: Readiness, when: When): CheckResult {
  const outcome = { ready: "passed", "gave-up": "failed", broken: "inconclusive" } as const;
  return ownResult(
    {
      id: way === "instant" ? "level.ready" : `level.ready-${way}`,
      type: READY_CHECK_TYPE,
      outcome: outcome[readiness.state],
      expected: `the machine starts, and shows it: ${describeSignal(signal)}`,
      observed: readiness.observed,
      reason: readiness.state === "ready" ? null : readiness.reason,
    },
    when,
  );
}

/** Not reached, or not possible. */
export function unreadyResult(outcome: "skipped" | "inconclusive" | "failed", reason: string, when: When): CheckResult {
  const finding = { id: "level.ready", type: READY_CHECK_TYPE, expected: "the machine starts", observed: "" };
  return ownResult({ ...finding, outcome, reason }, when);
}

/** For a machine that was ready, and ended before it was taken down. */
export function endedResult(end: Pick<MachineEnd, "kind" | "description">, when: When): CheckResult {
  const finding = { id: "level.stays-up", type: READY_CHECK_TYPE, expected: "the machine runs until it is stopped" };
  const outcome = isOwnEnd(end) ? ("failed" as const) : ("inconclusive" as const);
  return ownResult({ ...finding, outcome, observed: "it ended", reason: end.description }, when);
}

/** `bad`: what the console must not show, and does; null: nothing. */
export function consoleResult(bad: string | null, when: When): CheckResult {
  return ownResult(
    {
      id: "level.console",
      type: "console",
      outcome: bad === null ? "passed" : "failed",
      expected: "nothing on the console says that the machine broke down or gave up",
      observed: bad ?? "nothing of that kind",
      reason: bad === null ? null : `its console says "${bad}"`,
    },
    when,
  );
}

export function isolationResult(proofs: readonly IsolationProof[], when: When): CheckResult {
  const broken = proofs.filter(({ outcome }) => outcome === "broken");
  const held = proofs.filter(({ outcome }) => outcome === "held");
  const open = proofs.length - broken.length - held.length;
  const finding = {
    id: "isolation",
    type: "isolation",
    expected: "the machine reaches neither this host nor a network",
    observed: proofs.map(({ what, observed }) => `${what}: ${observed}`).join("; "),
  };
  if (broken.length > 0) {
    const reason = broken.map(({ what, observed }) => `${what}: ${observed}`).join("; ");
    return ownResult({ ...finding, outcome: "failed", reason }, when);
  }
  if (held.length === 0) return ownResult({ ...finding, outcome: "inconclusive", reason: "nothing was shown" }, when);
  const reason = open === 0 ? null : `${open} of ${proofs.length} could not be tried from inside`;
  return ownResult({ ...finding, outcome: "passed", reason }, when);
}

/** One for each objective that the spec names. */
export function objectiveResults(times: RestoreTestRecord["times"], atMs: number): CheckResult[] {
  const { objectives, rpoMs, rto } = times;
  const when = { startMs: atMs, durationMs: 0 };
  const results: CheckResult[] = [];
  if (objectives.rtoMs !== null) {
    const measured = rto.map(({ way, totalMs }) => `${formatDuration(totalMs)} ${way}`).join(", ") || "not measured";
    results.push(ownResult(objective("rto", objectives.rtoMet, formatTick(objectives.rtoMs), measured), when));
  }
  if (objectives.rpoMs !== null) {
    const measured = `the backup was ${formatDuration(rpoMs)} old`;
    results.push(ownResult(objective("rpo", objectives.rpoMet, formatTick(objectives.rpoMs), measured), when));
  }
  return results;
}

function objective(name: "rto" | "rpo", met: boolean | null, wanted: string, measured: string): Finding {
  const finding = {
    id: `objective.${name}`,
    type: "objective",
    expected: `${name.toUpperCase()} of at most ${wanted}`,
    observed: measured,
  };
  if (met === null) return { ...finding, outcome: "inconclusive", reason: "it could not be measured" };
  if (met) return { ...finding, outcome: "passed", reason: null };
  return { ...finding, outcome: "failed", reason: `${measured}, not at most ${wanted}` };
}

function ownResult(finding: Finding, { startMs, durationMs }: When): CheckResult {
  const { expected, observed, reason } = finding;
  return {
    ...finding,
    severity: "fail",
    expected: bounded(expected),
    observed: bounded(observed),
    reason: reason === null ? null : bounded(reason),
    startMs,
    durationMs,
    attempts: 1,
    line: null,
    artifacts: [],
  };
}

function describeSignal({ serial, agent, port }: ReadySignal): string {
  const parts = [
    ...(serial === null ? [] : [`${serial} on the console`]),
    ...(agent ? ["its agent answers"] : []),
    ...(port === null ? [] : [`port ${port} answers`]),
  ];
  return parts.length === 0 ? "a login prompt, or its agent answers" : parts.join(", ");
}
