// All arguments of QEMU for one machine. Pure: a shape and the paths of a run in, arguments and notes out; the notes tell
// in words where the machine differs from its shape.

import { isIPv4 } from "node:net";
import { type DiskLayer, diskArguments } from "./diskArguments.js";
import { hypervisorError } from "./hypervisorErrors.js";
import type { MachineShape } from "./machineShape.js";
import { commaSafe, type NetworkPlan, networkArguments } from "./networkArguments.js";
import type { QemuProgram } from "./qemuProgram.js";

export interface FirmwareFiles {
  /** Read-only. */
  codePath: string;
  /** A copy for this machine. */
  variablesPath: string;
  needsSmm: boolean;
}

export interface MachinePlan {
  /** For lists of processes. */
  name: string;
  shape: MachineShape;
  accelerator: "kvm" | "tcg";
  disks: readonly DiskLayer[];
  network: NetworkPlan;
  /** One for each network card. */
  macs: readonly string[];
  onDiskError: "stop" | "report";
  /** A restart of the guest ends the machine. */
  endsOnReboot: boolean;
  firmware: FirmwareFiles | null;
  sockets: { qmp: string; serial: string; agent: string; tpm: string | null; vnc: string | null };
}

const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
const TRANSLATION_CACHE_MIB = 128;
const MAX_MEMORY_MIB = 4 * 1024 * 1024;
const MAX_CPUS = 255;

/** MACHINE_SHAPE_INVALID, MACHINE_NETWORK_INVALID. */
export function machineArguments(plan: MachinePlan, program: QemuProgram): { arguments: string[]; notes: string[] } {
  const { shape, sockets } = plan;
  checkShape(plan);
  const type = machineType(shape.machineType, program);
  const isQ35 = type.name.includes("q35");
  const disks = diskArguments(plan.disks, { isQ35, onDiskError: plan.onDiskError });
  const network = networkArguments(shape.nics, plan.macs, plan.network);
  const args = [
    ...["-name", `guest=${safeName(plan.name)}`, "-nodefaults", "-no-user-config", "-S"],
    ...["-display", "none", "-vga", "std"],
    ...(program.hasSandbox ? ["-sandbox", SANDBOX] : []),
    ...processorArguments(plan),
    ...firmwareArguments(type.name, plan),
    ...["-action", `reboot=${plan.endsOnReboot ? "shutdown" : "reset"},shutdown=pause,panic=pause`],
    ...(plan.endsOnReboot ? ["-no-reboot"] : []),
    ...["-boot", "menu=off,strict=on", "-rtc", `base=${shape.clock}`],
    ...(shape.uuid === null ? [] : ["-uuid", shape.uuid]),
    ...disks.arguments,
    ...network.arguments,
    ...["-chardev", socket("qmp", sockets.qmp), "-mon", "chardev=qmp,mode=control"],
    ...["-chardev", socket("serial", sockets.serial), "-serial", "chardev:serial"],
    ...["-device", "virtio-serial-pci", "-chardev", socket("agent", sockets.agent)],
    ...["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
    ...["-device", "virtio-rng-pci", "-device", "pvpanic"],
    ...(sockets.tpm === null ? [] : tpmArguments(sockets.tpm)),
    ...(sockets.vnc === null ? [] : ["-vnc", `unix:${commaSafe(sockets.vnc)}`]),
  ];
  const unfiltered = program.hasSandbox ? [] : ["this QEMU cannot filter system calls"];
  return { arguments: args, notes: [...type.notes, ...disks.notes, ...network.notes, ...unfiltered] };
}

function checkShape({ shape, disks, network }: MachinePlan): void {
  const { memoryMiB, cpus, uuid, nics } = shape;
  const invalid = (what: string) => hypervisorError("MACHINE_SHAPE_INVALID", `the machine cannot have ${what}`);
  if (!isWithin(memoryMiB, 16, MAX_MEMORY_MIB)) throw invalid(`${memoryMiB} MiB of memory`);
  if (!isWithin(cpus, 1, MAX_CPUS)) throw invalid(`${cpus} processors`);
  if (uuid !== null && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) throw invalid(`the uuid ${uuid}`);
  if (disks.length === 0 || disks.length > 64) throw invalid(`${disks.length} disks`);
  if (nics.length > 16) throw invalid(`${nics.length} network cards`);
  if (network.kind !== "user") return;
  for (const { guestPort, guestAddress } of network.forwards) {
    if (!isWithin(guestPort, 1, 65535)) throw invalid(`the port ${guestPort}`);
    if (guestAddress !== undefined && !isIPv4(guestAddress)) throw invalid(`the address ${guestAddress}`);
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** `pc-q35-8.1+pve0` is Proxmox's patch level of `pc-q35-8.1`; a type that this QEMU lacks becomes its plain family. */
function machineType(wanted: string, program: QemuProgram): { name: string; notes: string[] } {
  if (!/^[A-Za-z0-9._+-]{1,64}$/.test(wanted))
    throw hypervisorError("MACHINE_SHAPE_INVALID", "the machine type has forbidden characters");
  const name = wanted.replace(/\+pve\d+$/, "");
  if (/^(pc|q35)(-|$)/.test(name) && program.machineTypes.has(name)) return { name, notes: [] };
  const family = name.includes("q35") ? "q35" : "pc";
  return { name: family, notes: [`machine type ${family} instead of ${wanted}, which QEMU ${program.version} lacks`] };
}

function processorArguments({ accelerator, shape }: MachinePlan): string[] {
  const engine = accelerator === "kvm" ? "kvm" : `tcg,thread=multi,tb-size=${TRANSLATION_CACHE_MIB}`;
  const model = accelerator === "kvm" ? "host" : "max";
  return ["-accel", engine, "-cpu", model, "-m", `${shape.memoryMiB}`, "-smp", `${shape.cpus}`];
}

function firmwareArguments(type: string, { firmware }: MachinePlan): string[] {
  if (firmware === null) return ["-machine", type];
  const flash = (name: string, filename: string, readOnly: boolean) => [
    "-blockdev",
    JSON.stringify({
      driver: "raw",
      "node-name": name,
      "read-only": readOnly,
      file: { driver: "file", filename, "read-only": readOnly },
    }),
  ];
  const secure = firmware.needsSmm ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : [];
  return [
    ...flash("flash-code", firmware.codePath, true),
    ...flash("flash-variables", firmware.variablesPath, false),
    ...["-machine", `${type},pflash0=flash-code,pflash1=flash-variables${firmware.needsSmm ? ",smm=on" : ""}`],
    ...secure,
  ];
}

function tpmArguments(socketPath: string): string[] {
  const device = ["-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0"];
  return ["-chardev", socket("tpm", socketPath), ...device];
}

/** QEMU connects to us, or to swtpm. */
function socket(id: string, path: string): string {
  return `socket,id=${id},server=off,path=${commaSafe(path)}`;
}

function safeName(name: string): string {
  const safe = name.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 60);
  return safe === "" ? "machine" : safe;
}
