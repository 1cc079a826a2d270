// A throw-away machine as its users see it: what it is started with, and what can be asked of it while it runs.

import type { Accelerator } from "./accelerator.js";
import type { AttachedDisk } from "./diskArguments.js";
import type { GuestAgent } from "./guestAgent.js";
import type { GroupHub } from "./hub.js";
import type { MachineEnd } from "./machineEnd.js";
import type { MachineShape } from "./machineShape.js";
import type { PortForward } from "./networkArguments.js";
import type { Screenshot } from "./picture.js";
import type { QmpClient } from "./qmpClient.js";
import type { RunFolder } from "./runFolder.js";
import type { SerialLog } from "./serialLog.js";

export type MachineNetwork =
  | { mode: "none" }
  | {
      mode: "isolated";
      /** The guest's IPv4 network and its router, as its own configuration expects them. */
      subnet: string;
      gateway: string;
      forwards: readonly PortForward[];
      /** The group's; without one the machine is alone. The hub's subnet counts then. */
      hub?: GroupHub;
    };

export interface StartRequest {
  name: string;
  shape: MachineShape;
  /** In the order of the shape's disks, one for each. */
  disks: readonly AttachedDisk[];
  accelerator: Accelerator;
  network: MachineNetwork;
  /** The caller removes it, after the machine has ended. */
  runFolder: RunFolder;
  /** Saved UEFI variables; default: fresh ones. */
  firmwareVariables?: Uint8Array;
  /** The most that the machine may write to each disk; default: as much as there is space. */
  overlayBytes?: number;
  /** `end` (default): the machine ends with "disk-error". `report`: the guest is told, as by a broken disk. */
  onDiskError?: "end" | "report";
  /** Default: 1 with fresh UEFI variables (boot loaders restart once to register themselves), else 0. */
  rebootsAllowed?: number;
  /** A VNC server on a unix socket in the run folder, for a person. */
  vnc?: boolean;
}

export interface RunningMachine {
  readonly pid: number;
  /** Of QEMU, as it was started. */
  readonly arguments: readonly string[];
  /** What differs from the shape, in words. */
  readonly notes: readonly string[];
  /** Of QEMU, such as "7.2.22 (Debian 1:7.2+dfsg-7)". */
  readonly version: string;
  /** performance.now() when the processor was let go. */
  readonly poweredOnAtMs: number;
  readonly serial: SerialLog;
  /** Always there; it is silent when the guest has no agent. */
  readonly agent: GuestAgent;
  readonly qmp: QmpClient;
  /** What it writes: qcow2 files in the run folder, by the disks' names. They are whole when it has ended. */
  readonly overlays: readonly { disk: string; path: string }[];
  readonly vncSocketPath: string | null;
  /** How often the guest restarted. */
  readonly reboots: number;
  /** The port on 127.0.0.1 that leads to the guest's. PORT_NOT_FORWARDED. */
  hostPort(guestPort: number): number;
  /** Connections to the forwarded port that the guest itself has accepted; null when nobody can tell. */
  establishedConnections(guestPort: number): Promise<number | null>;
  /** MACHINE_ENDED, QMP_FAILED, SCREENSHOT_INVALID. */
  screenshot(options?: { signal?: AbortSignal }): Promise<Screenshot>;
  /** Resolves when the process is gone; never rejects. */
  readonly end: Promise<MachineEnd>;
  /** Ends the machine, however it resists; returns when all its processes are gone. May be called twice. */
  stop(): Promise<void>;
}
