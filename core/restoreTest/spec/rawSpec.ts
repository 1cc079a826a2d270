// A spec as YAML gives it, after schemas/restore-test.json has checked its form: what the builders read.

import type { AcceleratorChoice, DiskBus, NicModel } from "../../hypervisor/machineShape.js";
import type { DiskWay, RestoreTestSpec, Severity, TestLevel } from "./restoreTestSpec.js";

export interface RawDocument {
  metadata: { name: string; description?: string; owner?: string; criticality?: string; controls?: string[] };
  spec: RawSpec;
}

export interface RawSpec extends RawMachineFields {
  machine?: string;
  machines?: (string | RawMachine)[];
  network?: "none" | "isolated" | RawNetwork;
  timeouts?: RawTimeouts & { total?: string };
  "keep-on-failure"?: RestoreTestSpec["keepOnFailure"];
}

export interface RawNetwork {
  mode?: "none" | "isolated";
  subnet?: string;
  gateway?: string;
}

export interface RawMachine extends RawMachineFields {
  machine: string;
  "depends-on"?: string[];
}

/** What a machine may say for itself and a spec for all its machines. */
export interface RawMachineFields {
  level?: TestLevel;
  snapshot?: string;
  via?: DiskWay;
  hardware?: RawHardware;
  timeouts?: RawTimeouts;
  objectives?: { rto?: string; rpo?: string };
  ready?: { serial?: string; agent?: boolean; port?: number };
  checks?: (string | RawCheck)[];
}

export interface RawHardware {
  memory?: string | number;
  cpus?: number;
  "machine-type"?: string;
  firmware?: "bios" | "uefi";
  "secure-boot"?: boolean;
  tpm?: boolean;
  "disk-bus"?: DiskBus;
  "nic-model"?: NicModel;
  accelerator?: AcceleratorChoice;
}

export interface RawTimeouts {
  restore?: string;
  boot?: string;
  agent?: string;
  application?: string;
}

export interface RawCheck {
  type: string;
  id?: string;
  severity?: Severity;
  timeout?: string;
  retries?: number;
  interval?: string;
  [field: string]: unknown;
}

/** Keys whose scalars are texts however they look: `equals: 007`, `snapshot: 12345678`, `run: [sleep, 5]`. */
export const TEXT_KEYS: ReadonlySet<string> = new Set([
  ...["name", "description", "owner", "criticality", "controls", "snapshot", "id", "sha256", "label", "uuid", "run"],
  ...[
    "database",
    "user",
    "query",
    "equals",
    "matches",
    "forbidden",
    "expects",
    "serial",
    "os-id",
    "tag",
    "sends",
    "disk",
  ],
  ...["machine", "machine-type"],
]);
