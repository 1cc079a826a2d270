// What can be known of a machine before anything is started: which snapshot, which hardware, and its disks to read.

import { isAbort } from "../../errors.js";
import { MachineTree } from "../../files/machineTree.js";
import type { MachineDisk } from "../../files/machineVolumes.js";
import { openMachineDisks } from "../../files/openTree.js";
import type { Archive } from "../../format/manifest.js";
import { findMachineConfig, MAX_CONFIG_BYTES } from "../../hypervisor/config/findConfig.js";
import { shapeFor } from "../../hypervisor/config/shapeFor.js";
import type { MachineShape } from "../../hypervisor/machineShape.js";
import type { Snapshot } from "../../repository/catalog.js";
import { loadPresenceForReading } from "../../repository/presence.js";
import type { Repository } from "../../repository/repository.js";
import { restoreFile } from "../../restore/restoreFile.js";
import { verifyRepository } from "../../verify/verify.js";
import type { ChunkReport, TestedDisks } from "../checks/check.js";
import { messageOf, verdictOfError } from "../checks/problems.js";
import { type ChosenSnapshot, chooseSnapshot } from "../choose/chooseSnapshot.js";
import type { MachineTest } from "../spec/restoreTestSpec.js";
import { lastTestTimes } from "../storedRecords.js";
import type { SharedRun } from "./sharedRun.js";
import type { TestOptions, TestRequest } from "./testRequest.js";

/** What the group has prepared for its machine. */
export interface PreparedMachine {
  test: MachineTest;
  chosen: ChosenSnapshot;
  shape: MachineShape;
  /** What the shape left out or changed. */
  shapeNotes: readonly string[];
  firmwareVariables: Uint8Array | undefined;
  /** Null: the snapshot is too damaged to open them. */
  disks: TestedDisks | null;
  /** Reads and verifies all data of the snapshot. */
  verifyChunks(signal: AbortSignal): Promise<ChunkReport>;
}

/** Errors of chooseSnapshot; those of a repository that cannot be read, and DRILL_IMPOSSIBLE. */
export async function prepareMachine(shared: SharedRun, test: MachineTest): Promise<PreparedMachine> {
  const { request, drill, options } = shared;
  const chosen = chooseSnapshot(test.snapshot, {
    machine: test.machine,
    catalog: request.catalog,
    testedAtMs: lastTestTimes(request.catalog, test.machine),
    random: () => randomShare(request),
  });
  const fault = (await drill?.prepare(chosen.snapshot, options)) ?? null;
  const notes = fault === null ? chosen.notes : [...chosen.notes, `drill: ${fault}`];
  const base = {
    test,
    chosen: { ...chosen, notes },
    verifyChunks: (signal: AbortSignal) => verifySnapshot(shared, chosen.snapshot, signal),
  };
  try {
    return { ...base, ...(await openMachine(shared, test, chosen.snapshot)) };
  } catch (error) {
    if (isAbort(error) || verdictOfError(error) !== "fails") throw error;
    const { shape } = shapeFor({ config: null, wishes: test.hardware, archives: chosen.snapshot.manifest.archives });
    return { ...base, shape, shapeNotes: [messageOf(error)], firmwareVariables: undefined, disks: null };
  }
}

async function openMachine(
  { reading, drill, fetcher, options }: SharedRun,
  test: MachineTest,
  snapshot: Snapshot,
): Promise<Pick<PreparedMachine, "shape" | "shapeNotes" | "firmwareVariables" | "disks">> {
  const { archives } = snapshot.manifest;
  const found = await findMachineConfig(await readSmallFiles(reading, archives, options));
  const { shape, notes } = shapeFor({ config: found.config, wishes: test.hardware, archives });
  const opened = await openMachineDisks(snapshot, fetcher, options);
  const disks = drill?.disks(opened) ?? opened;
  return {
    shape: drill?.shape(shape) ?? shape,
    shapeNotes: [...found.notes, ...notes],
    firmwareVariables: await readVariables(reading, shape, archives, disks, options),
    disks: { disks, tree: new MachineTree(disks) },
  };
}

async function verifySnapshot(
  { request, reading, options }: SharedRun,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<ChunkReport> {
  const whole = { readData: true, ignoreVerified: false, outdatedAfterMs: null, subset: null };
  return await verifyRepository(
    reading,
    { snapshots: [snapshot], ...whole, record: request.store },
    { signal, onWarning: options.onWarning },
  );
}

/** At least 0, less than 1. */
function randomShare({ repository }: TestRequest): number {
  const [a = 0, b = 0, c = 0, d = 0] = repository.environment.random(4);
  return (((a * 256 + b) * 256 + c) * 256 + d) / 2 ** 32;
}

/** Those that may be configurations. */
async function readSmallFiles(
  repository: Repository,
  archives: readonly Archive[],
  options: TestOptions,
): Promise<{ name: string; bytes: Uint8Array }[]> {
  const small = archives.filter(({ kind, sizeBytes }) => kind === "file" && sizeBytes <= MAX_CONFIG_BYTES);
  if (small.length === 0) return [];
  const presence = await loadPresenceForReading(repository, options);
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (const archive of small) {
    files.push({ name: archive.name, bytes: await restoreFile(repository, presence, archive, options) });
  }
  return files;
}

async function readVariables(
  repository: Repository,
  { firmware }: MachineShape,
  archives: readonly Archive[],
  disks: readonly MachineDisk[],
  options: TestOptions,
): Promise<Uint8Array | undefined> {
  const archive = archives.find(({ name }) => name === firmware.variablesArchive);
  if (archive === undefined) return undefined;
  if (archive.kind === "file") {
    const presence = await loadPresenceForReading(repository, options);
    return await restoreFile(repository, presence, archive, options);
  }
  const disk = disks.find(({ name }) => name === archive.name);
  if (disk === undefined || !("reader" in disk)) return undefined;
  const bytes = new Uint8Array(disk.reader.sizeBytes);
  await disk.reader.read(bytes, 0, options);
  return bytes;
}
