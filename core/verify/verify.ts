// Proving stored data undamaged. Three depths in one run: every small object opens; every chunk of the chosen snapshots is
// in a pack that exists; and, when asked, every byte of the packs is read and every digest computed.

import { encodeText } from "../format/bytes.js";
import { bytesToHex, hexToBytes, type PackName, type Sid } from "../format/ids.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { checksum64 } from "../hash/checksum.js";
import { BlobReader } from "../repository/blobReader.js";
import { type Catalog, loadCatalog, type Snapshot } from "../repository/catalog.js";
import { listPacks, loadPresenceForReading, loadQuarantine, type Presence } from "../repository/presence.js";
import { visitReachable } from "../repository/reachability.js";
import type { Repository } from "../repository/repository.js";
import { attributeDamage } from "./attributeDamage.js";
import { checkObjects, type ObjectProblem } from "./objectChecks.js";
import { recordVerification } from "./recordVerification.js";
import type { PackProblem } from "./verifyLane.js";
import { type PacksRead, verifyPacks } from "./verifyPacks.js";
import type { StructureDamage, VerifyOptions, VerifyReport, VerifyRequest } from "./verifyReport.js";

/** How often it begins again because a collector has moved chunks meanwhile, which looks like damage. */
const MOST_TRIES = 3;

export async function verifyRepository(
  repository: Repository,
  request: VerifyRequest,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const started = performance.now();
  for (let tries = 1; ; tries++) {
    const { report, presence, record } = await verifyOnce(repository, request, options);
    if (!report.ok && tries < MOST_TRIES && (await havePacksGone(repository, presence, options))) continue;
    report.durationMs = Math.round(performance.now() - started);
    if (request.record) await record();
    return report;
  }
}

async function havePacksGone(repository: Repository, seen: Presence, options: VerifyOptions): Promise<boolean> {
  const packs = await listPacks(repository, options);
  return [...seen.packs.keys()].some((pack) => !packs.has(pack));
}

async function verifyOnce(
  repository: Repository,
  request: VerifyRequest,
  options: VerifyOptions,
): Promise<{ report: VerifyReport; presence: Presence; record: () => Promise<void> }> {
  const catalog = await loadCatalog(repository, { ...options, fresh: true });
  const chosen = chooseSnapshots(catalog, request, repository.environment.now());
  const objects = request.snapshots === null ? await checkAllObjects(repository, options) : NO_OBJECTS;
  const presence = await loadPresenceForReading(repository, options);
  const blobs = new BlobReader(repository, presence.index);
  const damage = await checkStructure(chosen.snapshots, blobs, presence, options);
  const packs = request.readData ? await readPacks(repository, presence, damage.packs, request, options) : NOTHING_READ;
  const damagedCopies = damagedCopiesOf(packs, presence);
  const isSpared = (copy: string) => request.spared?.has(copy.slice(copy.indexOf("/") + 1)) === true;
  const noted = [...(await loadQuarantine(repository, options))].filter((copy) => !isSpared(copy));
  const badCopies = new Set([...damagedCopies, ...noted]);
  const { verdicts, neededIds } = await attributeDamage(
    chosen.snapshots,
    blobs,
    presence.index,
    damage,
    badCopies,
    options.signal,
  );
  const neededPacks = packsWithNeeded(damagedCopies, neededIds);
  const problems = packs.problems.map((problem) => {
    // Damage in a pack's own tables hurts nobody while its blobs can be read.
    const { id, pack } = problem;
    return { ...problem, needed: id === null ? packs.foundIn.has(pack) && neededPacks.has(pack) : neededIds.has(id) };
  });
  problems.push(...absentPacks(presence, damage).map((problem) => ({ ...problem, needed: true })));
  const report: VerifyReport = {
    ok: verdicts.every(({ result }) => result === "ok") && objects.problems.length === 0 && problems.length === 0,
    level: request.readData ? "data" : "structure",
    snapshots: verdicts,
    skipped: chosen.skipped,
    objects,
    packs: { listed: presence.packs.size, read: packs.read, bytesRead: packs.bytesRead, problems },
    coverage: presence.packs.size === 0 ? 1 : packs.read / presence.packs.size,
    durationMs: 0,
  };
  const record = () => recordVerification(repository, report, damagedCopies, catalog, request, options);
  return { report, presence, record };
}

const NO_OBJECTS = { checked: 0, problems: [] as ObjectProblem[], foreign: [] as string[] };
const NOTHING_READ: PacksRead = { read: 0, bytesRead: 0, problems: [], foundIn: new Map() };

