// The errors of running throw-away machines. How a machine ended is no error but data: machineEnd.ts.

import { type ErrorDetails, RepriseError } from "../errors.js";

const families = {
  ACCELERATOR_MISSING: "unsupported",
  FIRMWARE_MISSING: "unsupported",
  GUEST_AGENT_PROTOCOL: "source",
  GUEST_AGENT_REFUSED: "source",
  GUEST_AGENT_SILENT: "source",
  HYPERVISOR_FAILED: "unsupported",
  HYPERVISOR_TOO_OLD: "unsupported",
  MACHINE_ENDED: "source",
  MACHINE_NETWORK_INVALID: "usage",
  MACHINE_SHAPE_INVALID: "usage",
  PORT_NOT_FORWARDED: "usage",
  QMP_FAILED: "source",
  QMP_PROTOCOL: "source",
  RUN_FOLDER_UNUSABLE: "unsupported",
  SCREENSHOT_INVALID: "source",
  SERIAL_SILENT: "source",
} as const;

export type HypervisorCode = keyof typeof families;

export function hypervisorError(code: HypervisorCode, message: string, details: ErrorDetails = {}): RepriseError {
  return new RepriseError(families[code], code, message, details);
}

/** Text of a guest or a program, safe to show: control characters replaced, length bounded. */
export function shown(text: string, length = 300): string {
  return text
    .slice(0, length)
    .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
}
