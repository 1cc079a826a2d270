// Proxmox VE's qemu-server configuration (`ID.conf`): lines of `key: value`. What runs code or reaches out of the machine
// (args, hookscript, passthrough, bridges) is never passed on.

import type { DiskBus, DiskShape, MachineShape, NicShape, ScsiController } from "../machineShape.js";
import {
  countOf,
  DEFAULT_CPUS,
  DEFAULT_MEMORY_MIB,
  MAX_CONFIG_CHARS,
  MAX_DISKS,
  MAX_NICS,
  type MachineConfig,
  macAddress,
  machineConfigInvalid,
  machineType,
  machineUuid,
  NoteList,
  namesOfPath,
  nicModel,
  type SavedDisk,
} from "./machineConfig.js";

const MAX_LINES = 2000;
const MAX_CPUS = 4096;
const LINE = /^([a-z][a-z0-9_-]{0,40}):\s*(.*)$/i;
const DISK_KEY = /^(virtio|scsi|sata|ide)(\d{1,2})$/;
const NIC_KEY = /^net(\d{1,2})$/;
/** Two of these, and it is a configuration of a virtual machine; a container has rootfs instead. */
const TELLING =
  /^(memory|cores|sockets|cpu|bios|boot|ostype|scsihw|machine|smbios1|vmgenid|net\d+|agent|(virtio|scsi|sata|ide)\d+)$/;
const SCSI_CONTROLLERS: Readonly<Record<string, ScsiController>> = {
  lsi: "lsi53c895a",
  "virtio-scsi-pci": "virtio-scsi-pci",
  "virtio-scsi-single": "virtio-scsi-pci",
  megasas: "megasas",
  pvscsi: "pvscsi",
};
/** Keys whose loss somebody should know about, and what to say. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^args$/, "own QEMU arguments are never passed on"],
  [/^hookscript$/, "a hook script is never run"],
  [/^hostpci\d+$/, "passthrough of a PCI device"],
  [/^usb\d+$/, "passthrough of a USB device"],
  [/^(serial|parallel)\d+$/, "a port of the host"],
  [/^virtiofs\d+$/, "a folder of the host"],
  [/^(ivshmem|amd-sev|intel-tdx|watchdog|audio0|rng0|hugepages|numa\d+|affinity|kvm|vga)$/, "not needed to start"],
];

/** MACHINE_CONFIG_INVALID for a text that is no such configuration. */
export function parseProxmoxConfig(text: string): MachineConfig {
  const values = readLines(text);
  if ([...values.keys()].filter((key) => TELLING.test(key)).length < 2 || values.has("rootfs")) {
    throw machineConfigInvalid("Proxmox", "it does not describe a virtual machine");
  }
  const notes = new NoteList();
  const disks = savedDisks(values, notes);
  const shape: MachineShape = {
    memoryMiB: countOf("memory", property(values.get("memory") ?? "", "current") ?? "", DEFAULT_MEMORY_MIB, notes),
    cpus: cpus(values, notes),
    machineType: machineType(property(values.get("machine") ?? "pc", "type") ?? "pc", notes),
    firmware: firmware(values),
    tpm: values.has("tpmstate0"),
    clock: clock(values),
    disks: disks.map(({ shape: disk }) => disk),
    nics: nics(values, notes),
    uuid: uuid(values, notes),
  };
  noteLeftOut(values, notes);
  return {
    origin: "proxmox",
    architecture: values.get("arch") ?? "x86_64",
    shape,
    disks: disks.map(({ saved }) => saved),
    variables: volume("efidisk0", values),
    tpmState: volume("tpmstate0", values),
    notes: notes.list,
  };
}

/** The machine as it is now: snapshots and pending changes stand behind a line of `[name]`. A later line wins, as there. */
function readLines(text: string): Map<string, string> {
  if (text.length > MAX_CONFIG_CHARS) throw machineConfigInvalid("Proxmox", "it is larger than 1 MiB");
  const values = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/, MAX_LINES)) {
    if (line.startsWith("[")) break;
    const match = LINE.exec(line.trim());
    if (match !== null && !line.startsWith("#")) values.set(match[1]!, match[2]!.trim());
  }
  return values;
}

/** `a,b=1,c=2`: the value of a key; `key` may be left out in front of the first. */
function property(value: string, key: string): string | null {
  const [first, ...rest] = value.split(",");
  const named = [first!, ...rest].find((part) => part.trim().startsWith(`${key}=`));
  if (named !== undefined) return named.trim().slice(key.length + 1);
  return first!.includes("=") || first === "" ? null : first!.trim();
}

/** Of `a,b=1,c=2`: the value of a key that is always named. */
function namedProperty(value: string, key: string): string | null {
  const named = value.split(",").find((part) => part.trim().startsWith(`${key}=`));
  return named === undefined ? null : named.trim().slice(key.length + 1);
}

function cpus(values: ReadonlyMap<string, string>, notes: NoteList): number {
  const count = (key: string) => countOf(key, values.get(key) ?? "1", DEFAULT_CPUS, notes);
  const all = Math.min(MAX_CPUS, count("sockets") * count("cores"));
  const type = values.get("cpu");
  if (type !== undefined) notes.add(`processor ${type}: replaced by what the accelerator offers`);
  return values.has("vcpus") ? Math.min(all, count("vcpus")) : all;
}

