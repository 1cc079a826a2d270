// Mistakes and oddities of reprise.yml and specs, at their lines: what the core says of the file, and what the open repositories say
// of its machines.

import {
  Diagnostic,
  type DiagnosticCollection,
  DiagnosticSeverity,
  type Disposable,
  l10n,
  languages,
  Range,
  type TextDocument,
  type Uri,
  workspace,
} from "vscode";
import type { FileProblemData } from "../service/policyProtocol.js";
import type { MachineStates } from "./machineStates.js";
import { isOurs, type Policies, type Reading } from "./policies.js";

const SOURCE = "reprise";
/** How far below the line of an entry one of its words is looked for. */
const NEAR_LINES = 20;

export class PolicyDiagnostics implements Disposable {
  readonly #policies: Policies;
  readonly #states: MachineStates;
  readonly #shown: DiagnosticCollection = languages.createDiagnosticCollection(SOURCE);
  readonly #listeners: Disposable[];

  constructor(policies: Policies, states: MachineStates) {
    this.#policies = policies;
    this.#states = states;
    this.#listeners = [
      this.#shown,
      policies.onDidChange((uri) => void this.#show(uri)),
      states.onDidChange(() => this.showAll()),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
  }

  /** Of what is open. */
  showAll(): void {
    for (const document of workspace.textDocuments) if (isOurs(document)) void this.#show(document.uri);
  }

  async #show(uri: Uri): Promise<void> {
    const document = workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
    if (document === undefined || document.isClosed || !isOurs(document)) return this.#shown.delete(uri);
    const { version } = document;
    const isOld = () => document.isClosed || document.version !== version;
    const reading = await this.#policies.read(uri).catch(() => undefined);
    if (isOld()) return;
    const found = (reading?.data.problems ?? []).map((problem) => diagnosticOf(problem, document));
    this.#shown.set(uri, found);
    if (reading === undefined) return;
    const more = await this.#findings(reading, document).catch(() => []);
    if (!isOld()) this.#shown.set(uri, [...found, ...more]);
  }

  async #findings(reading: Reading, document: TextDocument): Promise<Diagnostic[]> {
    if (reading.kind === "spec") return await this.#unknownMachines(reading, document);
    const { data, uri, text } = reading;
    if (!data.sound) return [];
    const unmatched = data.patterns.map(({ pattern, line }) =>
      near(document, line, pattern, l10n.t("{0} matches no file of this folder", pattern)),
    );
    const states = await this.#states.ofPolicy({ uri, text, data });
    const stale = data.machines.flatMap(({ machine, line }) => {
      const state = states.find((each) => each.machine === machine && each.outcome !== "passed");
      if (state === undefined) return [];
      const severity = state.outcome === "failed" ? DiagnosticSeverity.Warning : DiagnosticSeverity.Information;
      return [near(document, line, machine, `${machine}: ${state.reason}`, severity)];
    });
    return [...unmatched, ...stale];
  }

  /** Only when there are repositories that could know them. */
  async #unknownMachines({ data }: Extract<Reading, { kind: "spec" }>, document: TextDocument): Promise<Diagnostic[]> {
    const known = new Set((await this.#states.ofAll()).map(({ machine }) => machine));
    if (known.size === 0) return [];
    return data.restoreTests.flatMap(({ machines, line }) =>
      machines
        .filter(({ machine }) => !known.has(machine))
        .map(({ machine }) => near(document, line, machine, l10n.t("no open repository has backups of {0}", machine))),
    );
  }
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
