// What may come next on a command line. Pure; the shells' scripts ask for it word by word.

import type { Completes, OperandSpec, OptionSpec } from "../lineSpec.js";
import type { Listed, Verb, VerbFamily } from "../verb.js";
import { isFamily } from "../verb.js";

export interface Candidate {
  value: string;
  meaning: string;
}

export interface Completion {
  candidates: Candidate[];
  /** What else fits, to be looked up elsewhere. */
  wants: Exclude<Completes, "place" | "machine-place"> | "path";
}

const NOTHING: Completion = { candidates: [], wants: "nothing" };

/** `words`: everything after `reprise`, the last one being typed (perhaps empty). */
export function completionOf(
  words: readonly string[],
  verbs: readonly Listed[],
  globals: readonly OptionSpec[],
): Completion {
  const typed = words.at(-1) ?? "";
  const { level, verb, own, operands, pending } = readWords(words.slice(0, -1), verbs, globals);
  if (pending !== undefined) return valuesOf(pending, typed);
  const options = [...((verb ?? own)?.options ?? []), ...globals].filter(({ hidden }) => !hidden);
  const equals = typed.indexOf("=");
  if (typed.startsWith("--") && equals > 0) {
    const spec = options.find((option) => namesOf(option).includes(typed.slice(0, equals)));
    return spec === undefined
      ? NOTHING
      : withPrefix(valuesOf(spec, typed.slice(equals + 1)), typed.slice(0, equals + 1));
  }
  if (typed.startsWith("-")) return { candidates: optionCandidates(options, typed), wants: "nothing" };
  if (verb === undefined) return { candidates: starting(level, typed), wants: "nothing" };
  return valuesOf(operandAt(verb, operands), typed);
}

interface Position {
  /** Verbs that may come next, while none is chosen. */
  level: readonly Candidate[];
  verb: Verb | undefined;
  /** Of a word that verbs may follow: what it does without one. */
  own: Verb | undefined;
  /** Operands before the word being typed. */
  operands: number;
  /** An option whose value is being typed. */
  pending: OptionSpec | undefined;
}

function readWords(words: readonly string[], verbs: readonly Listed[], globals: readonly OptionSpec[]): Position {
  const entries = verbs.map(({ entry }) => entry);
  const position: Position = {
    level: candidatesOf(entries),
    verb: undefined,
    own: undefined,
    operands: 0,
    pending: undefined,
  };
  let choices: readonly (Verb | VerbFamily)[] = entries;
  for (const word of words) {
    if (position.pending !== undefined) {
      position.pending = undefined;
      continue;
    }
    if (word.startsWith("-") && word !== "-") {
      const options = [...((position.verb ?? position.own)?.options ?? []), ...globals];
      const spec = options.find((option) => namesOf(option).includes(word));
      if (spec !== undefined && takesValue(spec)) position.pending = spec;
      continue;
    }
    if (position.verb !== undefined) {
      position.operands++;
      continue;
    }
    const chosen = choices.find(({ name }) => name === word);
    if (chosen === undefined) continue;
    if (isFamily(chosen)) {
      choices = chosen.verbs;
      position.level = candidatesOf(chosen.verbs);
      position.own = chosen.own;
    } else {
      position.verb = chosen;
      position.own = undefined;
    }
  }
  return position;
}

function candidatesOf(entries: readonly { name: string; summary: string; hidden?: true }[]): Candidate[] {
  return entries.filter(({ hidden }) => !hidden).map(({ name, summary }) => ({ value: name, meaning: summary }));
}

function valuesOf(spec: { choices?: readonly string[]; completes?: Completes } | undefined, typed: string): Completion {
  if (spec === undefined) return NOTHING;
  const candidates = (spec.choices ?? []).map((value) => ({ value, meaning: "" }));
  return { candidates: starting(candidates, typed), wants: spec.choices ? "nothing" : wantsOf(spec.completes, typed) };
}

function wantsOf(completes: Completes = "nothing", typed: string): Completion["wants"] {
  if (completes !== "place" && completes !== "machine-place") return completes;
  if (typed.includes(":/")) return "path";
  return completes === "place" ? "snapshot" : "group";
}

function operandAt({ operands }: Verb, index: number): OperandSpec | undefined {
  const last = operands.at(-1);
  return operands[index] ?? (last?.name.includes("...") ? last : undefined);
}

function optionCandidates(options: readonly OptionSpec[], typed: string): Candidate[] {
  const all = options.flatMap((option) => namesOf(option).map((value) => ({ value, meaning: option.description })));
  return starting([...all, { value: "--help", meaning: "print help" }], typed).filter(({ value }) =>
    value.startsWith("--"),
  );
}

function namesOf({ flags }: OptionSpec): string[] {
  return flags.split(/[ ,]+/).filter((part) => part.startsWith("-"));
}

function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes("<");
}

function starting(candidates: readonly Candidate[], typed: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(typed));
}

/** After `--option=` a file cannot be told apart from the option by every shell: only known values are offered. */
function withPrefix({ candidates }: Completion, prefix: string): Completion {
  return { candidates: candidates.map(({ value, meaning }) => ({ value: prefix + value, meaning })), wants: "nothing" };
}
