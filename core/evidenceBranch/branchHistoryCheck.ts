// What the commits of the evidence branch must look like: each one appends the next entry of the log, and none takes or changes
// an earlier one. The first commit there is counts as it is: it may be where a shallow clone begins. Pure.

import type { BranchCommit } from "../git/branchHistory.js";
import { parseBranchPath } from "./branchPaths.js";
import type { TreeProblem } from "./branchTree.js";

const MAX_PROBLEMS = 20;

/** Oldest first. Empty: nothing was rewritten. */
export function checkBranchHistory(commits: readonly BranchCommit[]): TreeProblem[] {
  const problems: TreeProblem[] = [];
  let sequence = 0;
  for (const [at, { id, parents, changes }] of commits.entries()) {
    const object = (path: string, what: string) =>
      problems.push({ path, message: `${what} by commit ${id.slice(0, 12)}` });
    if (parents > 1 || (parents === 0 && at > 0)) object("the branch", "was joined with another one");
    const added: number[] = [];
    for (const { kind, path } of changes) {
      const known = parseBranchPath(path);
      if (known?.kind === "log" && kind === "added") added.push(known.sequence);
      else if (known?.kind === "log" || (known?.kind === "statement" && kind === "changed"))
        object(path, `was ${kind}`);
    }
    const newest = added.reduce((a, b) => Math.max(a, b), 0);
    if (at > 0 && (added.length !== 1 || newest !== sequence + 1))
      object("the log", `has ${added.length === 0 ? "no" : "not the"} next entry, though something was changed`);
    sequence = Math.max(sequence, newest);
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return problems.slice(0, MAX_PROBLEMS);
}
