// Where the machines of a group run: a folder and a network of their own. A host that has neither is an obstacle to be told,
// not an error: the backup can still be looked at.

import { isAbort } from "../../errors.js";
import { createRunFolder, type RunFolder } from "../../hypervisor/runFolder.js";
import { messageOf } from "../checks/problems.js";
import { reaches } from "../spec/checkLevels.js";
import { openGroupNetwork } from "./groupNetwork.js";
import type { PowerSupply } from "./poweredMachine.js";
import { powerSupplyOf } from "./powerSupply.js";
import type { PreparedMachine } from "./prepareMachine.js";
import type { SharedRun } from "./sharedRun.js";

export interface RunPlace {
  /** Empty when there is none. */
  folder: string;
  gateway: string | null;
  /** Why no machine can be started here; null: nothing is known against it. */
  obstacle: string | null;
  supplyOf(prepared: PreparedMachine): PowerSupply;
  /** After the machines have ended. Removes the folder. */
  close(): Promise<void>;
}

/** Rejects with an abort only. */
export async function openPlace(shared: SharedRun, group: readonly PreparedMachine[]): Promise<RunPlace> {
  const tests = group.map(({ test }) => test);
  if (!tests.some(({ level }) => reaches(level, "boots"))) return nowhere("no machine is to be started");
  let folder: RunFolder | undefined;
  try {
    folder = await createRunFolder({ base: shared.request.runsFolder });
    return await openIn(folder, shared, tests);
  } catch (error) {
    await folder?.remove();
    if (isAbort(error)) throw error;
    return nowhere(messageOf(error));
  }
}

async function openIn(
  folder: RunFolder,
  shared: SharedRun,
  tests: readonly PreparedMachine["test"][],
): Promise<RunPlace> {
  const network = await openGroupNetwork(shared.request.spec.network, tests, folder, shared.options.signal);
  return {
    folder: folder.path,
    gateway: network.gateway,
    obstacle: null,
    supplyOf: (prepared) => powerSupplyOf(shared, prepared, network, folder),
    close: async () => {
      await network.close();
      await folder.remove();
    },
  };
}

function nowhere(obstacle: string): RunPlace {
  const refuse = async () => {
    throw new Error(obstacle);
  };
  return {
    folder: "",
    gateway: null,
    obstacle,
    supplyOf: () => ({ provideDisks: refuse, start: refuse }),
    close: async () => {},
  };
}
