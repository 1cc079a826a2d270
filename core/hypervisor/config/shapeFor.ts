// The hardware that a machine is started with: what somebody asks for, over its saved configuration, over the defaults; and
// which disk of the configuration is which archive of the snapshot.

import type { DiskBus, DiskShape, MachineShape, NicModel } from "../machineShape.js";
import {
  DEFAULT_CONTROLLER,
  DEFAULT_CPUS,
  DEFAULT_MEMORY_MIB,
  type MachineConfig,
  NoteList,
  type SavedDisk,
} from "./machineConfig.js";

/** Null: nobody asks for anything. */
export interface HardwareWishes {
  memoryMiB: number | null;
  cpus: number | null;
  machineType: string | null;
  firmware: "bios" | "uefi" | null;
  secureBoot: boolean | null;
  tpm: boolean | null;
  diskBus: DiskBus | null;
  nicModel: NicModel | null;
}

export interface SnapshotArchive {
  name: string;
  kind: "image" | "file" | "tree";
  sizeBytes: number;
}

export interface ShapeRequest {
  config: MachineConfig | null;
  wishes: HardwareWishes;
  archives: readonly SnapshotArchive[];
}

/** A saved configuration may ask for the memory of a big server: a test takes at most this, unless its spec asks. */
export const MEMORY_CAP_MIB = 4096;
export const CPUS_CAP = 4;
/** Size of the variables of the 4 MiB firmware; a volume may be rounded up. */
const VARIABLES_BYTES = 540_672;
const MAX_VARIABLES_BYTES = 64 * 1024 * 1024;

/** Pure. The disks' names are those of archives: every image of the snapshot but UEFI variables and TPM state. */
export function shapeFor({ config, wishes, archives }: ShapeRequest): {
  shape: MachineShape;
  notes: readonly string[];
} {
  const notes = new NoteList();
  for (const note of config?.notes ?? []) notes.add(note);
  const saved = config?.shape ?? null;
  const firmware = firmwareFor({ config, wishes, archives }, notes);
  const disks = disksFor({ config, wishes, archives }, notes);
  const shape: MachineShape = {
    memoryMiB: capped("memory", wishes.memoryMiB, saved?.memoryMiB, DEFAULT_MEMORY_MIB, MEMORY_CAP_MIB, " MiB", notes),
    cpus: capped("processors", wishes.cpus, saved?.cpus, DEFAULT_CPUS, CPUS_CAP, "", notes),
    machineType: wishes.machineType ?? saved?.machineType ?? defaultMachineType(firmware, disks),
    firmware,
    tpm: wishes.tpm ?? saved?.tpm ?? false,
    clock: saved?.clock ?? "utc",
    disks,
    nics: (saved?.nics ?? [{ model: "virtio" as const, mac: null }]).map((nic) => ({
      ...nic,
      model: wishes.nicModel ?? nic.model,
    })),
    uuid: saved?.uuid ?? null,
  };
  noteChanges(shape, config, wishes, notes);
  return { shape, notes: notes.list };
}

function capped(
  what: string,
  wish: number | null,
  saved: number | undefined,
  byDefault: number,
  cap: number,
  unit: string,
  notes: NoteList,
): number {
  if (wish !== null) {
    if (saved !== undefined && wish !== saved)
      notes.add(`${what}: ${wish}${unit} as the test asks, not ${saved}${unit}`);
    return wish;
  }
  if (saved === undefined) return byDefault;
  if (saved > cap) notes.add(`${what}: ${cap}${unit} instead of ${saved}${unit}`);
  return Math.min(saved, cap);
}

function defaultMachineType({ kind }: MachineShape["firmware"], disks: readonly DiskShape[]): string {
  if (disks.some(({ bus }) => bus === "ide")) return "pc";
  return kind === "uefi" || disks.some(({ bus }) => bus === "sata") ? "q35" : "pc";
}

function firmwareFor({ config, wishes, archives }: ShapeRequest, notes: NoteList): MachineShape["firmware"] {
  const kind = wishes.firmware ?? config?.shape.firmware.kind ?? "bios";
  if (kind === "bios") return { kind, secureBoot: false, variablesArchive: null };
  const secureBoot = wishes.secureBoot ?? config?.shape.firmware.secureBoot ?? false;
  return { kind, secureBoot, variablesArchive: variablesArchive(config?.variables ?? null, archives, notes) };
}

function variablesArchive(
  variables: SavedDisk | null,
  archives: readonly SnapshotArchive[],
  notes: NoteList,
): string | null {
  const archive = variables === null ? undefined : archiveOf(variables, archives);
  if (archive === undefined) {
    notes.add("UEFI variables are not in the snapshot: fresh ones, the machine must boot from \\EFI\\BOOT");
    return null;
  }
  if (archive.sizeBytes >= VARIABLES_BYTES && archive.sizeBytes <= MAX_VARIABLES_BYTES) return archive.name;
  notes.add(`${archive.name}: UEFI variables of another firmware (${archive.sizeBytes} bytes): fresh ones instead`);
  return null;
}

