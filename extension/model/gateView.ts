// What is shown of gates: the worst of several, how many changed files do not count, and where a machine stands in a policy that
// has changed since the base.

import type { GateAnswerData, GateData } from "../service/policyProtocol.js";

export type ShownDecision = GateData["decision"] | "unknown";

/** Shut ones first. */
const WORST_FIRST: readonly ShownDecision[] = ["blocked", "unknown", "overridden", "go", "not-needed"];

export function decisionOf({ data }: GateAnswerData): ShownDecision {
  return data?.decision ?? "unknown";
}

export function worstDecision(decisions: readonly ShownDecision[]): ShownDecision | undefined {
  return WORST_FIRST.find((each) => decisions.includes(each));
}

/** For an order in which the worst come first. */
export function rankOf(decisions: readonly ShownDecision[]): number {
  return Math.min(...decisions.map((each) => WORST_FIRST.indexOf(each)));
}

export function isShut(decision: ShownDecision): boolean {
  return decision === "blocked" || decision === "unknown";
}

/** A file that is staged and changed again is one file. */
export function countFiles(lists: readonly (readonly { uri: { toString(): string } }[])[]): number {
  return new Set(lists.flat().map(({ uri }) => uri.toString())).size;
}

/**
 * 0-based line of a machine's rule below a gate, in a text that may be another than the one that was judged; else where the machine, or
 * the gate, is; 0: nothing is found.
 */
export function lineOfMachine(text: string, gate: string, machine: string): number {
  const lines = text.split("\n");
  const top = lines.findIndex((line) => /^["']?gates["']?:/.test(line));
  const start = top === -1 ? -1 : lines.findIndex((line, at) => at > top && keyOf(line) === gate);
  if (start !== -1) {
    const indent = indentOf(lines[start] ?? "");
    for (let at = start + 1; at < lines.length; at++) {
      const line = lines[at] ?? "";
      if (isBlank(line)) continue;
      if (indentOf(line) <= indent) break;
      if (hasWord(line, machine)) return at;
    }
  }
  const anywhere = lines.findIndex((line) => hasWord(line, machine));
  return Math.max(0, anywhere === -1 ? start : anywhere);
}

function keyOf(line: string): string | undefined {
  return /^\s+(?:"([^"]*)"|'([^']*)'|([^\s"'#:][^:#]*)):(?=\s|$)/.exec(line)?.slice(1).find(Boolean);
}

function indentOf(line: string): number {
  return /^ */.exec(line)?.[0].length ?? 0;
}

function isBlank(line: string): boolean {
  return /^\s*(#|$)/.test(line);
}

function hasWord(line: string, word: string): boolean {
  const isPart = (at: number) => /[A-Za-z0-9_.:/-]/.test(line[at] ?? "");
  for (let at = line.indexOf(word); at !== -1; at = line.indexOf(word, at + 1)) {
    const end = at + word.length;
    // `vm/a:` is a key
    const isEnd = !isPart(end) || (line[end] === ":" && !isPart(end + 1));
    if ((at === 0 || !isPart(at - 1)) && isEnd && !isBlank(line)) return true;
  }
  return false;
}
