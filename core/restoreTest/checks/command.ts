// A program in the guest ends as it should.

import type { CheckFunction } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { describeResult, runInGuest } from "./guestProgram.js";
import { complaintAbout, describeWanted } from "./patterns.js";

export const checkCommand: CheckFunction<"command"> = async (check, context, { signal }) => {
  const line = check.run.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
  const expected = `${line}: exit ${check.exitCode}${describeWanted("output", check)}`;
  const timeoutMs = check.timeoutMs;
  const run = await runInGuest(check.run, context, { signal, timeoutMs });
  if (run.kind === "absent") return cannotTell(expected, run.observed, run.reason);
  if (run.kind === "late") return fails(expected, "still running", `it did not end within ${timeoutMs} ms`);
  const { result } = run;
  const observed = describeResult(result);
  if (result.exitCode !== check.exitCode) return fails(expected, observed, "it ended in another way");
  const complaint = complaintAbout(`${result.stdout}\n${result.stderr}`, check);
  if (complaint !== null && !result.truncated) return fails(expected, observed, complaint);
  if (result.truncated && (complaint !== null || check.forbidden !== null))
    return cannotTell(expected, observed, "the agent did not keep all of the output");
  return holds(expected, observed);
};