/** By name; what is left over on both sides by order, when it is as many; what nobody describes comes last. */
function disksFor({ config, wishes, archives }: ShapeRequest, notes: NoteList): DiskShape[] {
  const images = archives.filter(({ kind }) => kind === "image");
  const special = [config?.variables, config?.tpmState].map((each) => each && archiveOf(each, archives)?.name);
  const left = new Set(images.map(({ name }) => name).filter((name) => !special.includes(name)));
  if (config?.tpmState && special[1] !== undefined)
    notes.add(`${special[1]}: the TPM's state is not used, it starts empty`);
  const archiveNames = matchDisks(config?.disks ?? [], left, notes);
  const shapes = (config?.shape.disks ?? []).flatMap((disk, i): DiskShape[] => {
    const name = archiveNames[i];
    if (name === undefined) notes.add(`disk ${disk.name} of the configuration is not in the snapshot`);
    return name === undefined ? [] : [{ ...disk, name }];
  });
  const [first] = shapes;
  for (const name of left) {
    if (config !== null) notes.add(`${name}: not in the machine's configuration, attached behind the others`);
    shapes.push({ name, bus: first?.bus ?? "virtio", controller: first?.controller ?? DEFAULT_CONTROLLER });
  }
  if (wishes.diskBus === null) return shapes;
  const controller = first?.bus === "scsi" ? first.controller : DEFAULT_CONTROLLER;
  return shapes.map((disk) => ({ ...disk, bus: wishes.diskBus!, controller }));
}

/** For each saved disk its archive's name or undefined; takes those names out of `left`. */
function matchDisks(disks: readonly SavedDisk[], left: Set<string>, notes: NoteList): (string | undefined)[] {
  const names = disks.map((disk) => {
    const name = nameAmong(disk, [...left]);
    if (name !== undefined) left.delete(name);
    return name;
  });
  const unnamed = disks.flatMap((_, i) => (names[i] === undefined ? [i] : []));
  if (unnamed.length === 0 || unnamed.length !== left.size) return names;
  const rest = [...left];
  for (const [position, i] of unnamed.entries()) {
    names[i] = rest[position];
    left.delete(rest[position]!);
    notes.add(`${rest[position]}: taken for disk ${disks[i]!.slot}, by its place in the list`);
  }
  return names;
}

function archiveOf(disk: SavedDisk, archives: readonly SnapshotArchive[]): SnapshotArchive | undefined {
  const usable = archives.filter(({ kind }) => kind !== "tree");
  const name = nameAmong(
    disk,
    usable.map((archive) => archive.name),
  );
  return usable.find((archive) => archive.name === name);
}

/** Names are compared without what a format adds: `web1.qcow2`, `drive-scsi0.img`. */
function nameAmong({ names }: SavedDisk, candidates: readonly string[]): string | undefined {
  const bare = (name: string) => name.toLowerCase().replace(/\.(qcow2|raw|img|fd|bin)$/, "");
  for (const name of names) {
    const found =
      candidates.find((candidate) => candidate === name) ?? candidates.find((each) => bare(each) === bare(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

function noteChanges(shape: MachineShape, config: MachineConfig | null, wishes: HardwareWishes, notes: NoteList): void {
  if (config === null) {
    const isPlain = Object.values(wishes).every((wish) => wish === null);
    const hardware = isPlain ? "default hardware" : "hardware as asked for, else the defaults";
    notes.add(`no machine configuration in the snapshot: ${hardware}`);
    return;
  }
  const { shape: saved, architecture } = config;
  if (!/^(x86_64|i[3-6]86)$/.test(architecture))
    notes.add(`its processor is ${architecture}: started on x86_64 all the same`);
  const change = (what: string, asked: unknown, before: unknown) => {
    if (asked !== null && asked !== before) notes.add(`${what}: ${asked} as the test asks, not ${before}`);
  };
  change("machine type", wishes.machineType, saved.machineType);
  change("firmware", wishes.firmware, saved.firmware.kind);
  change("secure boot", wishes.secureBoot, saved.firmware.secureBoot);
  change("TPM", wishes.tpm, saved.tpm);
  for (const { bus } of saved.disks) change("disk bus", wishes.diskBus, bus);
  for (const { model } of saved.nics) change("network card", wishes.nicModel, model);
  if (shape.firmware.secureBoot && /^pc($|-i440fx)/.test(shape.machineType)) {
    notes.add(`secure boot needs q35, the machine type is ${shape.machineType}`);
  }
}
