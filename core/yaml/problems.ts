// What is wrong with a file that somebody wrote: gathered with places, told all at once in one error.

import { RepriseError } from "../errors.js";

/** 1-based, as editors count; the column counts UTF-16 units. */
export interface Place {
  line: number;
  column: number;
}

export interface FileProblem extends Place {
  /** JSON pointer into the document, as in `/spec/checks/0/port`; empty: the document as a whole. */
  path: string;
  message: string;
  /** When it is in another file than the one that was read, one that it names. */
  file?: string;
}

const MAX_TOLD = 20;
const MAX_MESSAGE_CHARS = 400;

/** Gathers problems of one document. */
export class ProblemList {
  readonly problems: FileProblem[] = [];
  readonly #known = new Set<string>();
  readonly #placeOf: (path: string, part: "key" | "value") => Place;

  constructor(placeOf: (path: string, part: "key" | "value") => Place) {
    this.#placeOf = placeOf;
  }

  /** At the value that a path leads to; of one that is not there, at its nearest parent. */
  add(path: string, message: string): void {
    this.#push(path, "value", message);
  }

  addAtKey(path: string, message: string): void {
    this.#push(path, "key", message);
  }

  placeOf(path: string, part: "key" | "value"): Place {
    return this.#placeOf(path, part);
  }

  /** Problems that have their places already. */
  take(found: readonly FileProblem[]): void {
    for (const problem of found) {
      this.#known.add(keyOf(problem));
      this.problems.push(problem);
    }
  }

  line(path: string): number {
    return this.#placeOf(path, "value").line;
  }

  lineOfKey(path: string): number {
    return this.#placeOf(path, "key").line;
  }

  /** Once: what holds for every machine is read for each of them. */
  #push(path: string, part: "key" | "value", message: string): void {
    const key = keyOf({ path, message });
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.problems.push({ ...this.#placeOf(path, part), path, message });
  }
}

function keyOf({ path, message }: Pick<FileProblem, "path" | "message">): string {
  return `${path}\n${message}`;
}

/**
 * One error for all problems, in the order of the file. Its data: file, line and column of the first, their count, and problems
 * (the first 20) with line, column, path and message each.
 */
export function fileInvalid(
  fileName: string,
  found: readonly FileProblem[],
  about: { code: string; hint: string },
): RepriseError {
  const problems = inFileOrder(found)
    .slice(0, MAX_TOLD)
    .map((problem) => ({ ...problem, path: printable(problem.path), message: printable(problem.message) }));
  const lines = problems.map(
    ({ file, line, column, message }) => `${printable(file ?? fileName)}:${line}:${column}: ${message}`,
  );
  if (found.length > problems.length) lines.push(`and ${found.length - problems.length} more problems`);
  return new RepriseError("usage", about.code, lines.join("\n"), {
    data: {
      file: problems[0]?.file ?? fileName,
      line: problems[0]?.line ?? 1,
      column: problems[0]?.column ?? 1,
      count: found.length,
      problems,
    },
    hint: about.hint,
  });
}

/** The file that was read first, then those it names. */
export function inFileOrder<Problem extends FileProblem>(found: readonly Problem[]): Problem[] {
  const rank = ({ file = "" }: FileProblem) => file;
  return [...found].sort(
    (a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

/** What a file says may reach a terminal or a log: without control characters, and not too long. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "�");
  return clean.length <= MAX_MESSAGE_CHARS ? clean : `${clean.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}
