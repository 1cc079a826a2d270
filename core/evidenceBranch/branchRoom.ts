// Whether there is room for a publication: nobody may make the branch larger than readers take it, or every gate shuts. Pure.

import { RepriseError } from "../errors.js";
import { shortLine } from "../report/inertText.js";
import type { BranchLimits, CheckedBranch } from "./fetchedBranch.js";
import type { Publication } from "./planPublication.js";

/** A branch that is too large already is read for making it smaller. */
export function largestReadable({ files, bytes }: BranchLimits): BranchLimits {
  return { files: 2 * files, bytes: 2 * bytes };
}

/** EVIDENCE_BRANCH_FULL. What makes a branch smaller that is too large has its room. */
export function checkRoom(
  name: string,
  branch: Pick<CheckedBranch, "sizes"> | null,
  { files }: Publication,
  limits: BranchLimits,
): void {
  const sizes = branch?.sizes ?? new Map<string, number>();
  const before: BranchLimits = { files: sizes.size, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
  const after = { ...before };
  for (const [path, bytes] of files) {
    const size = sizes.get(path);
    after.bytes += (bytes?.length ?? 0) - (size ?? 0);
    after.files += (bytes === null ? 0 : 1) - (size === undefined ? 0 : 1);
  }
  const isFull = (what: keyof BranchLimits) => after[what] > limits[what] && after[what] >= before[what];
  if (isFull("files") || isFull("bytes")) throw full(name, after, limits);
}

function full(name: string, after: BranchLimits, limits: BranchLimits): RepriseError {
  const message = `the evidence branch ${shortLine(name, 200)} would have ${after.files} files with ${after.bytes} bytes; readers take ${limits.files} with ${limits.bytes}`;
  return new RepriseError("conflict", "EVIDENCE_BRANCH_FULL", message, {
    data: { branch: name, ...after, maxFiles: limits.files, maxBytes: limits.bytes },
    hint: "drop older statements by evidence publish --keep (1,000 with each run) and keep less (evidence.keep in reprise.yml), or begin a new branch under another name",
  });
}
