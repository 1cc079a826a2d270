// What the disks of a machine hold: partitions, logical volumes put together from all of them, and file systems. Looked at
// when asked for, one disk at a time where that is enough.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import { type BlockReader, PartReader } from "../filesystem/blockReader.js";
import type { FileSystem, FileSystemInfo } from "../filesystem/fileSystem.js";
import { damaged } from "../filesystem/filesystemErrors.js";
import { openFileSystem } from "../filesystem/openFileSystem.js";
import { type Content, identify } from "../filesystem/volumes/identify.js";
import { type PhysicalVolume, readPhysicalVolume } from "../filesystem/volumes/lvm/physicalVolume.js";
import { assembleVolumeGroups } from "../filesystem/volumes/lvm/volumeGroup.js";
import type { Partition } from "../filesystem/volumes/partition.js";
import { readPartitionTable } from "../filesystem/volumes/partitionTable.js";

/** A disk to look into: of a snapshot, or a plain image. */
export type MachineDisk = { name: string; reader: BlockReader } | StoredFolder;

/** No disk: a folder that was backed up file by file, shown as if it were one. */
export interface StoredFolder {
  name: string;
  sizeBytes: number;
  openFolder(): Promise<FileSystem>;
}

/** One entry below a disk: a partition, a logical volume, or the whole disk when it has no partitions. */
export interface Volume {
  disk: string;
  /** Unique on its disk: `p1`, `vg0-root`, `fs`. */
  name: string;
  sizeBytes: number;
  /** Null for logical volumes and whole disks. */
  partition: Partition | null;
  content: Content;
  /** For people: "ext4", "LVM physical volume", "LUKS, encrypted", "nothing known". */
  description: string;
  /** Why it cannot be looked into although we know what it is. */
  problem: RepriseError | null;
  remarks: readonly string[];
  /** Its bytes; of a volume with a problem they may be those of something else. None where `openFolder` is. */
  reader: BlockReader;
  /** Of folders that were backed up file by file. */
  openFolder?: () => Promise<FileSystem>;
}

/** The name of the only volume of a disk without partitions. */
export const WHOLE_DISK = "fs";

export class MachineVolumes {
  readonly #disks: readonly MachineDisk[];
  #inspected: Promise<Volume[]> | undefined;
  readonly #fileSystems = new Map<string, Promise<FileSystem>>();

  constructor(disks: readonly MachineDisk[]) {
    this.#disks = disks;
  }

  get diskNames(): string[] {
    return this.#disks.map(({ name }) => name);
  }

  /** As the machine sees them, stored folders among them. */
  get disks(): readonly { name: string; sizeBytes: number }[] {
    return this.#disks.map((disk) => {
      return { name: disk.name, sizeBytes: "reader" in disk ? disk.reader.sizeBytes : disk.sizeBytes };
    });
  }

  /** All volumes of all disks, in order. A damaged table or volume is a volume with a problem, never an error. */
  async volumes(): Promise<readonly Volume[]> {
    return await this.#inspect();
  }

  /** Errors as of openFileSystem; FILE_NOT_FOUND when there is no such volume; FILESYSTEM_UNSUPPORTED names what it is. */
  async fileSystem(disk: string, name: string): Promise<FileSystem> {
    const volumes = await this.#inspect();
    const volume = volumes.find((candidate) => candidate.disk === disk && candidate.name === name);
    if (volume === undefined) {
      throw new RepriseError("not-found", "FILE_NOT_FOUND", `/${disk}/${name}: no such partition or volume`);
    }
    if (volume.problem !== null) throw volume.problem;
    const { content } = volume;
    if (content.kind !== "filesystem") throw notAFileSystem(volume);
    const key = `${disk}/${name}`;
    let opening = this.#fileSystems.get(key);
    if (opening === undefined) {
      const companions = volumes
        .filter((other) => other !== volume && sameKind(other.content, content))
        .map(({ reader }) => reader);
      opening = volume.openFolder?.() ?? openFileSystem(content.type, volume.reader, { companions });
      this.#fileSystems.set(key, opening);
      // as with the volumes: a storage that was away may be back
      opening.catch(() => this.#fileSystems.delete(key));
    }
    return await opening;
  }

  /** What a volume's file system says of itself, or why it cannot be opened; neither where there is none. */
  async describe(volume: Volume): Promise<{ fileSystem: FileSystemInfo | null; problem: RepriseError | null }> {
    const { content, problem } = volume;
    if (content.kind !== "filesystem" || problem !== null) return { fileSystem: null, problem };
    const opened = await attempt(() => this.fileSystem(volume.disk, volume.name));
    return { fileSystem: opened.value?.info ?? null, problem: opened.error };
  }

  #inspect(): Promise<Volume[]> {
    if (this.#inspected === undefined) {
      this.#inspected = inspectAll(this.#disks);
      // An error of the storage may pass; the next call looks again.
      this.#inspected.catch(() => {
        this.#inspected = undefined;
      });
    }
    return this.#inspected;
  }
}

async function inspectAll(disks: readonly MachineDisk[]): Promise<Volume[]> {
  const volumes = (await Promise.all(disks.map((disk) => inspectDisk(disk)))).flat();
  return [...volumes, ...(await logicalVolumes(volumes))].sort((a, b) => diskOrder(disks, a) - diskOrder(disks, b));
}

function diskOrder(disks: readonly MachineDisk[], { disk }: Volume): number {
  return disks.findIndex(({ name }) => name === disk);
}

