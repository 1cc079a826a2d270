// Mistakes and oddities of reprise.yml and specs, at their lines: what the core says of the file, and what the open repositories say
// of its machines.

import {
  Diagnostic,
  type DiagnosticCollection,
  DiagnosticSeverity,
  type Disposable,
  env,
  type LogOutputChannel,
  l10n,
  languages,
  Range,
  type TextDocument,
  type Uri,
  workspace,
} from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { reasonText } from "../model/coreWords.js";
import type { FileProblemData } from "../service/policyProtocol.js";
import type { FoundStates, MachineStates } from "./machineStates.js";
import { isOurs, type Policies, type PolicyReading, type Reading, type SpecReading } from "./policies.js";

const SOURCE = "reprise";
/** How far below the line of an entry one of its words is looked for. */
const NEAR_LINES = 20;

/** What was found the last time that it could be looked at. */
interface Found {
  inFile: readonly Diagnostic[];
  ofMachines: readonly Diagnostic[];
}

const NOTHING: Found = { inFile: [], ofMachines: [] };

export interface PolicyDiagnosticsParts {
  policies: Policies;
  states: MachineStates;
  log: LogOutputChannel;
}

export class PolicyDiagnostics implements Disposable {
  readonly #parts: PolicyDiagnosticsParts;
  readonly #shown: DiagnosticCollection = languages.createDiagnosticCollection(SOURCE);
  readonly #found = new Map<string, Found>();
  readonly #listeners: Disposable[];
  /** Why a file could not be checked, as it was logged. */
  readonly #said = new Map<string, string>();

  constructor(parts: PolicyDiagnosticsParts) {
    this.#parts = parts;
    this.#listeners = [
      this.#shown,
      parts.policies.onDidChange((uri) => void this.#show(uri)),
      parts.states.onDidChange(() => this.showAll()),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
  }

  /** Of what is open. */
  showAll(): void {
    for (const document of workspace.textDocuments) if (isOurs(document)) void this.#show(document.uri);
  }

  /** What cannot be checked keeps what is known of it, and says that it could not be checked: never that all is well. */
  async #show(uri: Uri): Promise<void> {
    const key = uri.toString();
    const document = workspace.textDocuments.find((each) => each.uri.toString() === key);
    if (document === undefined || document.isClosed || !isOurs(document)) return this.#forget(uri);
    const { version } = document;
    const isOld = () => document.isClosed || document.version !== version;
    try {
      const reading = await this.#parts.policies.read(uri);
      if (isOld()) return;
      const inFile = inFileOf(reading, document);
      this.#put(uri, { ...(this.#found.get(key) ?? NOTHING), inFile }, []);
      const { found, problems } = await this.#ofMachines(reading, document);
      if (isOld()) return;
      const ofMachines = problems.length === 0 ? found : (this.#found.get(key) ?? NOTHING).ofMachines;
      this.#put(uri, { inFile, ofMachines }, problems);
      this.#said.delete(key);
    } catch (error) {
      if (isAbort(error) || isOld()) return;
      const why = errorText(error);
      if (this.#said.get(key) !== why) this.#parts.log.warn(`${uri.fsPath}: ${why}`);
      this.#said.set(key, why);
      this.#put(uri, this.#found.get(key) ?? NOTHING, [why]);
    }
  }

  #forget(uri: Uri): void {
    this.#found.delete(uri.toString());
    this.#shown.delete(uri);
  }

  #put(uri: Uri, found: Found, problems: readonly string[]): void {
    this.#found.set(uri.toString(), found);
    const notes = problems.map((why) =>
      diagnostic(new Range(0, 0, 0, 0), l10n.t("could not be checked: {0}", why), DiagnosticSeverity.Warning),
    );
    this.#shown.set(uri, [...notes, ...found.inFile, ...found.ofMachines]);
  }

