// The log of the evidence branch for people and pipelines: who has published what, and whether all of it is as it was published.

import { isOurError, RepriseError } from "../errors.js";
import { decodeEnvelope } from "../evidence/dsse.js";
import type { VerificationKey } from "../evidence/signingKey.js";
import { decodeStatement } from "../evidence/statement.js";
import { decodeText } from "../format/bytes.js";
import { shortLine } from "../report/inertText.js";
import { statementPath } from "./branchPaths.js";
import type { LiveStatement } from "./branchTree.js";
import { type EvidencePlace, problemText, readBranch } from "./fetchedBranch.js";
import { statementAbout } from "./statementAbout.js";

export interface EvidenceLog {
  commit: string;
  state: "sound" | "forged" | "rewritten";
  /** What is wrong, worst first; harmless for terminals. */
  problems: readonly string[];
  /** Oldest first. */
  entries: readonly EvidenceLogLine[];
  /** Statements that are there now; 0 when something is wrong with the files. */
  statements: number;
}

export interface EvidenceLogLine {
  sequence: number;
  publishedAt: string;
  /** As the entry says. */
  by: string;
  /** Ids of keys among those given; an entry by a key that is not trusted any more has none, and is covered by the next one. */
  signedBy: readonly string[];
  added: number;
  dropped: number;
  /** Of those statements that are still there: "inventory of vm/web1". */
  about: readonly string[];
  /** Those that are still there, by the SHA-256 of their files, as `evidence publish --drop` takes them. */
  statements: readonly { digest: string; about: string }[];
}

const MAX_BY_CHARS = 100;

/** EVIDENCE_BRANCH_MISSING, EVIDENCE_BRANCH_INVALID for one beyond all bounds, GIT_FETCH_FAILED. */
export async function readEvidenceLog(
  place: EvidencePlace,
  keys: readonly VerificationKey[],
  options: { signal?: AbortSignal } = {},
): Promise<EvidenceLog> {
  const branch = await readBranch(place, keys, { ...options, everySigner: true });
  if (branch === null) throw missing(place.branch);
  const { commit, tree, rewritten } = branch;
  const bySequence = Map.groupBy(tree.statements, ({ sequence }) => sequence);
  return {
    commit,
    state: tree.problems.length > 0 ? "forged" : rewritten.length > 0 ? "rewritten" : "sound",
    problems: [...tree.problems, ...rewritten].map(problemText),
    entries: tree.entries.map(({ entry, signedBy }) => {
      const there = (bySequence.get(entry.sequence) ?? []).map((each) => ({
        digest: each.digest,
        about: aboutOf(each),
      }));
      return {
        sequence: entry.sequence,
        publishedAt: entry.publishedAt,
        by: shortLine(entry.by, MAX_BY_CHARS),
        signedBy,
        added: entry.added.length,
        dropped: entry.dropped.length,
        about: [...new Set(there.map(({ about }) => about))],
        statements: there,
      };
    }),
    statements: tree.statements.length,
  };
}

function aboutOf({ bytes, digest }: LiveStatement): string {
  const what = statementPath(digest);
  try {
    const { predicateType, subjects } = decodeStatement(decodeEnvelope(decodeText(bytes, what), what).payload, what);
    return statementAbout({ predicateType, subjects: subjects.map(({ name }) => name) });
  } catch (error) {
    if (isOurError(error)) return "something that cannot be read";
    throw error;
  }
}

function missing(branch: string): RepriseError {
  return new RepriseError(
    "not-found",
    "EVIDENCE_BRANCH_MISSING",
    `the remote has no branch ${shortLine(branch, 200)}`,
    {
      data: { branch },
      hint: "check --branch and --remote; the first evidence publish makes it",
    },
  );
}