async function inspectDisk(machineDisk: MachineDisk): Promise<Volume[]> {
  if ("openFolder" in machineDisk) return [heldFolder(machineDisk)];
  const { name, reader } = machineDisk;
  const table = await attempt(() => readPartitionTable(reader));
  const base = { disk: name, remarks: [] as readonly string[] };
  if (table.error !== null) return [{ ...base, ...unreadable(WHOLE_DISK, reader, table.error) }];
  if (table.value !== null) {
    const { partitions, remarks } = table.value;
    const volumes = await Promise.all(partitions.map((partition) => inspectPartition(name, reader, partition)));
    return volumes.map((volume) => ({ ...volume, remarks: [...remarks, ...volume.remarks] }));
  }
  const whole = await attempt(() => identify(reader));
  if (whole.error !== null) return [{ ...base, ...unreadable(WHOLE_DISK, reader, whole.error) }];
  return whole.value.kind === "empty" ? [] : [{ ...base, ...held(WHOLE_DISK, reader, null, whole.value) }];
}

async function inspectPartition(disk: string, reader: BlockReader, partition: Partition): Promise<Volume> {
  const part = new PartReader(reader, partition.offsetBytes, partition.sizeBytes);
  const name = `p${partition.number}`;
  const content = await attempt(() => identify(part));
  const base = { disk, remarks: [] as readonly string[] };
  if (content.error !== null) return { ...base, ...unreadable(name, part, content.error), partition };
  return { ...base, ...held(name, part, partition, content.value) };
}

/** Volume groups may span disks, so this comes when all disks are known. A volume stands below its first disk. */
async function logicalVolumes(volumes: readonly Volume[]): Promise<Volume[]> {
  const physical = new Map<PhysicalVolume, Volume>();
  for (const volume of volumes) {
    if (volume.content.kind !== "physical-volume") continue;
    const found = await attempt(() => readPhysicalVolume(volume.reader, {}));
    if (found.error !== null) volume.problem = found.error;
    else if (found.value !== null) physical.set(found.value, volume);
  }
  const [home] = physical.values();
  if (home === undefined) return [];
  const groups = await attempt(async () => assembleVolumeGroups([...physical.keys()]));
  if (groups.error !== null) {
    home.problem = groups.error;
    return [];
  }
  markUnknownGroups(physical);
  const found: Volume[] = [];
  for (const group of groups.value) {
    const disk = homeOf(group.name, physical) ?? home.disk;
    for (const { name, sizeBytes, open } of group.volumes) {
      const volumeName = `${escaped(group.name)}-${escaped(name)}`;
      const base = { disk, remarks: group.remarks };
      const opened = await attempt(async () => open());
      const content = opened.error === null ? await attempt(() => identify(opened.value)) : opened;
      if (opened.error !== null || content.error !== null) {
        const error = (opened.error ?? content.error) as RepriseError;
        found.push({ ...base, ...unreadable(volumeName, home.reader, error), sizeBytes });
      } else found.push({ ...base, ...held(volumeName, opened.value, null, content.value as Content) });
    }
  }
  return found;
}

/** Physical volumes of a group that nobody describes any more: what they hold cannot be told. */
function markUnknownGroups(physical: ReadonlyMap<PhysicalVolume, Volume>): void {
  for (const [{ uuid, isMetadataDamaged }, volume] of physical) {
    if (!isMetadataDamaged || [...physical.keys()].some(({ metadata }) => metadata?.includes(uuid))) continue;
    volume.problem = damaged("LVM2", "metadata area", "checksum does not match");
  }
}

/** The disk of the first physical volume that carries the group's metadata. */
function homeOf(group: string, physical: ReadonlyMap<PhysicalVolume, Volume>): string | undefined {
  const start = `${group} {`;
  for (const [{ metadata }, { disk }] of physical)
    if (metadata?.split("\n").some((line) => line.trim() === start)) return disk;
  return undefined;
}

/** As the device mapper does: the dash that divides stands alone. */
function escaped(name: string): string {
  return name.replaceAll("-", "--");
}

function heldFolder({ name, sizeBytes, openFolder }: StoredFolder): Volume {
  const content: Content = { kind: "filesystem", type: "folder" };
  return { disk: name, remarks: [], ...held(WHOLE_DISK, NO_DEVICE, null, content), sizeBytes, openFolder };
}

const NO_DEVICE: BlockReader = { sizeBytes: 0, read: async () => {} };

function held(
  name: string,
  reader: BlockReader,
  partition: Partition | null,
  content: Content,
): Omit<Volume, "disk" | "remarks"> {
  const { sizeBytes } = reader;
  return { name, reader, sizeBytes, partition, content, description: describe(content), problem: null };
}

function unreadable(name: string, reader: BlockReader, problem: RepriseError): Omit<Volume, "disk" | "remarks"> {
  const content: Content = { kind: "unknown" };
  return { name, reader, sizeBytes: reader.sizeBytes, partition: null, content, description: "damaged", problem };
}

function describe(content: Content): string {
  switch (content.kind) {
    case "filesystem":
      return content.type;
    case "physical-volume":
      return "LVM physical volume";
    case "foreign":
      return content.what;
    case "empty":
      return "empty";
    default:
      return "nothing known";
  }
}

function sameKind(a: Content, b: Content): boolean {
  return a.kind === "filesystem" && b.kind === "filesystem" && a.type === b.type;
}

function notAFileSystem({ disk, name, description }: Volume): RepriseError {
  return new RepriseError(
    "unsupported",
    "FILESYSTEM_UNSUPPORTED",
    `/${disk}/${name}: holds no file system that can be read (${description})`,
    {
      data: { disk, volume: name, description },
      hint: "restore the disk and open it with the system it came from, or attach it with nbd",
    },
  );
}

type Attempt<T> = { value: T; error: null } | { value: null; error: RepriseError };

/** What a hostile or damaged image makes of it belongs to the volume; errors of the storage and aborts are passed on. */
async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await act(), error: null };
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return { value: null, error };
  }
}
