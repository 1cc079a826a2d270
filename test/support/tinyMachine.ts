// Shapes and disks for tests that start real machines. Emulated and beside other tests, a boot takes 8 s to a minute.

import { open } from "node:fs/promises";
import type { Accelerator } from "../../core/hypervisor/accelerator.js";
import type { DiskShape, MachineShape } from "../../core/hypervisor/machineShape.js";
import { type NbdServer, startNbdServer } from "../../core/nbd/server.js";

/** Emulation everywhere, so that the tests see the same on every machine. */
export const EMULATED: Accelerator = { kind: "tcg", reason: "a test", slowdown: 8 };

/** To a guest's marker on the serial line. */
export const BOOT_MS = 240_000;

export function diskShape(bus: DiskShape["bus"] = "virtio", name = "root"): DiskShape {
  return { name, bus, controller: "virtio-scsi-pci" };
}

export function tinyShape(changes: Partial<MachineShape> = {}): MachineShape {
  return {
    memoryMiB: 256,
    cpus: 1,
    machineType: "pc",
    firmware: { kind: "bios", secureBoot: false, variablesArchive: null },
    tpm: false,
    clock: "utc",
    disks: [diskShape()],
    nics: [{ model: "virtio", mac: null }],
    uuid: null,
    ...changes,
  };
}

/** Serves a raw file as the export `root`. `mayRead` answers whether a range can be read. */
export async function serveRawFile(
  path: string,
  socketPath: string,
  mayRead: (offset: number) => boolean = () => true,
): Promise<NbdServer> {
  const file = await open(path, "r");
  const { size } = await file.stat();
  const served = await startNbdServer({
    address: { socketPath },
    exports: [
      {
        name: "root",
        description: "a test's disk",
        sizeBytes: size,
        read: async (buffer, offset) => {
          if (!mayRead(offset)) throw new Error("made to fail");
          await file.read(buffer, 0, buffer.length, offset);
        },
        extents: async (offset, length) => [{ offset, length, zero: false }],
      },
    ],
    onError: () => {},
  });
  return {
    ...{ address: served.address, clientCount: 0, clientsServed: 0 },
    close: async () => {
      await served.close();
      await file.close();
    },
  };
}
