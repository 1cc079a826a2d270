// Carries out a restore test: every group of machines as soon as the host can carry it, and a record for each machine.

import { openChunkFetcher } from "../../files/openTree.js";
import { removeLeftovers } from "../../hypervisor/leftovers.js";
import { HostCapacity, measureHost } from "./hostCapacity.js";
import { HostListener } from "./isolationProof.js";
import type { SharedRun } from "./machineRun.js";
import { runGroup } from "./runGroup.js";
import { groupMachines } from "./testGroups.js";
import type { TestOptions, TestReport, TestRequest } from "./testRequest.js";

/**
 * Ends with a report whatever the machines do. Throws when the repository cannot be read at all, and the reason of an abort;
 * in either case nothing is left running. First it removes what killed runs have left.
 */
export async function runRestoreTest(request: TestRequest, options: TestOptions): Promise<TestReport> {
  const leftovers = await removeLeftovers({ base: request.runsFolder });
  const { spec, repository } = request;
  const limited = { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(spec.totalMs)]) };
  const fetcher = await openChunkFetcher(repository, limited);
  const listener = await HostListener.open();
  const runId = repository.newId();
  const shared: SharedRun = { request, options: limited, interruption: options.signal, runId, listener, fetcher };
  const capacity = new HostCapacity(await measureHost());
  try {
    const groups = groupMachines(spec.machines).map((machines) => runGroup(shared, machines, capacity));
    const settled = await Promise.allSettled(groups);
    options.signal.throwIfAborted();
    const reports = settled.map((group) => {
      if (group.status === "rejected") throw group.reason;
      return group.value;
    });
    return {
      runId: shared.runId,
      machines: reports.flatMap(({ machines }) => machines),
      untested: reports.flatMap(({ untested }) => untested),
      leftovers,
    };
  } finally {
    await listener.close();
    await fetcher.close();
  }
}
