// A started machine as the checks see it.

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningMachine } from "../../hypervisor/machine.js";
import type { CheckContext } from "../checks/check.js";
import { serialConsoleOf } from "../checks/serialConsole.js";

export type GuestSide = Pick<
  CheckContext,
  "serial" | "agent" | "guestPorts" | "hostPort" | "establishedConnections" | "screenshot"
>;

/** Before it was started, or where the level does not ask for it. */
export const NO_GUEST: GuestSide = {
  serial: null,
  agent: null,
  guestPorts: [],
  hostPort: () => null,
  establishedConnections: async () => null,
  screenshot: null,
};

export function guestSideOf(machine: RunningMachine, guestPorts: readonly number[]): GuestSide {
  return {
    serial: serialConsoleOf(machine.serial),
    agent: machine.agent,
    guestPorts,
    hostPort: (guestPort) => (guestPorts.includes(guestPort) ? machine.hostPort(guestPort) : null),
    establishedConnections: (guestPort) => machine.establishedConnections(guestPort),
    screenshot: () => machine.screenshot(),
  };
}

const CONNECT_LIMIT_MS = 5_000;
const LOOK_MS = 100;

/**
 * Whether the guest itself takes connections on its port. The forwarder in between accepts ours in any case: it says of its
 * own connection to the guest whether that is there.
 */
export async function isPortServed(machine: RunningMachine, guestPort: number, signal: AbortSignal): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port: machine.hostPort(guestPort), signal });
  let closed = false;
  socket.once("close", () => {
    closed = true;
  });
  socket.on("error", () => {});
  try {
    const deadline = performance.now() + CONNECT_LIMIT_MS;
    while (!closed && !signal.aborted && performance.now() < deadline) {
      const established = await machine.establishedConnections(guestPort);
      if (established !== null && established > 0) return true;
      await sleep(LOOK_MS);
    }
    return false;
  } finally {
    socket.destroy();
  }
}
