// What happens to one machine during its test, in order: results, files worth keeping, times. Told on as it happens.

import type { CheckResult } from "../../format/restoreTestRecord.js";
import type { ObservedArtifact } from "../checks/check.js";
import type { CheckRun } from "../checks/runCheck.js";
import type { TestEvent } from "./testRequest.js";
import { Timeline } from "./timeline.js";

export class RunLog {
  readonly machine: string;
  readonly timeline: Timeline;
  readonly results: CheckResult[] = [];
  readonly #artifacts = new Map<string, ObservedArtifact>();
  readonly #onEvent: (event: TestEvent) => void;

  constructor(machine: string, startedAtMs: number, onEvent: (event: TestEvent) => void) {
    this.machine = machine;
    this.timeline = new Timeline(startedAtMs);
    this.#onEvent = onEvent;
  }

  /** Whether all that is required has held so far. */
  get holds(): boolean {
    return this.results.every(({ severity, outcome }) => severity !== "fail" || outcome === "passed");
  }

  get artifacts(): readonly ObservedArtifact[] {
    return [...this.#artifacts.values()];
  }

  note(result: CheckResult): void {
    this.results.push(result);
    this.#onEvent({ event: "check", machine: this.machine, result });
  }

  keep({ result, artifacts }: CheckRun): CheckResult {
    for (const artifact of artifacts) this.keepArtifact(artifact);
    this.note(result);
    return result;
  }

  /** A later one of the same name takes the place of the earlier. */
  keepArtifact(artifact: ObservedArtifact): void {
    this.#artifacts.set(artifact.name, artifact);
  }

  async phase<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const { machine } = this;
    this.#onEvent({ event: "phase", machine, phase, state: "started", durationMs: null });
    try {
      return await this.timeline.phase(phase, work);
    } finally {
      const durationMs = this.timeline.durationOf(phase);
      this.#onEvent({ event: "phase", machine, phase, state: "finished", durationMs });
    }
  }

  /** Now, for results without a length. */
  get instant(): { startMs: number; durationMs: number } {
    return { startMs: this.timeline.elapsed(), durationMs: 0 };
  }
}