  async #ofMachines(
    reading: Reading | undefined,
    document: TextDocument,
  ): Promise<{ found: Diagnostic[]; problems: readonly string[] }> {
    if (reading === undefined || (reading.kind === "policy" && !reading.data.sound)) return { found: [], problems: [] };
    const { states } = this.#parts;
    const answer = reading.kind === "spec" ? await states.ofAll() : await states.ofPolicy(reading);
    const found =
      reading.kind === "spec" ? unknownMachines(reading, answer, document) : stale(reading, answer, document);
    return { found, problems: answer.problems };
  }
}

function inFileOf(reading: Reading | undefined, document: TextDocument): Diagnostic[] {
  const mistakes = (reading?.data.problems ?? []).map((problem) => diagnosticOf(problem, document));
  if (reading?.kind !== "policy") return mistakes;
  const unmatched = reading.data.patterns.map(({ pattern, line }) =>
    near(document, line, pattern, l10n.t("{0} matches no file of this folder", pattern)),
  );
  return [...mistakes, ...unmatched];
}

/** Late, damaged, failed; and, without an expectation, not backed up yet. */
function stale({ data }: PolicyReading, { states, asked }: FoundStates, document: TextDocument): Diagnostic[] {
  return data.machines.flatMap(({ machine, line }) => {
    const own = states.filter((each) => each.machine === machine);
    const bad = own.find(({ outcome }) => outcome === "failed") ?? own.find(({ outcome }) => outcome !== "passed");
    if (bad !== undefined) {
      const severity = bad.outcome === "failed" ? DiagnosticSeverity.Warning : DiagnosticSeverity.Information;
      const reason = reasonText(bad.reason, { locale: env.language, t: l10n.t });
      return [near(document, line, machine, `${machine}: ${reason}`, severity)];
    }
    if (asked === 0 || own.some(({ newest }) => newest !== null)) return [];
    const text = l10n.t("no open repository has a backup of {0} yet", machine);
    return [near(document, line, machine, text, DiagnosticSeverity.Information)];
  });
}

/** Only when there are repositories that could know them. */
function unknownMachines({ data }: SpecReading, { states }: FoundStates, document: TextDocument): Diagnostic[] {
  const known = new Set(states.map(({ machine }) => machine));
  if (known.size === 0) return [];
  return data.restoreTests.flatMap(({ machines, line }) =>
    machines
      .filter(({ machine }) => !known.has(machine))
      .map(({ machine }) => near(document, line, machine, l10n.t("no open repository has backups of {0}", machine))),
  );
}

function diagnosticOf({ line, column, severity, message, file }: FileProblemData, document: TextDocument): Diagnostic {
  // what is wrong in another file is told where this one begins
  const at = file === null ? wordRange(document, line - 1, column - 1) : new Range(0, 0, 0, 0);
  const text = file === null ? message : `${file}:${line}:${column}: ${message}`;
  return diagnostic(at, text, severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning);
}

/** At a word that stands in an entry or close below its line (1-based). */
function near(
  document: TextDocument,
  line: number,
  word: string,
  message: string,
  severity = DiagnosticSeverity.Warning,
): Diagnostic {
  for (let at = Math.max(0, line - 1); at < Math.min(document.lineCount, line + NEAR_LINES); at++) {
    const start = document.lineAt(at).text.indexOf(word);
    if (start !== -1) return diagnostic(new Range(at, start, at, start + word.length), message, severity);
  }
  return diagnostic(wordRange(document, line - 1, 0), message, severity);
}

function wordRange(document: TextDocument, line: number, column: number): Range {
  if (line < 0 || line >= document.lineCount) return new Range(0, 0, 0, 0);
  const { text } = document.lineAt(line);
  const rest = /^[^\s,\]}]+/.exec(text.slice(column))?.[0] ?? "";
  return new Range(line, column, line, rest === "" ? text.length : column + rest.length);
}

function diagnostic(range: Range, message: string, severity: DiagnosticSeverity): Diagnostic {
  const made = new Diagnostic(range, message, severity);
  made.source = SOURCE;
  return made;
}
