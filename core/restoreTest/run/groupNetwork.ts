// The network in which the machines of a group are: none, one of its own for a single machine, a hub for several.

import { type GroupHub, startHub } from "../../hypervisor/hub.js";
import type { MachineNetwork } from "../../hypervisor/machine.js";
import type { RunFolder } from "../../hypervisor/runFolder.js";
import { reaches } from "../spec/checkLevels.js";
import type { MachineTest, NetworkSpec } from "../spec/restoreTestSpec.js";
import { guestPortsOf } from "./poweredMachine.js";

export interface GroupNetwork {
  /** Where a machine sees this host, or would; null: without a network. */
  gateway: string | null;
  of(test: MachineTest): MachineNetwork;
  /** After the machines have ended. */
  close(): Promise<void>;
}

/** Errors as of startHub. */
export async function openGroupNetwork(
  spec: NetworkSpec,
  tests: readonly MachineTest[],
  runFolder: RunFolder,
  signal: AbortSignal,
): Promise<GroupNetwork> {
  if (spec.mode === "none") return { gateway: null, of: () => ({ mode: "none" }), close: async () => {} };
  const { subnet, gateway } = spec;
  const started = tests.filter(({ level }) => reaches(level, "boots"));
  const hub: GroupHub | undefined =
    started.length > 1 ? await startHub({ runFolder, subnet, gateway, signal }) : undefined;
  return {
    gateway,
    of: (test) => {
      const forwards = guestPortsOf(test).map((guestPort) => ({ guestPort }));
      return { mode: "isolated", subnet, gateway, forwards, ...(hub === undefined ? {} : { hub }) };
    },
    close: async () => {
      await hub?.close();
    },
  };
}
