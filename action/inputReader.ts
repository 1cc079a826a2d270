// Single inputs: which there are, and every mistake in one of them. What they mean together is inputs.ts.

import { nearestWord } from "../core/index.js";

/** As action.yml has them; the runner fills them in, and an empty input means the same. */
export const INPUT_DEFAULTS = {
  command: "",
  config: "reprise.yml",
  job: "",
  machine: "",
  test: "",
  repository: "",
  disk: "",
  folder: "",
  spec: "",
  keep: "",
  gate: "",
  base: "",
  head: "",
  "policy-from": "base",
  due: "false",
  reports: "",
  "dry-run": "false",
  "fail-on": "inconclusive",
  "publish-evidence": "auto",
  "report-folder": "",
  summary: "true",
  "log-level": "info",
  "trust-keeper": "",
  "install-tools": "false",
} as const;
export type InputName = keyof typeof INPUT_DEFAULTS;

export interface InputMistake {
  input: string;
  message: string;
  hint: string;
}

/** What the runner gives: values by the names that action.yml has, and names that it has not. */
export interface GivenInputs {
  values: ReadonlyMap<string, string>;
  unknown: readonly string[];
}

const MAX_INPUT_CHARS = 64 * 1024;
const MAX_LIST = 1000;
/** Names of inputs that somebody would put a secret into. */
const SECRET_NAME = /pass|secret|token|credential|recovery|(^|[-_])key($|[-_])|access-key|private/i;

/** Whether an input of this name is likely to hold a secret: nobody may print it. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !Object.hasOwn(INPUT_DEFAULTS, name);
}

export class InputReader {
  readonly mistakes: InputMistake[] = [];
  readonly #given: GivenInputs;

  constructor(given: GivenInputs) {
    this.#given = given;
    const known = Object.keys(INPUT_DEFAULTS);
    for (const name of given.unknown) {
      const nearest = nearestWord(name, known);
      if (isSecretName(name)) {
        const hint =
          "secrets are given through the environment of the step (env), as in REPRISE_PASSPHRASE; change this one if it may have been seen";
        this.wrong(name, "is no input, and looks like a secret", hint);
      } else {
        this.wrong(
          name,
          "is no input of this action",
          nearest === null ? "see docs/action.md" : `did you mean ${nearest}?`,
        );
      }
    }
  }

  wrong(input: string, message: string, hint: string): void {
    this.mistakes.push({ input, message, hint });
  }

  /** Differs from its default. */
  isGiven(name: InputName): boolean {
    return this.#text(name) !== INPUT_DEFAULTS[name];
  }

  isTrue(name: InputName): boolean {
    return this.#text(name).toLowerCase() === "true";
  }

  line(name: InputName): string {
    const text = this.#text(name);
    if (text.length > 4096 || /\p{Cc}/u.test(text)) {
      this.wrong(name, "is not one line of plain text", "give one line without control characters");
      return "";
    }
    return text;
  }

  lines(name: InputName): string[] {
    return this.#parts(name, /\n/);
  }

  list(name: InputName): string[] {
    return [...new Set(this.#parts(name, /[\n,]/))];
  }

  choice<T extends string>(name: InputName, choices: readonly T[]): T {
    const text = this.#text(name).toLowerCase();
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const nearest = nearestWord(text, choices);
    const hint = nearest === null ? `there are: ${choices.join(", ")}` : `did you mean ${nearest}?`;
    this.wrong(
      name,
      text === "" ? "is missing" : `is ${quoted(text)}, which there is not`,
      text === "" ? `one of ${choices.join(", ")}` : hint,
    );
    return "" as T;
  }

  boolean(name: InputName): boolean {
    const text = this.#text(name).toLowerCase();
    if (text !== "true" && text !== "false") this.wrong(name, `is ${quoted(text)}`, "give true or false");
    return text === "true";
  }

  #parts(name: InputName, separator: RegExp): string[] {
    const parts = this.#text(name)
      .split(separator)
      .map((part) => part.trim())
      .filter((part) => part !== "");
    if (parts.length > MAX_LIST) this.wrong(name, `has more than ${MAX_LIST} entries`, "give fewer");
    if (parts.some((part) => /\p{Cc}/u.test(part))) this.wrong(name, "has control characters", "give plain text");
    return parts.slice(0, MAX_LIST);
  }

  #text(name: InputName): string {
    const text = this.#given.values.get(name)?.replaceAll("\r\n", "\n").trim() ?? "";
    if (text === "") return INPUT_DEFAULTS[name];
    if (text.length <= MAX_INPUT_CHARS) return text;
    if (!this.mistakes.some(({ input }) => input === name)) this.wrong(name, "is too long", "give less than 64 KiB");
    return INPUT_DEFAULTS[name];
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
