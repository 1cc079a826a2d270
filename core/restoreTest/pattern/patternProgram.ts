// A pattern as a machine with finitely many states (Thompson's construction): states accept one character, branch, assert
// something about their surroundings, or are the end.

import type { CodePointSet } from "./codePointSet.js";
import { type Assertion, NotSupported, type PatternNode } from "./patternSyntax.js";

export type State =
  | { kind: "character"; set: CodePointSet; next: number }
  | { kind: "branch"; next: readonly number[] }
  | { kind: "assertion"; what: Assertion; next: number }
  | { kind: "accept" };

export interface PatternProgram {
  states: readonly State[];
  start: number;
}

/** Work per character of a text is at most in proportion to it. */
const MAX_STATES = 1000;

/** Throws NotSupported when the pattern is too large. */
export function compileProgram(pattern: PatternNode): PatternProgram {
  const states: State[] = [];
  const add = (state: State): number => {
    if (states.length >= MAX_STATES) throw new NotSupported("it is too large: counted repeats such as {1000} add up");
    return states.push(state) - 1;
  };
  /** Builds from the end to the start: `next` is where a node goes on. */
  const build = (node: PatternNode, next: number): number => {
    switch (node.kind) {
      case "set":
        return add({ kind: "character", set: node.set, next });
      case "assertion":
        return add({ kind: "assertion", what: node.what, next });
      case "sequence":
        return node.parts.reduceRight((at, part) => build(part, at), next);
      case "choice":
        return add({ kind: "branch", next: node.options.map((option) => build(option, next)) });
      case "repeat":
        return repeat(node, next);
    }
  };
  const repeat = ({ node, min, max }: PatternNode & { kind: "repeat" }, next: number): number => {
    let at = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: number[] = [next];
      at = add({ kind: "branch", next: loop });
      loop.push(build(node, at));
    } else {
      for (let i = min; i < max; i++) at = add({ kind: "branch", next: [next, build(node, at)] });
    }
    for (let i = 0; i < min; i++) at = build(node, at);
    return at;
  };
  const accept = add({ kind: "accept" });
  return { states, start: build(pattern, accept) };
}
