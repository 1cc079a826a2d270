// Which rules of a gate a change meets: for each file the last rule that matches decides, as in CODEOWNERS. Pure.

import type { GateConfig, GateRule } from "../config/repriseConfig.js";
import type { ChangedFile } from "../git/changedFiles.js";
import { compilePathPattern, type MatchedPath, matchedPath, type PathPattern } from "../platform/pathPattern.js";

export interface CompiledRule {
  rule: GateRule;
  patterns: readonly PathPattern[];
}

/** A rule that at least one changed file falls under, for one of its machines. */
export interface RequiredMachine {
  machine: string;
  rule: GateRule;
  /** Paths, in the order given. */
  files: readonly string[];
}

export interface PatternProblem {
  pattern: string;
  message: string;
  /** Line of the rule. */
  line: number;
}

export function compileRules({ rules }: Pick<GateConfig, "rules">): {
  rules: CompiledRule[];
  problems: PatternProblem[];
} {
  const problems: PatternProblem[] = [];
  const compiled = rules.map((rule): CompiledRule => {
    const patterns = rule.paths.flatMap((pattern) => {
      const result = compilePathPattern(pattern);
      if ("pattern" in result) return [result.pattern];
      problems.push({ pattern, message: result.problem, line: rule.line });
      return [];
    });
    return { rule, patterns };
  });
  return { rules: compiled, problems };
}

/** By machine and rule, in the order of the rules. */
export function requiredMachines(rules: readonly CompiledRule[], files: readonly ChangedFile[]): RequiredMachine[] {
  const byRule = new Map<GateRule, string[]>();
  for (const file of files) {
    for (const { rule } of decidingRules(rules, pathOf(file))) {
      const known = byRule.get(rule);
      if (known === undefined) byRule.set(rule, [file.path]);
      else known.push(file.path);
    }
  }
  return rules.flatMap(({ rule }) => {
    const matched = byRule.get(rule);
    return matched === undefined ? [] : rule.machines.map((machine) => ({ machine, rule, files: matched }));
  });
}

/**
 * The last rule that matches. Behind a link or a submodule may be any names: there every rule decides that may match one of them, up to the
 * last one that matches all of them.
 */
function decidingRules(rules: readonly CompiledRule[], path: MatchedPath): CompiledRule[] {
  const deciding: CompiledRule[] = [];
  for (const each of rules.toReversed()) {
    const { patterns } = each;
    const isMet = patterns.some((pattern) => pattern.matches(path) || (path.isFolder && pattern.mayMatchBelow(path)));
    if (!isMet) continue;
    deciding.push(each);
    if (!path.isFolder || patterns.some((pattern) => pattern.coversBelow(path))) break;
  }
  return deciding;
}

/** Every rule for each of its machines: for when nobody knows what has changed. */
export function allRequired(rules: readonly CompiledRule[]): RequiredMachine[] {
  return rules.flatMap(({ rule }) => rule.machines.map((machine) => ({ machine, rule, files: [] })));
}

/** Patterns that match no file at all: misspelt, or about something that is gone. */
export function unmatchedPatterns(rules: readonly CompiledRule[], files: readonly MatchedPath[]): PatternProblem[] {
  return rules.flatMap(({ rule, patterns }) =>
    patterns
      .filter((pattern) => !files.some((file) => pattern.matches(file)))
      .map(({ source }) => ({ pattern: source, message: "it matches no file", line: rule.line })),
  );
}

export function pathOf({ path, kind }: Pick<ChangedFile, "path" | "kind">): MatchedPath {
  return matchedPath(path, kind !== "file");
}
