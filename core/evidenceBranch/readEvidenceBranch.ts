// What the evidence branch says about machines, for a gate that has no access to the repository and no secret: only the branch and
// public keys. Nothing is thrown for anything that the branch holds; it becomes a problem, and problems shut gates.

import { isAbort, isOurError } from "../errors.js";
import type { GateFacts } from "../evidence/gateFacts.js";
import { MAX_CLOCK_SKEW_MS } from "../evidence/objections.js";
import { shortLine } from "../report/inertText.js";
import { type CheckedBranch, type EvidencePlace, problemText, readBranch } from "./fetchedBranch.js";
import { type FactsTrust, machineFacts } from "./machineFacts.js";

type Problem = GateFacts["problems"][number];

const MAX_SHOWN = 600;

/**
 * One of the keys must have signed a statement, and the newest entry of the log. `evidence-missing`: no branch, or none that could be fetched.
 * `evidence-forged`: its files are not what was published. `evidence-rewritten`: its commits take something back. Throws what
 * core/git throws for names that are none, and the abort reason.
 */
export async function readEvidenceBranch(
  place: EvidencePlace,
  trust: FactsTrust,
  options: { signal?: AbortSignal } = {},
): Promise<GateFacts> {
  if (trust.keys.length === 0)
    return nothing([{ code: "policy-invalid", message: "there is no trusted key: no statement counts" }]);
  try {
    const branch = await readBranch(place, trust.keys, options);
    if (branch !== null) return factsFrom(branch, trust);
    return nothing([{ code: "evidence-missing", message: `there is no branch ${place.branch} with evidence` }]);
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "usage") throw error;
    options.signal?.throwIfAborted();
    const code =
      error.code === "EVIDENCE_BRANCH_INVALID" || error.code === "GIT_OUTPUT_TOO_LARGE"
        ? "evidence-forged"
        : "evidence-missing";
    return nothing([{ code, message: shortLine(error.message, MAX_SHOWN) }]);
  }
}

function factsFrom({ commit, tree, rewritten }: CheckedBranch, trust: FactsTrust): GateFacts {
  const problems: Problem[] = [
    ...tree.problems.map((each): Problem => ({ code: "evidence-forged", message: problemText(each) })),
    ...rewritten.map((each): Problem => ({ code: "evidence-rewritten", message: problemText(each) })),
  ];
  const { sequence = null, publishedAt } = tree.head?.entry ?? {};
  const publishedAtMs = publishedAt === undefined ? null : Date.parse(publishedAt);
  if (publishedAtMs !== null && publishedAtMs > trust.nowMs + MAX_CLOCK_SKEW_MS)
    problems.push({ code: "clock", message: `the newest entry of the log is of ${publishedAt}, which is yet to come` });
  const facts = machineFacts(tree.statements, trust);
  return {
    source: "branch",
    problems: [...problems, ...facts.problems],
    machines: facts.machines,
    machineProblems: facts.machineProblems,
    commit,
    sequence,
    publishedAtMs,
  };
}

function nothing(problems: Problem[]): GateFacts {
  const none = { machines: new Map(), machineProblems: new Map() };
  return { source: "branch", problems, ...none, commit: null, sequence: null, publishedAtMs: null };
}
