// What a machine is started with: disks from the repository or from a restore, and the network of its group.

import { mkdir } from "node:fs/promises";
import { type AttachedDisk, startMachine } from "../../hypervisor/machine.js";
import type { RunFolder } from "../../hypervisor/runFolder.js";
import type { GroupNetwork } from "./groupNetwork.js";
import type { PowerSupply } from "./poweredMachine.js";
import type { PreparedMachine } from "./prepareMachine.js";
import type { SharedRun } from "./sharedRun.js";
import { requireDisk, restoreDisks, serveDisks } from "./testDisks.js";

export function powerSupplyOf(
  { reading, fetcher, options }: SharedRun,
  { test, chosen, shape, firmwareVariables }: PreparedMachine,
  network: GroupNetwork,
  runFolder: RunFolder,
): PowerSupply {
  const { snapshot } = chosen;
  return {
    provideDisks: async (way, signal) => {
      requireDisk(snapshot);
      const number = runFolder.nextNumber();
      if (way === "instant") return await serveDisks(snapshot, fetcher, runFolder.child(`disks${number}.sock`), signal);
      const folder = runFolder.child(`restored${number}`);
      await mkdir(folder);
      return await restoreDisks(reading, snapshot, folder, { signal, onWarning: options.onWarning });
    },
    start: async ({ disks }, accelerator, signal) =>
      await startMachine(
        {
          name: test.machine,
          shape,
          disks: shape.disks.map(({ name }) => disks.find((disk) => disk.name === name) as AttachedDisk),
          accelerator,
          network: network.of(test),
          runFolder,
          ...(firmwareVariables === undefined ? {} : { firmwareVariables }),
        },
        { signal },
      ),
  };
}
