// The hardware of a tested machine in words, for its record.

import type { MachineShape } from "../../hypervisor/machineShape.js";

export function describeShape(shape: MachineShape): string[] {
  const { memoryMiB, cpus, machineType, firmware, tpm, clock, disks, nics } = shape;
  const variables = firmware.variablesArchive === null ? "" : ` with the variables of ${firmware.variablesArchive}`;
  const secure = firmware.secureBoot ? ", secure boot" : "";
  return [
    `${memoryMiB} MiB of memory, ${cpus} ${cpus === 1 ? "processor" : "processors"}`,
    `machine type ${machineType}, ${firmware.kind.toUpperCase()}${secure}${variables}`,
    ...(tpm ? ["TPM 2.0, empty"] : []),
    ...(clock === "localtime" ? ["clock in local time"] : []),
    ...disks.map(({ name, bus, controller }) => `disk ${name} on ${bus === "scsi" ? `scsi (${controller})` : bus}`),
    ...nics.map(({ model, mac }) => `network card ${model}${mac === null ? "" : `, ${mac}`}`),
  ];
}
