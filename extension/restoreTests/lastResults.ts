// How restore tests that were run in this workspace ended, and where their reports are: kept when the window is closed.

import { type Event, EventEmitter, type Memento } from "vscode";
import type { TestRunData } from "../service/policyProtocol.js";

export interface LastTestResult {
  file: string;
  test: string;
  machine: string;
  outcome: string;
  provenLevel: string | null;
  rtoMs: number | null;
  atMs: number;
  /** Paths. Null: the machine could not be tested at all. */
  report: string | null;
  screenshots: readonly string[];
}

const KEY = "restoreTestResults";
const MAX_KEPT = 200;

export class LastResults {
  readonly #memory: Memento;
  readonly #changed = new EventEmitter<void>();
  readonly onDidChange: Event<void> = this.#changed.event;

  constructor(memory: Memento) {
    this.#memory = memory;
  }

  dispose(): void {
    this.#changed.dispose();
  }

  /** Newest first. */
  all(): readonly LastTestResult[] {
    return this.#memory.get<LastTestResult[]>(KEY, []);
  }

  /** Of the machines of a test; a machine alone when it is named. */
  of(file: string, test: string, machine?: string): LastTestResult[] {
    return this.all().filter((each) => {
      return each.file === file && each.test === test && (machine === undefined || each.machine === machine);
    });
  }

  /** Also of machines that could not be tested: what was proven before is not their last result any more. */
  async keep(file: string, test: string, { machines, untested }: TestRunData): Promise<void> {
    const atMs = Date.now();
    const nothing = { outcome: "inconclusive", provenLevel: null, rtoMs: null, atMs, report: null, screenshots: [] };
    const fresh = machines.map(({ machine, outcome, provenLevel, rtoMs, report, screenshots }): LastTestResult => {
      return { file, test, machine, outcome, provenLevel, rtoMs, atMs, report, screenshots };
    });
    fresh.push(...untested.map(({ machine }) => ({ file, test, machine, ...nothing })));
    const isReplaced = (old: LastTestResult) =>
      fresh.some((each) => each.file === old.file && each.test === old.test && each.machine === old.machine);
    const others = this.all().filter((old) => !isReplaced(old));
    await this.#memory.update(KEY, [...fresh, ...others].slice(0, MAX_KEPT));
    this.#changed.fire();
  }
}
