// A machine straight from its snapshot, for a person who must have it now: disks are fetched as they are read, writes go to
// a throw-away overlay, the network leads nowhere. Nothing is checked and nothing recorded; that is a restore test.

import { openChunkFetcher } from "../files/openTree.js";
import { type ChunkFetcher, SnapshotDisk } from "../files/snapshotDisk.js";
import type { Archive } from "../format/manifest.js";
import { type Accelerator, detectAccelerator } from "../hypervisor/accelerator.js";
import { findMachineConfig, MAX_CONFIG_BYTES } from "../hypervisor/config/findConfig.js";
import { type HardwareWishes, shapeFor } from "../hypervisor/config/shapeFor.js";
import { hypervisorError } from "../hypervisor/hypervisorErrors.js";
import { removeLeftovers } from "../hypervisor/leftovers.js";
import { type MachineNetwork, type RunningMachine, startMachine } from "../hypervisor/machine.js";
import type { AcceleratorChoice, MachineShape } from "../hypervisor/machineShape.js";
import { createRunFolder, type RunFolder } from "../hypervisor/runFolder.js";
import type { Snapshot } from "../repository/catalog.js";
import { loadPresenceForReading } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { restoreFile } from "../restore/restoreFile.js";
import { requireDisk, serveDisks, type TestDisks } from "./run/testDisks.js";

const MAX_VARIABLES_BYTES = 64 * 1024 * 1024;

export interface BootRequest {
  repository: Repository;
  snapshot: Snapshot;
  /** What is asked for, over the configuration in the snapshot. */
  wishes: HardwareWishes;
  accelerator: AcceleratorChoice;
  network: MachineNetwork;
  /** A VNC server on a unix socket in the folder of the run. */
  vnc: boolean;
}

export interface BootOptions {
  signal: AbortSignal;
  onWarning: OnWarning;
}

export interface BootedSnapshot {
  machine: RunningMachine;
  shape: MachineShape;
  accelerator: Accelerator;
  /** Where it differs from its configuration, in words. */
  notes: readonly string[];
  /** Why the machine got errors when it read its disks: the newest ones. */
  readErrors(): readonly string[];
  /** Stops the machine and removes all that belonged to it. May be called twice. */
  close(): Promise<void>;
}

/**
 * SNAPSHOT_WITHOUT_DISK, and the errors of startMachine. What earlier runs have left behind when they were killed is removed first.
 * After an error or an abort nothing is left.
 */
export async function bootSnapshot(request: BootRequest, options: BootOptions): Promise<BootedSnapshot> {
  requireDisk(request.snapshot);
  await removeLeftovers();
  const accelerator = await detectAccelerator(request.accelerator);
  const fetcher = await openChunkFetcher(request.repository, options);
  let folder: RunFolder | undefined;
  let disks: TestDisks | undefined;
  let machine: RunningMachine | undefined;
  const close = async () => {
    await machine?.stop();
    await disks?.close();
    await folder?.remove();
    await fetcher.close();
  };
  try {
    const { shape, notes, variables } = await hardwareOf(request, fetcher, options);
    folder = await createRunFolder();
    disks = await serveDisks(request.snapshot, fetcher, folder.child("disks.sock"), options.signal);
    const served = new Map(disks.disks.map((disk) => [disk.name, disk]));
    machine = await startMachine(
      {
        name: request.snapshot.manifest.group,
        shape,
        disks: shape.disks.flatMap(({ name }) => served.get(name) ?? []),
        accelerator,
        network: request.network,
        runFolder: folder,
        firmwareVariables: variables,
        onDiskError: "report",
        rebootsAllowed: Number.POSITIVE_INFINITY,
        vnc: request.vnc,
      },
      options,
    );
    const { readErrors } = disks;
    return { machine, shape, accelerator, notes: [...notes, ...machine.notes], readErrors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Hardware {
  shape: MachineShape;
  notes: readonly string[];
  variables: Uint8Array | undefined;
}

async function hardwareOf(request: BootRequest, fetcher: ChunkFetcher, options: BootOptions): Promise<Hardware> {
  const { archives } = request.snapshot.manifest;
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (const archive of archives) {
    const isSmall = archive.kind === "file" && archive.sizeBytes <= MAX_CONFIG_BYTES;
    if (isSmall) files.push({ name: archive.name, bytes: await readWhole(request, archive, fetcher, options) });
  }
  const found = await findMachineConfig(files);
  const { shape, notes } = shapeFor({ config: found.config, wishes: request.wishes, archives });
  const saved = archives.find(({ name }) => name === shape.firmware.variablesArchive);
  const variables = saved === undefined ? undefined : await readWhole(request, saved, fetcher, options);
  return { shape, notes: [...found.notes, ...notes], variables };
}

/** Of a configuration or of UEFI variables, which a hypervisor may keep as a small disk. */
async function readWhole(
  { repository }: BootRequest,
  archive: Archive,
  fetcher: ChunkFetcher,
  options: BootOptions,
): Promise<Uint8Array> {
  if (archive.kind === "file") {
    const presence = await loadPresenceForReading(repository, options);
    return await restoreFile(repository, presence, archive, options);
  }
  if (archive.sizeBytes > MAX_VARIABLES_BYTES)
    throw hypervisorError("FIRMWARE_MISSING", `${archive.name} is too large for UEFI variables`);
  const disk = await SnapshotDisk.open(archive, fetcher, options.signal);
  const bytes = new Uint8Array(disk.sizeBytes);
  await disk.read(bytes, 0, options);
  return bytes;
}