function firmware(values: ReadonlyMap<string, string>): MachineShape["firmware"] {
  const isUefi = values.get("bios") === "ovmf";
  const keys = namedProperty(values.get("efidisk0") ?? "", "pre-enrolled-keys");
  return { kind: isUefi ? "uefi" : "bios", secureBoot: isUefi && keys === "1", variablesArchive: null };
}

function clock(values: ReadonlyMap<string, string>): MachineShape["clock"] {
  const local = values.get("localtime");
  if (local !== undefined) return local === "1" ? "localtime" : "utc";
  return /^(win|w2k|w2k3|w2k8|wxp|wvista)/.test(values.get("ostype") ?? "") ? "localtime" : "utc";
}

function uuid(values: ReadonlyMap<string, string>, notes: NoteList): string | null {
  const given = namedProperty(values.get("smbios1") ?? "", "uuid");
  return given === null ? null : machineUuid(given, notes);
}

interface FoundDisk {
  shape: DiskShape;
  saved: SavedDisk;
}

function savedDisks(values: ReadonlyMap<string, string>, notes: NoteList): FoundDisk[] {
  const controllerName = values.get("scsihw") ?? "lsi";
  const controller = Object.hasOwn(SCSI_CONTROLLERS, controllerName) ? SCSI_CONTROLLERS[controllerName]! : "lsi53c895a";
  const found: FoundDisk[] = [];
  for (const [slot, value] of values) {
    const bus = DISK_KEY.exec(slot)?.[1] as DiskBus | undefined;
    if (bus === undefined || found.length >= MAX_DISKS) continue;
    const source = property(value, "file") ?? "";
    if (namedProperty(value, "media") === "cdrom" || source === "none" || source === "cdrom") {
      if (source !== "none") notes.add(`${slot}: CD image left out (${source})`);
    } else if (namedProperty(value, "backup") === "0" || namedProperty(value, "backup") === "no") {
      notes.add(`${slot}: not backed up (backup=0), left out`);
    } else {
      if (bus === "scsi" && !Object.hasOwn(SCSI_CONTROLLERS, controllerName)) {
        notes.add(`SCSI controller ${controllerName}: replaced by ${controller}`);
      }
      found.push({ shape: { name: slot, bus, controller }, saved: volume(slot, values)! });
    }
  }
  return inBootOrder(found, values);
}

/** `boot: order=scsi0;net0`, or of old `bootdisk: scsi0`; the others as Proxmox counts them: ide, scsi, sata, virtio. */
function inBootOrder(disks: readonly FoundDisk[], values: ReadonlyMap<string, string>): FoundDisk[] {
  const order = namedProperty(values.get("boot") ?? "", "order")?.split(";") ?? [values.get("bootdisk") ?? ""];
  const buses: readonly DiskBus[] = ["ide", "scsi", "sata", "virtio"];
  const rank = ({ shape: { name, bus } }: FoundDisk) => {
    const place = order.indexOf(name);
    return place >= 0 ? place : order.length + buses.indexOf(bus) * 100 + Number(name.replace(/^\D+/, ""));
  };
  return [...disks].sort((a, b) => rank(a) - rank(b));
}

/** `local-lvm:vm-100-disk-0,size=32G` may be in a snapshot as `scsi0`, `drive-scsi0` or `vm-100-disk-0`. */
function volume(slot: string, values: ReadonlyMap<string, string>): SavedDisk | null {
  const value = values.get(slot);
  if (value === undefined) return null;
  const source = (property(value, "file") ?? property(value, "volume") ?? "").replace(/^[^:]*:/, "");
  return { slot, names: [slot, `drive-${slot}`, `drive-${slot}-backup`, ...namesOfPath(source)] };
}

function nics(values: ReadonlyMap<string, string>, notes: NoteList): NicShape[] {
  const keys = [...values.keys()].filter((key) => NIC_KEY.test(key));
  keys.sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)));
  return keys.slice(0, MAX_NICS).map((key) => {
    const value = values.get(key)!;
    // virtio=BC:24:11:…,bridge=vmbr0 or model=virtio,macaddr=…
    const [first = ""] = value.split(",");
    const short = /^([a-z0-9_-]+)=([0-9a-f:-]{17})$/i.exec(first);
    const model = short?.[1] ?? property(value, "model") ?? "e1000";
    const mac = short?.[2] ?? namedProperty(value, "macaddr");
    const bridge = namedProperty(value, "bridge");
    if (bridge !== null) notes.add(`${key}: not on the host's bridge ${bridge}`);
    if (namedProperty(value, "link_down") === "1") notes.add(`${key}: was unplugged (link_down), is plugged in here`);
    return { model: nicModel(model, notes), mac: mac === null ? null : macAddress(mac, notes) };
  });
}

function noteLeftOut(values: ReadonlyMap<string, string>, notes: NoteList): void {
  for (const key of values.keys()) {
    const reason = LEFT_OUT.find(([pattern]) => pattern.test(key))?.[1];
    if (reason !== undefined) notes.add(`${key} left out: ${reason}`);
  }
}
