// Which level of a restore test each type of check belongs to: what must be there for it, and what it proves.

import type { CheckType, TestLevel } from "./restoreTestSpec.js";
import { TEST_LEVELS } from "./restoreTestSpec.js";

/** The lowest level at which a check can be made: with all data, with file systems, with a machine that runs. */
export const LEVEL_OF_CHECK: Readonly<Record<CheckType, TestLevel>> = {
  chunks: "intact",
  "partition-table": "readable",
  filesystem: "readable",
  file: "readable",
  serial: "boots",
  agent: "boots",
  screenshot: "boots",
  tcp: "boots",
  http: "boots",
  command: "boots",
  sql: "boots",
  canary: "readable",
  script: "boots",
};

/** At least one of these, of severity fail, makes a level of `serves`. */
export const SERVING_CHECKS: ReadonlySet<CheckType> = new Set(["tcp", "http", "command", "sql", "script"]);

/** Checks that reach the guest over its network. */
export const NETWORK_CHECKS: ReadonlySet<CheckType> = new Set(["tcp", "http"]);

/** True when the first level is the second or includes it. */
export function reaches(level: TestLevel, other: TestLevel): boolean {
  return TEST_LEVELS.indexOf(level) >= TEST_LEVELS.indexOf(other);
}
