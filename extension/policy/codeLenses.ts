// Over a machine of reprise.yml how it stands; over a restore test a way to run it, and how it ended the last time.

import {
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

  async provideCodeLenses(document: TextDocument): Promise<CodeLens[]> {
    if (!isOurs(document)) return [];
    const reading = await this.#policies.read(document.uri).catch(() => undefined);
    if (reading === undefined) return [];
    return [...(await this.#overMachines(reading)), ...this.#overTests(reading)];
  }

  async #overMachines(reading: Reading): Promise<CodeLens[]> {
    if (reading.kind !== "policy" || !reading.data.sound) return [];
    const { uri, text, data } = reading;
    const states = await this.#states.ofPolicy({ uri, text, data });
    return data.machines.flatMap(({ machine, line }) => {
      const state = states.find((each) => each.machine === machine);
      return state === undefined ? [] : [lens(line, stateTitle(state), "reprise.restoreTests.focus", [])];
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
