// A machine as its own hypervisor described it when it was backed up, and the notes that reading it leaves behind.

import { RepriseError } from "../../errors.js";
import type { DiskShape, MachineShape, NicModel } from "../machineShape.js";

export interface MachineConfig {
  origin: "proxmox" | "libvirt";
  /** As the hypervisor names processor architectures: "x86_64", "aarch64". */
  architecture: string;
  /** Disks in the order in which the firmware tries them, named as in the configuration: `scsi0`, `vda`. */
  shape: MachineShape;
  /** Of the same disks, in the same order. */
  disks: readonly SavedDisk[];
  /** Where the UEFI variables were; null: not told, or no UEFI. */
  variables: SavedDisk | null;
  /** Where the state of the TPM was; null: not told, or none. */
  tpmState: SavedDisk | null;
  /** What was left out or replaced, in words. */
  notes: readonly string[];
}

export interface SavedDisk {
  /** `scsi0`, `vda`. */
  slot: string;
  /** Names under which it may be in a snapshot, the likeliest first. */
  names: readonly string[];
}

/** What a machine has about which nobody said anything. */
export const DEFAULT_MEMORY_MIB = 512;
export const DEFAULT_CPUS = 1;
export const DEFAULT_CONTROLLER: DiskShape["controller"] = "virtio-scsi-pci";

/** Larger than any real one: both hypervisors write a few KiB. */
export const MAX_CONFIG_CHARS = 1024 * 1024;
export const MAX_DISKS = 64;
export const MAX_NICS = 32;
const MAX_NOTES = 50;
const MAX_NOTE_CHARS = 300;

/** Notes in the order in which they come, each once, safe to show. */
export class NoteList {
  readonly #notes = new Set<string>();

  add(note: string): void {
    if (this.#notes.size < MAX_NOTES) this.#notes.add(note.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, MAX_NOTE_CHARS));
  }

  get list(): readonly string[] {
    return [...this.#notes];
  }
}

export function machineConfigInvalid(origin: string, problem: string, cause?: unknown): RepriseError {
  return new RepriseError("format", "MACHINE_CONFIG_INVALID", `not a machine configuration of ${origin}: ${problem}`, {
    data: { origin },
    hint: "say in the spec below hardware what the machine needs",
    cause,
  });
}

const NIC_MODELS_BY_NAME: Readonly<Record<string, NicModel>> = {
  virtio: "virtio",
  "virtio-net-pci": "virtio",
  "virtio-transitional": "virtio",
  "virtio-non-transitional": "virtio",
  e1000: "e1000",
  "e1000-82540em": "e1000",
  "e1000-82544gc": "e1000",
  "e1000-82545em": "e1000",
  e1000e: "e1000e",
  rtl8139: "rtl8139",
  vmxnet3: "vmxnet3",
};

/** A model that we do not start becomes an e1000, with a note: nearly every system has a driver for it. */
export function nicModel(name: string, notes: NoteList): NicModel {
  const model = Object.hasOwn(NIC_MODELS_BY_NAME, name) ? NIC_MODELS_BY_NAME[name] : undefined;
  if (model === undefined) notes.add(`network card ${name}: replaced by e1000`);
  return model ?? "e1000";
}

/** Lower case with colons; null with a note when it is none, or one for groups. */
export function macAddress(text: string, notes: NoteList): string | null {
  const isMac = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text);
  const mac = text.toLowerCase().replaceAll("-", ":");
  if (isMac && Number.parseInt(mac.slice(0, 2), 16) % 2 === 0) return mac;
  notes.add(`network address "${text}" is none: a new one is made up`);
  return null;
}

/** Lower case; null with a note when it is none. */
export function machineUuid(text: string, notes: NoteList): string | null {
  if (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  notes.add(`uuid "${text}" is none: left out`);
  return null;
}

/** Without what only Proxmox's QEMU knows; `pc` with a note when it does not look like a machine type of ours. */
export function machineType(text: string, notes: NoteList): string {
  const plain = text.replace(/\+pve\d+$/, "");
  if (/^(pc|q35|pc-(q35|i440fx)-\d{1,3}\.\d{1,3}(\.\d{1,3})?)$/.test(plain)) return plain;
  notes.add(`machine type ${text}: replaced by ${/q35/.test(text) ? "q35" : "pc"}`);
  return /q35/.test(text) ? "q35" : "pc";
}

/** A number as it was written; the default with a note when it makes no sense. */
export function countOf(what: string, text: string, byDefault: number, notes: NoteList): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  notes.add(`${what} "${text}" makes no sense: ${byDefault}`);
  return byDefault;
}

/** `/var/lib/images/web1.qcow2` → that file's name, with and without what comes behind the point. */
export function namesOfPath(path: string): string[] {
  const name = path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, "");
  return name === "" ? [] : [...new Set([name, name.replace(/\.[A-Za-z0-9]{1,8}$/, "")])];
}
