// One drill: the repository, disks and machine as a test gets to see them. Everything is read through the real code, so what
// notices the fault is what would notice the real one.

import { Keyring, MASTER_KEY_BYTES } from "../../crypto/keyring.js";
import { RepriseError } from "../../errors.js";
import type { MachineDisk } from "../../files/machineVolumes.js";
import { bytesToHex, objectName } from "../../format/ids.js";
import { BLOB_HEADER_BYTES } from "../../format/pack.js";
import type { DiskBus, MachineShape } from "../../hypervisor/machineShape.js";
import { BlobReader } from "../../repository/blobReader.js";
import type { Snapshot } from "../../repository/catalog.js";
import { NO_CACHE } from "../../repository/objectCache.js";
import { loadPresenceForReading } from "../../repository/presence.js";
import { visitReachable } from "../../repository/reachability.js";
import { Repository } from "../../repository/repository.js";
import type { OnWarning } from "../../repository/warnings.js";
import type { CheckContext } from "../checks/check.js";
import { DrillBackend } from "./drillBackend.js";
import { type DrillFault, drillFault } from "./drillFaults.js";

export interface DrillOptions {
  signal?: AbortSignal;
  onWarning: OnWarning;
}

type GuestAccess = Pick<CheckContext, "agent" | "hostPort" | "establishedConnections">;

export interface Drill {
  fault: DrillFault;
  /** For everything that the test reads. What is written to it is forgotten: store the record in the real one. */
  repository: Repository;
  /** Before a snapshot is tested. What was made wrong with it, for the record. DRILL_IMPOSSIBLE. */
  prepare(snapshot: Snapshot, options: DrillOptions): Promise<string>;
  disks(disks: readonly MachineDisk[]): readonly MachineDisk[];
  shape(shape: MachineShape): MachineShape;
  guest<T extends GuestAccess>(guest: T): T;
}

/** A port that nobody listens on, since nobody but root may: tcpmux, long dead. */
const DEAD_PORT = 1;

/** DRILL_UNKNOWN; DRILL_IMPOSSIBLE when this repository or machine cannot have such a fault. */
export function startDrill(name: string, real: Repository): Drill {
  const fault = drillFault(name);
  const backend = new DrillBackend(real.backend);
  return {
    fault,
    repository: fault.name === "wrong-key" ? withWrongKey(real, backend) : repositoryOn(real, backend, real.keyring),
    prepare: async (snapshot, options) => {
      if (fault.name === "destroyed-chunk") return await destroyChunk(real, backend, snapshot, options);
      if (fault.name === "missing-disk") requireDisks(snapshot, fault);
      return fault.description;
    },
    disks: (disks) => (fault.name === "missing-disk" ? withoutFirst(disks) : disks),
    shape: (shape) => shapeOf(fault, shape),
    guest: (guest) => (fault.name === "no-service" ? { ...guest, ...NO_SERVICE } : guest),
  };
}

const NO_SERVICE: GuestAccess = {
  agent: null,
  hostPort: () => DEAD_PORT,
  establishedConnections: async () => 0,
};

/** Its own cache is none: what the real one remembers would hide what is lost. */
function repositoryOn(real: Repository, backend: DrillBackend, keyring: Keyring | null): Repository {
  return new Repository(backend, real.config, keyring, real.environment, NO_CACHE, null);
}

/** The small objects still open, as with a key that was lost for some packs: so there is something to be tested. */
function withWrongKey(real: Repository, backend: DrillBackend): Repository {
  if (real.keyring === null) throw impossible("the repository is not encrypted, so no key of it can be wrong");
  const { objects } = repositoryOn(real, backend, real.keyring);
  const wrong = new Keyring(real.environment.random(MASTER_KEY_BYTES));
  return Object.assign(repositoryOn(real, backend, wrong), { objects, hash: real.hash });
}

/** One in the later half of all that the snapshot is made of, always the same: maps come before what they describe. */
async function destroyChunk(
  real: Repository,
  backend: DrillBackend,
  snapshot: Snapshot,
  options: DrillOptions,
): Promise<string> {
  const presence = await loadPresenceForReading(real, options);
  let count = 0;
  let chosen: Uint8Array | null = null;
  const visitor = {
    onBlob(id: Uint8Array) {
      count++;
      // powers of two: the last of them stands behind the middle
      if ((count & (count - 1)) === 0) chosen = Uint8Array.from(id);
    },
    onUnreadable() {},
  };
  await visitReachable([snapshot], new BlobReader(real, presence.index), visitor, options.signal);
  const id = chosen as Uint8Array | null;
  const copies = id === null ? [] : presence.index.copies(id);
  if (id === null || copies.length === 0) throw impossible("the snapshot has no chunk that is stored");
  for (const { pack, offset, storedLength } of copies)
    backend.destroy(objectName.pack(pack), { offset: offset + BLOB_HEADER_BYTES, length: storedLength });
  return `chunk ${bytesToHex(id)} is destroyed in ${copies.map(({ pack }) => pack).join(", ")}`;
}

function withoutFirst(disks: readonly MachineDisk[]): readonly MachineDisk[] {
  const first = disks.findIndex((disk) => "reader" in disk);
  return disks.filter((_, i) => i !== first);
}

function requireDisks(snapshot: Snapshot, { name }: DrillFault): void {
  if (snapshot.manifest.archives.some(({ kind }) => kind === "image")) return;
  throw impossible(`the snapshot has no disk, so the drill ${name} cannot be made`);
}

function shapeOf({ name }: DrillFault, shape: MachineShape): MachineShape {
  if (name === "missing-disk") return { ...shape, disks: shape.disks.slice(1) };
  if (name !== "wrong-bus") return shape;
  return { ...shape, disks: shape.disks.map((disk) => ({ ...disk, bus: otherBus(disk.bus) })) };
}

/** Machines that were made for one kind seldom carry drivers of the other. */
function otherBus(bus: DiskBus): DiskBus {
  return bus === "virtio" || bus === "scsi" || bus === "nvme" ? "sata" : "virtio";
}

function impossible(why: string): RepriseError {
  return new RepriseError("usage", "DRILL_IMPOSSIBLE", why, { hint: "choose another drill" });
}
