// GitHub's runner, and whatever behaves like it (act, Gitea, Forgejo). The one file that names @actions/core: all text goes
// through `clean`, so that no line of a log is a command and no secret is in it.

import { stat } from "node:fs/promises";
import {
  debug,
  error,
  getInput,
  group,
  info,
  isDebug,
  notice,
  setFailed,
  setOutput,
  setSecret,
  summary,
  warning,
} from "@actions/core";
import { type Annotation, inert, inertLine } from "../core/index.js";
import { type GivenInputs, INPUT_DEFAULTS, type InputName } from "./inputReader.js";
import type { Runner } from "./runner.js";
import { SecretKeeper } from "./secrets.js";

/** Of one step's summary; GitHub shows none that is longer. */
const MAX_SUMMARY_BYTES = 1024 * 1024;
const ANNOTATE = { error, warning, notice };

export class GithubRunner implements Runner {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #secrets = new SecretKeeper();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.env = env;
  }

  inputs(): GivenInputs {
    const names = Object.keys(INPUT_DEFAULTS) as InputName[];
    const known = new Set(names.map(variableOf));
    const given = Object.keys(this.env).filter((name) => name.startsWith("INPUT_"));
    return {
      values: new Map(names.map((name) => [name, getInput(name)])),
      unknown: given.filter((name) => !known.has(name)).map((name) => name.slice("INPUT_".length).toLowerCase()),
    };
  }

  hide(secret: string): void {
    for (const part of this.#secrets.add(secret)) setSecret(part);
  }

  redact(text: string): string {
    return this.#secrets.redact(text);
  }

  log(text: string): void {
    for (const line of this.#clean(text).split("\n")) info(line);
  }

  debug(text: string): void {
    if (isDebug()) debug(this.#clean(text));
  }

  async group<T>(title: string, work: () => Promise<T>): Promise<T> {
    return await group(inertLine(this.redact(title)), work);
  }

  annotate({ severity, title, message, file, line, column }: Annotation): void {
    const place = { file: file ?? undefined, startLine: line ?? undefined, startColumn: column ?? undefined };
    // without a file the runner takes line and column for lines of its own log
    const properties = file === null ? {} : place;
    ANNOTATE[severity](this.#clean(message), { title: inertLine(this.redact(title)), ...properties });
  }

  setOutput(name: string, value: string): void {
    setOutput(name, this.redact(value));
  }

  async writeSummary(markdown: string): Promise<boolean> {
    const file = this.env.GITHUB_STEP_SUMMARY;
    if (file === undefined || file === "") return false;
    const size = await stat(file).then(
      (found) => found.size,
      () => undefined,
    );
    const text = this.redact(markdown);
    if (size === undefined || size + Buffer.byteLength(text) > MAX_SUMMARY_BYTES) return false;
    await summary.addRaw(text, true).write();
    return true;
  }

  fail(reason: string | null): void {
    if (reason === null) process.exitCode = 1;
    else setFailed(this.#clean(reason));
  }

  #clean(text: string): string {
    return inert(this.redact(text));
  }
}

/** As the runner builds it: hyphens stay. */
function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}
