// The disks of a machine as arguments of QEMU: for each its source (read-only), a throw-away overlay over it, and the
// device that the guest's drivers expect. Pure.

import { hypervisorError } from "./hypervisorErrors.js";
import type { DiskShape } from "./machineShape.js";

/** How a disk gets to the machine. The source is only ever read. */
export type AttachedDisk =
  | { name: string; way: "nbd"; socketPath: string; exportName: string }
  | { name: string; way: "file"; path: string; format: "raw" | "qcow2" };

export interface DiskLayer {
  disk: AttachedDisk;
  shape: DiskShape;
  overlayPath: string;
  /** The overlay's file cannot grow beyond. */
  overlayBytes: number;
}

export interface DiskArguments {
  arguments: string[];
  notes: string[];
}

/** A server of ours that was restarted is waited for so long. */
const RECONNECT_SECONDS = 10;
const PORTS = { ide: 4, ahci: 6, scsi: 6 } as const;

/**
 * `onDiskError`: `stop` lets the machine stand still when a disk cannot be read or written, so that it is noticed; `report`
 * tells the guest, as a broken disk would. MACHINE_SHAPE_INVALID for more disks than a bus takes.
 */
export function diskArguments(
  layers: readonly DiskLayer[],
  options: { isQ35: boolean; onDiskError: "stop" | "report" },
): DiskArguments {
  const args: string[] = [];
  const notes: string[] = [];
  const buses = new BusPlan(options.isQ35);
  layers.forEach((layer, index) => {
    const node = `disk${index}`;
    args.push(...blockNodes(layer, node));
    const { shape } = layer;
    const place = buses.placeFor(shape);
    args.push(...place.controllers.flatMap((controller) => ["-device", JSON.stringify(controller)]));
    const errors = { rerror: options.onDiskError, werror: options.onDiskError };
    const device = {
      ...place.device,
      drive: node,
      id: `drive-${node}`,
      serial: serialOf(shape.name, index),
      bootindex: index + 1,
      // Its driver in QEMU has no such choice: it always reports.
      ...(shape.bus === "nvme" ? {} : errors),
    };
    args.push("-device", JSON.stringify(device));
  });
  if (options.isQ35 && layers.some(({ shape }) => shape.bus === "ide"))
    notes.push("IDE disks are on the SATA ports of the q35 machine, which has no IDE");
  if (options.onDiskError === "stop" && layers.some(({ shape }) => shape.bus === "nvme"))
    notes.push("errors of NVMe disks are told to the guest only");
  return { arguments: args, notes };
}

/** Nodes `NAME-source`, `NAME-file`, `NAME-bounded` and the overlay itself under the name. */
function blockNodes({ disk, overlayPath, overlayBytes }: DiskLayer, node: string): string[] {
  const file = { driver: "file", "node-name": `${node}-file`, filename: overlayPath, discard: "unmap" };
  const bounded = { driver: "raw", "node-name": `${node}-bounded`, file: `${node}-file`, size: overlayBytes };
  const overlay = {
    driver: "qcow2",
    "node-name": node,
    file: `${node}-bounded`,
    backing: `${node}-source`,
    discard: "unmap",
    // Thrown away with the machine: a flush has nothing to protect.
    cache: { direct: false, "no-flush": true },
  };
  return [sourceNode(disk, `${node}-source`), file, bounded, overlay].flatMap((options) => [
    "-blockdev",
    JSON.stringify(options),
  ]);
}

function sourceNode(disk: AttachedDisk, name: string): Record<string, unknown> {
  const common = { "node-name": name, "read-only": true };
  if (disk.way === "nbd") {
    const server = { type: "unix", path: disk.socketPath };
    return { driver: "nbd", ...common, server, export: disk.exportName, "reconnect-delay": RECONNECT_SECONDS };
  }
  const file = { driver: "file", filename: disk.path, "read-only": true };
  // A backing file that the image names is never followed.
  return disk.format === "qcow2"
    ? { driver: "qcow2", ...common, file, backing: null }
    : { driver: "raw", ...common, file };
}

/** At most 20 characters, of those that every bus allows. */
function serialOf(name: string, index: number): string {
  const safe = name.replaceAll(/[^A-Za-z0-9_-]/g, "").slice(0, 16);
  return `${safe === "" ? "disk" : safe}-${index}`.slice(0, 20);
}

interface Place {
  /** Devices that must come before it. */
  controllers: Record<string, unknown>[];
  device: Record<string, unknown>;
}

/** Gives each disk a controller and a port on it. */
class BusPlan {
  readonly #isQ35: boolean;
  readonly #used = new Map<string, number>();

  constructor(isQ35: boolean) {
    this.#isQ35 = isQ35;
  }

  placeFor(shape: DiskShape): Place {
    switch (shape.bus) {
      case "virtio":
        return { controllers: [], device: { driver: "virtio-blk-pci" } };
      case "nvme":
        return { controllers: [], device: { driver: "nvme" } };
      case "scsi":
        return this.#onScsi(shape.controller);
      case "ide":
        return this.#isQ35 ? this.#onAhci() : this.#onIde();
      case "sata":
        return this.#onAhci();
    }
  }

  #next(key: string): number {
    const number = this.#used.get(key) ?? 0;
    this.#used.set(key, number + 1);
    return number;
  }

  #onScsi(controller: DiskShape["controller"]): Place {
    const number = this.#next(controller);
    const id = `${controller.split("-", 1)[0]}-${Math.floor(number / PORTS.scsi)}`;
    const port = number % PORTS.scsi;
    const controllers = port === 0 ? [{ driver: controller, id }] : [];
    return { controllers, device: { driver: "scsi-hd", bus: `${id}.0`, "scsi-id": port } };
  }

  /** The two channels that every pc machine has. */
  #onIde(): Place {
    const number = this.#next("ide");
    if (number >= PORTS.ide)
      throw hypervisorError("MACHINE_SHAPE_INVALID", `a pc machine takes ${PORTS.ide} IDE disks`, {
        hint: "put the others on the bus sata",
      });
    return { controllers: [], device: { driver: "ide-hd", bus: `ide.${number >> 1}`, unit: number & 1 } };
  }

  /** The six ports that every q35 machine has, then controllers of six more. */
  #onAhci(): Place {
    const number = this.#next("ahci");
    const port = number % PORTS.ahci;
    if (this.#isQ35 && number < PORTS.ahci)
      return { controllers: [], device: { driver: "ide-hd", bus: `ide.${port}`, unit: 0 } };
    const id = `ahci-${Math.floor(number / PORTS.ahci)}`;
    const controllers = port === 0 ? [{ driver: "ich9-ahci", id }] : [];
    return { controllers, device: { driver: "ide-hd", bus: `${id}.${port}`, unit: 0 } };
  }
}
