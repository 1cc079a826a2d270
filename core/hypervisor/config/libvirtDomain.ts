// libvirt's domain XML. What runs code or reaches out of the machine (command line, passthrough, networks, folders of the
// host) is never passed on.

import type { DiskBus, DiskShape, MachineShape, NicShape, ScsiController } from "../machineShape.js";
import {
  countOf,
  DEFAULT_CONTROLLER,
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
import { readXml, type XmlElement } from "./xmlTree.js";

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9,
  t: 2 ** 40,
  tib: 2 ** 40,
  tb: 1e12,
};
const BUSES: Readonly<Record<string, DiskBus>> = {
  virtio: "virtio",
  scsi: "scsi",
  sata: "sata",
  ide: "ide",
  nvme: "nvme",
};
const CONTROLLERS: Readonly<Record<string, ScsiController>> = {
  auto: "lsi53c895a",
  lsilogic: "lsi53c895a",
  "virtio-scsi": "virtio-scsi-pci",
  "virtio-transitional": "virtio-scsi-pci",
  "virtio-non-transitional": "virtio-scsi-pci",
  lsisas1078: "megasas",
  vmpvscsi: "pvscsi",
};
const LEFT_OUT: Readonly<Record<string, string>> = {
  hostdev: "passthrough of a device",
  redirdev: "passthrough of a device",
  filesystem: "a folder of the host",
  shmem: "memory shared with the host",
  smartcard: "a device of the host",
  watchdog: "not needed to start",
};

/** MACHINE_CONFIG_INVALID for a text that is no such XML. */
export async function parseLibvirtDomain(xml: string): Promise<MachineConfig> {
  const domain = await readDomain(xml);
  const notes = new NoteList();
  const disks = savedDisks(domain, notes);
  const firmware = firmwareOf(domain);
  const nvram = firmware.kind === "uefi" ? domain.child("os", "nvram")?.text : undefined;
  const type = domain.child("os", "type");
  const shape: MachineShape = {
    memoryMiB: memoryMiB(domain, notes),
    cpus: cpus(domain, notes),
    machineType: machineType(type?.attribute("machine") ?? "pc", notes),
    firmware,
    tpm: domain.child("devices", "tpm") !== undefined,
    clock: clockOf(domain),
    disks: disks.map((disk) => disk.shape),
    nics: nics(domain, notes),
    uuid: domain.child("uuid") === undefined ? null : machineUuid(domain.child("uuid")!.text, notes),
  };
  noteLeftOut(domain, notes);
  return {
    origin: "libvirt",
    architecture: type?.attribute("arch") ?? "x86_64",
    shape,
    disks: disks.map((disk) => disk.saved),
    variables: nvram ? { slot: "nvram", names: [...namesOfPath(nvram), "nvram"] } : null,
    tpmState: null,
    notes: notes.list,
  };
}

async function readDomain(xml: string): Promise<XmlElement> {
  let root: XmlElement;
  try {
    root = await readXml(xml, MAX_CONFIG_CHARS);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.slice(0, 200) : "it cannot be read";
    throw machineConfigInvalid("libvirt", problem, cause);
  }
  // `virsh dumpxml` of a running machine and what virtnbdbackup keeps differ in nothing that matters here
  if (root.name !== "domain")
    throw machineConfigInvalid("libvirt", `its root is <${root.name.slice(0, 40)}>, not <domain>`);
  return root;
}

function memoryMiB(domain: XmlElement, notes: NoteList): number {
  const memory = domain.child("currentMemory") ?? domain.child("memory");
  const unit = (memory?.attribute("unit") ?? "KiB").toLowerCase();
  const bytes = Number(memory?.text ?? "") * (Object.hasOwn(BYTES, unit) ? BYTES[unit]! : Number.NaN);
  const mib = Math.floor(bytes / 2 ** 20);
  if (Number.isSafeInteger(mib) && mib > 0) return mib;
  notes.add(`memory makes no sense: ${DEFAULT_MEMORY_MIB} MiB`);
  return DEFAULT_MEMORY_MIB;
}

function cpus(domain: XmlElement, notes: NoteList): number {
  const vcpu = domain.child("vcpu");
  const cpu = domain.child("cpu");
  if (cpu !== undefined) {
    const model = cpu.child("model")?.text || cpu.attribute("mode") || "of the source";
    notes.add(`processor ${model}: replaced by what the accelerator offers`);
  }
  return vcpu === undefined
    ? DEFAULT_CPUS
    : countOf("vcpu", vcpu.attribute("current") ?? vcpu.text, DEFAULT_CPUS, notes);
}

