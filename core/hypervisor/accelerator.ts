// Chooses between the processor's virtualization and emulation. An open /dev/kvm proves nothing: in a container or a
// guest of a paravirtual hypervisor it opens, and Linux then stops in the middle of its start.

import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { hypervisorError } from "./hypervisorErrors.js";
import type { AcceleratorChoice } from "./machineShape.js";

export interface Accelerator {
  kind: "kvm" | "tcg";
  /** Why this one, for people. */
  reason: string;
  /** How much longer the guest agent is waited for: 1, or 8 times for emulation (measured: 6 to 10 times slower). */
  slowdown: number;
}

export interface AcceleratorOptions {
  /** Default: /dev/kvm. */
  device?: string;
  /** Default: /proc/cpuinfo. */
  cpuinfo?: string;
}

const EMULATION_SLOWDOWN = 8;

/** ACCELERATOR_MISSING when KVM is demanded and cannot be used. */
export async function detectAccelerator(
  choice: AcceleratorChoice,
  options: AcceleratorOptions = {},
): Promise<Accelerator> {
  if (choice === "tcg") return emulation("emulation was asked for");
  const obstacle = await kvmObstacle(options);
  if (obstacle === undefined) return { kind: "kvm", reason: "the processor and /dev/kvm allow it", slowdown: 1 };
  if (choice === "auto") return emulation(`no KVM: ${obstacle}`);
  throw hypervisorError("ACCELERATOR_MISSING", `KVM cannot be used: ${obstacle}`, {
    hint: "use the accelerator auto, or a machine with hardware virtualization",
  });
}

function emulation(reason: string): Accelerator {
  return { kind: "tcg", reason, slowdown: EMULATION_SLOWDOWN };
}

/** Undefined: nothing is in the way. */
async function kvmObstacle({ device = "/dev/kvm", cpuinfo = "/proc/cpuinfo" }: AcceleratorOptions) {
  const openable = await access(device, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!openable) return `${device} cannot be opened`;
  const flags = await readFile(cpuinfo, "utf8").catch(() => "");
  if (/^flags\s*:.*\b(vmx|svm)\b/m.test(flags)) return undefined;
  return `${device} opens, but the processor shows neither vmx nor svm`;
}
