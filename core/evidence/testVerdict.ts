// From the results of all checks to the outcome of a test. Pure. Nothing that could not run counts as passed, a level counts as
// proven only by a check of its own that has passed, and a drill proves nothing.

import { type CheckResult, type RestoreTestRecord, TEST_LEVELS, type TestLevel } from "../format/restoreTestRecord.js";

export type JudgedCheck = Pick<CheckResult, "id" | "type" | "severity" | "outcome" | "reason">;

export interface JudgedTest {
  /** What was asked for. */
  level: TestLevel;
  /** A drill: made to fail on purpose. */
  simulated: boolean;
  checks: readonly JudgedCheck[];
}

export type Verdict = Pick<RestoreTestRecord["result"], "outcome" | "provenLevel" | "reason">;

/** Of the check that the runner makes itself: the machine has given its ready signal. */
export const READY_CHECK_TYPE = "ready";

/** Which level a check belongs to; null: to none, it says something else. A type that is not here belongs to the highest. */
const LEVEL_OF_TYPE: Readonly<Record<string, TestLevel | null>> = {
  isolation: null,
  objective: null,
  chunks: "intact",
  "partition-table": "readable",
  filesystem: "readable",
  file: "readable",
  [READY_CHECK_TYPE]: "boots",
  console: "boots",
  serial: "boots",
  agent: "boots",
  screenshot: "boots",
  tcp: "serves",
  http: "serves",
  command: "serves",
  sql: "serves",
  canary: "readable",
  script: "serves",
};

/** Without one of these that has passed, a level is not proven; `serves`: any of its checks. */
const PROOF_OF_LEVEL: Readonly<Record<TestLevel, readonly string[]>> = {
  intact: ["chunks"],
  readable: ["partition-table", "filesystem"],
  boots: [READY_CHECK_TYPE],
  serves: ["tcp", "http", "command", "sql", "script"],
};
/** Levels that need all of their proofs, not one of them. */
const NEEDS_ALL: ReadonlySet<TestLevel> = new Set(["intact", "readable", "boots"]);

const SHOWN_IDS = 5;

export function judge({ level, simulated, checks }: JudgedTest): Verdict {
  const plain = judgeChecks(level, checks);
  if (!simulated) return plain;
  const unnoticed = plain.outcome === "passed" || plain.outcome === "warned";
  return {
    outcome: unnoticed ? "failed" : plain.outcome,
    provenLevel: null,
    reason: unnoticed ? "drill: the fault was not noticed" : `drill: the fault was noticed: ${plain.reason}`,
  };
}

function judgeChecks(level: TestLevel, checks: readonly JudgedCheck[]): Verdict {
  const proven = provenLevel(checks);
  const failed = checks.filter(({ outcome }) => outcome === "failed");
  if (failed.length > 0) return { outcome: "failed", provenLevel: proven, reason: reasonOf("failed", failed) };
  const open = checks.filter((check) => check.severity === "fail" && isOpen(check));
  if (open.length > 0) return { outcome: "inconclusive", provenLevel: proven, reason: reasonOf("not known", open) };
  if (proven === null || rankOf(proven) < rankOf(level)) {
    const most = proven === null ? "nothing was proven" : `only "${proven}" was proven`;
    return { outcome: "inconclusive", provenLevel: proven, reason: `"${level}" was asked for, and ${most}` };
  }
  const warned = checks.filter((check) => check.severity !== "info" && (check.outcome === "warned" || isOpen(check)));
  if (warned.length > 0) return { outcome: "warned", provenLevel: proven, reason: reasonOf("to look at", warned) };
  return { outcome: "passed", provenLevel: proven, reason: `"${proven}" is proven: ${countOf(checks)}` };
}

/** The highest level that is proven together with all below it; null: none. */
export function provenLevel(checks: readonly JudgedCheck[]): TestLevel | null {
  let proven: TestLevel | null = null;
  for (const level of TEST_LEVELS) {
    if (!isProven(level, checks)) break;
    proven = level;
  }
  return proven;
}

function isProven(level: TestLevel, checks: readonly JudgedCheck[]): boolean {
  const own = checks.filter(({ type }) => levelOf(type) === level);
  const required = own.filter(({ severity }) => severity === "fail");
  if (required.some(({ outcome }) => outcome !== "passed" && outcome !== "warned")) return false;
  const hasPassed = (type: string) => own.some((check) => check.type === type && check.outcome === "passed");
  const proofs = PROOF_OF_LEVEL[level];
  return NEEDS_ALL.has(level) ? proofs.every(hasPassed) : proofs.some(hasPassed);
}

function levelOf(type: string): TestLevel | null {
  const level = Object.hasOwn(LEVEL_OF_TYPE, type) ? LEVEL_OF_TYPE[type] : undefined;
  return level === undefined ? "serves" : level;
}

function isOpen({ outcome }: JudgedCheck): boolean {
  return outcome === "inconclusive" || outcome === "skipped";
}

function rankOf(level: TestLevel): number {
  return TEST_LEVELS.indexOf(level);
}

function reasonOf(what: string, checks: readonly JudgedCheck[]): string {
  const shown = checks.slice(0, SHOWN_IDS).map(({ id, reason }) => (reason === null ? id : `${id} (${reason})`));
  const more = checks.length > SHOWN_IDS ? ` and ${checks.length - SHOWN_IDS} more` : "";
  return `${what}: ${shown.join(", ")}${more}`;
}

function countOf(checks: readonly JudgedCheck[]): string {
  const passed = checks.filter(({ outcome }) => outcome === "passed").length;
  return `${passed} of ${checks.length} checks passed`;
}