function firmwareOf(domain: XmlElement): MachineShape["firmware"] {
  const os = domain.child("os");
  const loader = os?.child("loader");
  const isUefi = os?.attribute("firmware") === "efi" || loader?.attribute("type") === "pflash";
  const features = os?.child("firmware")?.children("feature") ?? [];
  const asked = features.some(
    (each) => each.attribute("name") === "secure-boot" && each.attribute("enabled") === "yes",
  );
  const secureBoot = isUefi && (asked || loader?.attribute("secure") === "yes");
  return { kind: isUefi ? "uefi" : "bios", secureBoot, variablesArchive: null };
}

function clockOf(domain: XmlElement): MachineShape["clock"] {
  const clock = domain.child("clock");
  const isLocal = clock?.attribute("offset") === "localtime" || clock?.attribute("basis") === "localtime";
  return isLocal ? "localtime" : "utc";
}

interface FoundDisk {
  shape: DiskShape;
  saved: SavedDisk;
  bootOrder: number;
}

function savedDisks(domain: XmlElement, notes: NoteList): FoundDisk[] {
  const found: FoundDisk[] = [];
  for (const disk of domain.child("devices")?.children("disk") ?? []) {
    const slot = disk.child("target")?.attribute("dev") ?? `disk ${found.length + 1}`;
    const kind = disk.attribute("device") ?? "disk";
    if (found.length >= MAX_DISKS) break;
    if (kind === "disk") found.push({ ...foundDisk(disk, slot, domain, notes), bootOrder: bootOrder(disk) });
    else if (kind === "lun") notes.add(`${slot} left out: passthrough of a device`);
    else if (disk.child("source") !== undefined) notes.add(`${slot} left out: ${kind}`);
  }
  return found.sort((a, b) => a.bootOrder - b.bootOrder);
}

function foundDisk(disk: XmlElement, slot: string, domain: XmlElement, notes: NoteList): Omit<FoundDisk, "bootOrder"> {
  const named = disk.child("target")?.attribute("bus") ?? "virtio";
  const bus = Object.hasOwn(BUSES, named) ? BUSES[named]! : "sata";
  if (!Object.hasOwn(BUSES, named)) notes.add(`${slot}: bus ${named} replaced by sata`);
  const source = disk.child("source");
  const place = ["file", "dev", "volume", "name"]
    .map((name) => source?.attribute(name))
    .find((each) => each !== undefined);
  return {
    shape: { name: slot, bus, controller: bus === "scsi" ? controllerOf(disk, domain, notes) : DEFAULT_CONTROLLER },
    saved: { slot, names: [slot, ...(place === undefined ? [] : namesOfPath(place))] },
  };
}

function bootOrder(disk: XmlElement): number {
  const order = disk.child("boot")?.attribute("order") ?? "";
  return /^\d{1,6}$/.test(order) ? Number(order) : Number.MAX_SAFE_INTEGER;
}

function controllerOf(disk: XmlElement, domain: XmlElement, notes: NoteList): ScsiController {
  const index = disk.child("address")?.attribute("controller") ?? "0";
  const controllers = domain.child("devices")?.children("controller") ?? [];
  const own = controllers.find(
    (each) => each.attribute("type") === "scsi" && (each.attribute("index") ?? "0") === index,
  );
  const model = own?.attribute("model") ?? "lsilogic";
  if (Object.hasOwn(CONTROLLERS, model)) return CONTROLLERS[model]!;
  notes.add(`SCSI controller ${model}: replaced by ${DEFAULT_CONTROLLER}`);
  return DEFAULT_CONTROLLER;
}

function nics(domain: XmlElement, notes: NoteList): NicShape[] {
  const interfaces = domain.child("devices")?.children("interface") ?? [];
  return interfaces.slice(0, MAX_NICS).map((each) => {
    const source = each.child("source");
    const place = source?.attribute("bridge") ?? source?.attribute("network") ?? source?.attribute("dev");
    if (place !== undefined)
      notes.add(`network card: not on the host's ${each.attribute("type") ?? "network"} ${place}`);
    if (each.child("link")?.attribute("state") === "down") notes.add("network card: was unplugged, is plugged in here");
    const mac = each.child("mac")?.attribute("address");
    return {
      model: nicModel(each.child("model")?.attribute("type") ?? "rtl8139", notes),
      mac: mac === undefined ? null : macAddress(mac, notes),
    };
  });
}

function noteLeftOut(domain: XmlElement, notes: NoteList): void {
  for (const { name } of domain.child("devices")?.children() ?? []) {
    if (Object.hasOwn(LEFT_OUT, name)) notes.add(`${name} left out: ${LEFT_OUT[name]}`);
  }
  if (domain.children().some(({ name }) => /^[a-z]+:commandline$/.test(name))) {
    notes.add("own QEMU arguments are never passed on");
  }
  if (domain.child("devices", "tpm") !== undefined)
    notes.add("the TPM starts empty: libvirt keeps its state elsewhere");
  if (domain.child("os", "kernel") !== undefined)
    notes.add("a kernel of the host left out: the disk's own boot loader is used");
}