function chooseSnapshots(
  catalog: Catalog,
  request: VerifyRequest,
  nowMs: number,
): { snapshots: Snapshot[]; skipped: Sid[] } {
  const snapshots: Snapshot[] = [];
  const skipped: Sid[] = [];
  for (const snapshot of request.snapshots ?? catalog.snapshots) {
    if (request.ignoreVerified && isFresh(snapshot, request, nowMs)) skipped.push(snapshot.sid);
    else snapshots.push(snapshot);
  }
  return { snapshots, skipped };
}

function isFresh(snapshot: Snapshot, request: VerifyRequest, nowMs: number): boolean {
  const { verification } = snapshot;
  if (verification === null || verification.result !== "ok") return false;
  if (request.readData && verification.level !== "data") return false;
  // A verification from the future was made under a wrong clock: as old as it seems young.
  return request.outdatedAfterMs === null || Math.abs(nowMs - Date.parse(verification.at)) < request.outdatedAfterMs;
}

async function checkAllObjects(repository: Repository, options: VerifyOptions): Promise<VerifyReport["objects"]> {
  let done = 0;
  return checkObjects(repository, {
    signal: options.signal,
    onChecked: () => {
      done++;
      options.onProgress?.({ operation: "verify", phase: "objects", done, unit: "objects" });
    },
  });
}

async function checkStructure(
  snapshots: readonly Snapshot[],
  blobs: BlobReader,
  presence: Presence,
  options: VerifyOptions,
): Promise<StructureDamage> {
  const damage: StructureDamage = { missing: new Set(), packs: new Set() };
  const visitor = {
    onBlob(id: Uint8Array) {
      const copies = presence.index.copies(id);
      if (copies.length === 0) damage.missing.add(bytesToHex(id));
      for (const { pack } of copies) damage.packs.add(pack);
    },
    // attributeDamage meets the same map again and names the disk and range.
    onUnreadable() {},
    onSnapshot(done: number, total: number) {
      options.onProgress?.({ operation: "verify", phase: "structure", done, total, unit: "snapshots" });
    },
  };
  await visitReachable(snapshots, blobs, visitor, options.signal);
  return damage;
}

async function readPacks(
  repository: Repository,
  presence: Presence,
  needed: ReadonlySet<PackName>,
  request: VerifyRequest,
  options: VerifyOptions,
): Promise<PacksRead> {
  const all = request.snapshots === null && !request.ignoreVerified;
  const packs = [...presence.packs.entries()]
    .filter(([name]) => (all || needed.has(name)) && isInSubset(name, request.subset))
    .map(([name, { sizeBytes }]) => ({ name, sizeBytes }));
  return verifyPacks(repository, packs, { ...options, lanes: request.lanes });
}

/** The slice of a pack depends on its name only, so that n runs with n slices read every pack once. */
function isInSubset(name: PackName, subset: VerifyRequest["subset"]): boolean {
  if (subset === null) return true;
  return Number(checksum64(encodeText(name)) % BigInt(subset.of)) === subset.part - 1;
}

/** `pack/id` of every copy that this run found damaged or lost. */
function damagedCopiesOf(packs: PacksRead, presence: Presence): Set<string> {
  const copies = new Set<string>();
  for (const { pack, id } of packs.problems) if (id !== null) copies.add(`${pack}/${id}`);
  if (packs.foundIn.size === 0) return copies;
  const found = new Map<PackName, Set<string>>();
  for (const [pack, ids] of packs.foundIn) found.set(pack, hexIds(ids));
  presence.index.forEach((id, { pack }) => {
    const hex = bytesToHex(id);
    if (found.get(pack)?.has(hex) === false) copies.add(`${pack}/${hex}`);
  });
  return copies;
}

function hexIds(ids: Uint8Array): Set<string> {
  const found = new Set<string>();
  for (let at = 0; at < ids.length; at += BLOB_ID_BYTES) found.add(bytesToHex(ids.subarray(at, at + BLOB_ID_BYTES)));
  return found;
}

/** Packs that held what is missing now. */
function absentPacks({ index }: Presence, { missing }: StructureDamage): PackProblem[] {
  const names = new Set<PackName>();
  for (const hex of missing) {
    const pack = index.absent.packOf(hexToBytes(hex, BLOB_ID_BYTES, "missing chunk"));
    if (pack !== undefined) names.add(pack);
  }
  return [...names].map((pack) => {
    const message = `pack ${pack} is missing, and with it chunks that no other pack holds`;
    return { pack, id: null, code: "PACK_MISSING", message };
  });
}

/** Packs with a damaged copy of something that a snapshot needs. */
function packsWithNeeded(damagedCopies: ReadonlySet<string>, neededIds: ReadonlySet<string>): Set<string> {
  const packs = new Set<string>();
  for (const copy of damagedCopies) {
    const [pack = "", id = ""] = copy.split("/");
    if (neededIds.has(id)) packs.add(pack);
  }
  return packs;
}
