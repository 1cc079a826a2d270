// Hands packs to verify lanes and collects what they find.

import { inlineLane, type Lane } from "../engine/lane.js";
import { defaultLaneCount, threadLane } from "../engine/threadLane.js";
import type { PackName } from "../format/ids.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { OnProgress } from "../platform/progress.js";
import type { Repository } from "../repository/repository.js";
import { laneStorage } from "../storage/laneStorage.js";
import { createVerifyLane, type PackProblem, type VerifyLaneApi, type VerifyLaneInit } from "./verifyLane.js";

export interface PacksRead {
  read: number;
  bytesRead: number;
  problems: PackProblem[];
  /** For packs whose table of contents is destroyed, or which cannot be read: the ids that were found all the same. */
  foundIn: Map<PackName, Uint8Array>;
}

export async function verifyPacks(
  repository: Repository,
  packs: readonly { name: PackName; sizeBytes: number }[],
  options: { lanes?: number; signal?: AbortSignal; onProgress?: OnProgress },
): Promise<PacksRead> {
  const total = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const result: PacksRead = { read: 0, bytesRead: 0, problems: [], foundIn: new Map() };
  if (packs.length === 0) return result;
  const lanes = await startLanes(repository, Math.min(packs.length, options.lanes ?? defaultLaneCount()));
  // Behind a network the next pack is on its way while a lane checks the one before.
  const free = repository.backend.parallelReads === undefined ? [...lanes] : [...lanes, ...lanes];
  try {
    await mapConcurrent(
      packs,
      async (pack) => {
        options.signal?.throwIfAborted();
        const lane = free.pop() as Lane<VerifyLaneApi>;
        const verdict = await lane.call("verifyPack", pack);
        free.push(lane);
        result.read++;
        result.bytesRead += verdict.bytes;
        result.problems.push(...verdict.problems);
        if (verdict.foundIds) result.foundIn.set(pack.name, verdict.foundIds);
        options.onProgress?.({ operation: "verify", phase: "data", done: result.bytesRead, total, unit: "bytes" });
      },
      free.length,
    );
  } finally {
    for (const lane of lanes) await lane.close();
  }
  return result;
}

async function startLanes(repository: Repository, count: number): Promise<Lane<VerifyLaneApi>[]> {
  const { backend } = repository;
  const masterKey = repository.keyring?.master ?? null;
  const lanes: Lane<VerifyLaneApi>[] = [];
  while (lanes.length < count) {
    const lane = laneStorage(backend);
    if (lane === null) break;
    const init: VerifyLaneInit = { storage: lane.storage, masterKey };
    lanes.push(threadLane<VerifyLaneApi>("verify", init, lane.transfer));
  }
  if (lanes.length > 0) return lanes;
  return [inlineLane(await createVerifyLane({ storage: backend, masterKey }))];
}
