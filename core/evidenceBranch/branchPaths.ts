// Names of files in the evidence branch, and nothing else that may be there: docs/format/evidence-branch.md.

export const README_PATH = "README.md";
export const MAX_SEQUENCE = 99_999_999;

/** Of an entry of the log; sequences begin with 1. */
export function logPath(sequence: number): string {
  return `log/${String(sequence).padStart(8, "0")}.json`;
}

/** Of a statement, by the SHA-256 of its file, hex. */
export function statementPath(digest: string): string {
  return `statements/${digest.slice(0, 2)}/${digest}.json`;
}

export type BranchPath = { kind: "readme" } | { kind: "log"; sequence: number } | { kind: "statement"; digest: string };

/** Null for what has no place in the branch. */
export function parseBranchPath(path: string): BranchPath | null {
  if (path === README_PATH) return { kind: "readme" };
  const log = /^log\/(\d{8})\.json$/.exec(path);
  if (log !== null) return Number(log[1]) === 0 ? null : { kind: "log", sequence: Number(log[1]) };
  const digest = /^statements\/[0-9a-f]{2}\/([0-9a-f]{64})\.json$/.exec(path)?.[1];
  return digest === undefined || statementPath(digest) !== path ? null : { kind: "statement", digest };
}
