// Over a machine of reprise.yml how it stands; over a restore test a way to run it, and how it ended the last time.

import {
  type CancellationToken,
  CodeLens,
  type CodeLensProvider,
  type Disposable,
  type Event,
  EventEmitter,
  env,
  l10n,
  Range,
  type TextDocument,
  workspace,
} from "vscode";
import { whileWanted } from "../adapt/cancellation.js";
import { withoutIcons } from "../model/harmlessText.js";
import { machineText } from "../model/machineWords.js";
import type { MachineStateData } from "../service/policyProtocol.js";
import type { MachineStates } from "./machineStates.js";
import { isOurs, type Policies, type Reading } from "./policies.js";

/** The last result of a restore test of these machines in words; undefined: none is known. */
export type LastResult = (file: string, test: string, machines: readonly string[]) => string | undefined;

export class PolicyLenses implements CodeLensProvider, Disposable {
  readonly #policies: Policies;
  readonly #states: MachineStates;
  readonly #lastResult: LastResult;
  readonly #changed = new EventEmitter<void>();
  readonly #listeners: Disposable[];
  readonly onDidChangeCodeLenses: Event<void> = this.#changed.event;

  constructor(policies: Policies, states: MachineStates, lastResult: LastResult) {
    this.#policies = policies;
    this.#states = states;
    this.#lastResult = lastResult;
    this.#listeners = [
      this.#changed,
      policies.onDidChange(() => this.#changed.fire()),
      states.onDidChange(() => this.#changed.fire()),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
  }

  async provideCodeLenses(document: TextDocument, token: CancellationToken): Promise<CodeLens[]> {
    if (!isOurs(document)) return [];
    // what cannot be read has its place in the problems
    const reading = await whileWanted(token, this.#policies.read(document.uri)).catch(() => undefined);
    if (reading === undefined) return [];
    const overMachines = await whileWanted(token, this.#overMachines(reading));
    return overMachines === undefined ? [] : [...overMachines, ...this.#overTests(reading)];
  }

  async #overMachines(reading: Reading): Promise<CodeLens[]> {
    if (reading.kind !== "policy" || !reading.data.sound) return [];
    const { uri, text, data } = reading;
    const { states, problems } = await this.#states.ofPolicy({ uri, text, data });
    return data.machines.flatMap(({ machine, line }) => {
      const state = states.find((each) => each.machine === machine);
      if (state !== undefined) return [lens(line, stateTitle(state), "reprise.restoreTests.focus", [])];
      const [problem] = problems;
      if (problem === undefined) return [];
      return [
        lens(line, `$(warning) ${l10n.t("could not be read: {0}", withoutIcons(problem))}`, "reprise.showLog", []),
      ];
    });
  }

  #overTests({ uri, data }: Reading): CodeLens[] {
    const own = data.restoreTests.filter(({ file }) => file === uri.fsPath);
    return own.flatMap(({ name, line, machines }) => {
      const given = [uri.toString(), name];
      const tested = machines.map(({ machine }) => machine);
      const last = this.#lastResult(uri.fsPath, name, tested);
      const run = lens(line, `$(play) ${l10n.t("Run test")}`, "reprise.runRestoreTest", given);
      return [
        ...(workspace.isTrusted ? [run] : []),
        ...(last === undefined ? [] : [lens(line, last, "reprise.openTestReport", given)]),
      ];
    });
  }
}

function stateTitle(state: MachineStateData): string {
  const icon = state.outcome === "failed" ? "$(warning) " : "";
  return icon + machineText(state, { nowMs: Date.now(), locale: env.language, t: l10n.t });
}

/** `line` is 1-based. */
function lens(line: number, title: string, command: string, given: unknown[]): CodeLens {
  return new CodeLens(new Range(line - 1, 0, line - 1, 0), { title, command, arguments: given });
}
