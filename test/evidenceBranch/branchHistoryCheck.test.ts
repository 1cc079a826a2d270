import assert from "node:assert/strict";
import { checkBranchHistory } from "../../core/evidenceBranch/branchHistoryCheck.js";
import { logPath, statementPath } from "../../core/evidenceBranch/branchPaths.js";
import type { BranchCommit } from "../../core/git/branchHistory.js";

const digest = "ab".repeat(32);
const commit = (parents: number, ...changes: BranchCommit["changes"]): BranchCommit => {
  return { id: "c0".repeat(20), parents, changes };
};
const adds = (...sequences: number[]) => sequences.map((each) => ({ kind: "added" as const, path: logPath(each) }));

describe("the history of the evidence branch", () => {
  it("appends one entry with each commit", () => {
    const changes = [
      { kind: "removed" as const, path: statementPath(digest) },
      { kind: "changed" as const, path: "README.md" },
    ];
    assert.deepEqual(checkBranchHistory([commit(0, ...adds(1)), commit(1, ...adds(2), ...changes)]), []);
    assert.deepEqual(checkBranchHistory([]), []);
  });

  it("may begin anywhere, where the clone is shallow or it was begun anew", () => {
    assert.deepEqual(checkBranchHistory([commit(0, ...adds(1, 2, 3)), commit(1, ...adds(4))]), []);
  });

  it("is rewritten by everything else", () => {
    const first = commit(0, ...adds(1));
    const wrong: BranchCommit[] = [
      commit(1),
      commit(1, ...adds(3)),
      commit(1, ...adds(2, 3)),
      commit(2, ...adds(2)),
      commit(0, ...adds(2)),
      commit(1, ...adds(2), { kind: "removed", path: logPath(1) }),
      commit(1, ...adds(2), { kind: "changed", path: logPath(1) }),
      commit(1, ...adds(2), { kind: "changed", path: statementPath(digest) }),
      commit(1, { kind: "changed", path: "README.md" }),
    ];
    for (const each of wrong) assert.notDeepEqual(checkBranchHistory([first, each]), [], JSON.stringify(each));
    const many = Array.from({ length: 100 }, () => commit(1));
    assert.equal(checkBranchHistory([first, ...many]).length, 20);
  });
});
