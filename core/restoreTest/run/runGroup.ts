// The machines that depend on one another: started in order, all up until the last was checked, taken down in reverse.

import { isAbort } from "../../errors.js";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { isTimeout } from "../checks/problems.js";
import { reaches } from "../spec/checkLevels.js";
import type { MachineTest } from "../spec/restoreTestSpec.js";
import { type HostCapacity, type Load, QEMU_OVERHEAD_MIB } from "./hostCapacity.js";
import { MachineRun } from "./machineRun.js";
import { type PreparedMachine, prepareMachine } from "./prepareMachine.js";
import { openPlace } from "./runPlace.js";
import type { SharedRun } from "./sharedRun.js";
import { storeReport } from "./storeReport.js";
import type { MachineReport } from "./testRequest.js";

export interface GroupReport {
  machines: MachineReport[];
  untested: { machine: string; error: unknown }[];
}

/** Rejects with an abort only, after everything was taken down. */
export async function runGroup(
  shared: SharedRun,
  tests: readonly MachineTest[],
  capacity: HostCapacity,
): Promise<GroupReport> {
  const prepared: PreparedMachine[] = [];
  const untested: GroupReport["untested"] = [];
  for (const test of tests) {
    try {
      prepared.push(await prepareMachine(shared, test));
    } catch (error) {
      if (isAbort(error)) throw error;
      untested.push({ machine: test.machine, error });
    }
  }
  const runs = await runWhenItFits(shared, prepared, capacity);
  const machines: MachineReport[] = [];
  for (const { run, disposal } of runs) machines.push(await storeReport(shared, run, disposal));
  return { machines, untested };
}

async function runWhenItFits(
  shared: SharedRun,
  prepared: readonly PreparedMachine[],
  capacity: HostCapacity,
): Promise<EndedRun[]> {
  const load = loadOf(prepared);
  if (!capacity.couldCarry(load)) {
    const obstacle = `${load.memoryMiB} MiB of memory are needed, more than this host can give`;
    return await runMachines(shared, prepared, obstacle);
  }
  let begun = false;
  const work = async () => {
    begun = true;
    return await runMachines(shared, prepared, null);
  };
  try {
    return await capacity.carry(load, work, shared.options.signal);
  } catch (error) {
    if (begun || !isTimeout(error)) throw error;
    return await runMachines(shared, prepared, "the time of the whole test was over before there was room for it");
  }
}

interface EndedRun {
  run: MachineRun;
  disposal: RestoreTestRecord["integrity"]["disposal"];
}

/** `obstacle`: why no machine can be started; null: none is known yet. */
async function runMachines(
  shared: SharedRun,
  group: readonly PreparedMachine[],
  obstacle: string | null,
): Promise<EndedRun[]> {
  const place = await openPlace(shared, group);
  const runs: MachineRun[] = [];
  let disposal: EndedRun["disposal"];
  try {
    for (const prepared of group) {
      const run = new MachineRun(shared, prepared, place.folder, place.supplyOf(prepared));
      runs.push(run);
      await runOne(run, runs, obstacle ?? place.obstacle, place.gateway);
    }
  } finally {
    for (const run of runs.toReversed()) await run.tearDown();
    disposal = await place.close();
  }
  return runs.map((run) => ({ run, disposal }));
}

async function runOne(
  run: MachineRun,
  all: readonly MachineRun[],
  obstacle: string | null,
  gateway: string | null,
): Promise<void> {
  run.announce();
  const { dependsOn, level } = run.test;
  const missing = dependsOn.filter((name) => !all.some((other) => other.test.machine === name && other.holds));
  if (missing.length > 0) {
    run.skipAll(`${missing.join(", ")}, which it depends on, is not there or did not hold`);
    return;
  }
  await run.checkBackup();
  if (!reaches(level, "boots")) return;
  if (obstacle === null) await run.checkMachine(gateway);
  else run.noteObstacle(obstacle);
}

function loadOf(group: readonly PreparedMachine[]): Load {
  const started = group.filter(({ test }) => reaches(test.level, "boots"));
  return {
    memoryMiB: started.reduce((sum, { shape }) => sum + shape.memoryMiB + QEMU_OVERHEAD_MIB, 0),
    cpus: started.reduce((sum, { shape }) => sum + shape.cpus, 0),
  };
}
