// Lets somebody read along what machines say on their serial consoles. Whether anybody does changes nothing for the test.

import type { PowerSupply } from "./poweredMachine.js";

/** The same supply; every line of the machines that it starts is told, those that came before it was asked included. */
export function overheardSupply(supply: PowerSupply, onLine: ((line: string) => void) | undefined): PowerSupply {
  if (onLine === undefined) return supply;
  return {
    provideDisks: (way, signal) => supply.provideDisks(way, signal),
    start: async (disks, accelerator, signal) => {
      const machine = await supply.start(disks, accelerator, signal);
      for (const { text } of machine.serial.lines) onLine(text);
      machine.serial.onLine(({ text }) => onLine(text));
      return machine;
    },
  };
}
