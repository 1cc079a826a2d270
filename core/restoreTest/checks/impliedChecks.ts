// What a level asks for without being told: the checks of the backup itself. What shows that a machine has started is up to
// the run, since it waits for that anyway; what a machine serves is up to the spec.

import { type CheckFrame, type CheckSpec, TEST_LEVELS, type TestLevel } from "../spec/restoreTestSpec.js";

/** In the order in which they should be made. `timeoutMs`: for each of them. */
export function impliedChecks(level: TestLevel, timeoutMs: number): CheckSpec[] {
  const frame = (id: string): CheckFrame => ({
    id,
    severity: "fail",
    timeoutMs,
    retries: 0,
    intervalMs: 0,
    line: 0,
  });
  const checks: CheckSpec[] = [{ ...frame("level.chunks"), type: "chunks" }];
  if (TEST_LEVELS.indexOf(level) < TEST_LEVELS.indexOf("readable")) return checks;
  const anything = { fileSystem: null, label: null, uuid: null, clean: null, minimumFreeBytes: null };
  checks.push(
    { ...frame("level.partition-table"), type: "partition-table", disk: null, scheme: null, partitions: null },
    { ...frame("level.filesystem"), type: "filesystem", volume: null, ...anything },
  );
  return checks;
}
