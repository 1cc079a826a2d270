// Where the machines of a group run: a folder and a network of their own. A host that has neither is an obstacle to be told,
// not an error: the backup can still be looked at.

import { lstat } from "node:fs/promises";
import { isAbort } from "../../errors.js";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { createRunFolder, type RunFolder } from "../../hypervisor/runFolder.js";
import { adviceOf, messageOf } from "../checks/problems.js";
import { reaches } from "../spec/checkLevels.js";
import { openGroupNetwork } from "./groupNetwork.js";
import type { PowerSupply } from "./poweredMachine.js";
import { powerSupplyOf } from "./powerSupply.js";
import type { PreparedMachine } from "./prepareMachine.js";
import type { SharedRun } from "./sharedRun.js";

type Disposal = RestoreTestRecord["integrity"]["disposal"];

export interface RunPlace {
  /** Empty when there is none. */
  folder: string;
  gateway: string | null;
  /** Why no machine can be started here; null: nothing is known against it. */
  obstacle: string | null;
  supplyOf(prepared: PreparedMachine): PowerSupply;
  /** After the machines have ended. Removes the folder; does not throw. */
  close(): Promise<Disposal>;
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
    return nowhere(adviceOf(error));
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
      try {
        await network.close();
        await folder.remove();
        return await confirmRemoval(folder.path);
      } catch (error) {
        return { confirmed: false, observed: messageOf(error) };
      }
    },
  };
}

async function confirmRemoval(path: string): Promise<Disposal> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  if (isThere) return { confirmed: false, observed: `${path} is still there` };
  return { confirmed: true, observed: "the folder of the run, with all overlays, was removed" };
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
    close: async () => ({ confirmed: true, observed: "nothing was written" }),
  };
}
