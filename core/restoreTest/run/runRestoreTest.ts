// Carries out a restore test: every group of machines as soon as the host can carry it, and a record for each machine.

import { openChunkFetcher } from "../../files/openTree.js";
import { removeLeftovers } from "../../hypervisor/leftovers.js";
import { formatTick } from "../../report/amounts.js";
import { isTimeout } from "../checks/problems.js";
import { startDrill } from "../drill/startDrill.js";
import { HostCapacity, measureHost } from "./hostCapacity.js";
import { HostListener } from "./isolationProof.js";
import { runGroup } from "./runGroup.js";
import type { SharedRun } from "./sharedRun.js";
import { groupMachines } from "./testGroups.js";
import type { TestOptions, TestReport, TestRequest } from "./testRequest.js";

/**
 * Ends with a report whatever the machines do. Throws when the repository cannot be read at all, and the reason of an abort;
 * in either case nothing is left running. First it removes what killed runs have left.
 */
export async function runRestoreTest(request: TestRequest, options: TestOptions): Promise<TestReport> {
  const leftovers = await removeLeftovers({ base: request.runsFolder });
  const { spec, repository } = request;
  const drill = request.drill === null ? null : startDrill(request.drill, repository);
  const reading = drill?.repository ?? repository;
  const clock = new TotalTime(spec.totalMs);
  const limited = { ...options, signal: AbortSignal.any([options.signal, clock.signal]) };
  const base = { request, options: limited, interruption: options.signal, runId: repository.newId(), reading, drill };
  const opened: { close(): Promise<void> }[] = [];
  try {
    const fetcher = await openChunkFetcher(reading, limited);
    opened.push(fetcher);
    const listener = await HostListener.open();
    opened.push(listener);
    return { runId: base.runId, ...(await runGroups({ ...base, fetcher, listener })), leftovers };
  } catch (error) {
    if (options.signal.aborted || !isTimeout(error)) throw error;
    const untested = spec.machines.map(({ machine }) => ({ machine, error }));
    return { runId: base.runId, machines: [], untested, leftovers };
  } finally {
    clock.stop();
    for (const resource of opened.reverse()) await resource.close();
  }
}

/** Waits for all of them, also when one fails. */
async function runGroups(shared: SharedRun): Promise<Pick<TestReport, "machines" | "untested">> {
  const capacity = new HostCapacity(await measureHost());
  const groups = groupMachines(shared.request.spec.machines).map((machines) => runGroup(shared, machines, capacity));
  const settled = await Promise.allSettled(groups);
  shared.interruption.throwIfAborted();
  const reports = settled.map((group) => {
    if (group.status === "rejected") throw group.reason;
    return group.value;
  });
  return {
    machines: reports.flatMap(({ machines }) => machines),
    untested: reports.flatMap(({ untested }) => untested),
  };
}

/** The limit of everything together. */
class TotalTime {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(totalMs: number) {
    const reason = new DOMException(`the time of the whole test, ${formatTick(totalMs)}, was over`, "TimeoutError");
    this.#timer = setTimeout(() => this.#controller.abort(reason), totalMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
