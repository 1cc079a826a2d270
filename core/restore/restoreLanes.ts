// The lanes of one restore: pages go to whichever is free.

import { inlineLane, type Lane } from "../engine/lane.js";
import { defaultLaneCount, threadLane } from "../engine/threadLane.js";
import type { Repository } from "../repository/repository.js";
import { laneStorage } from "../storage/laneStorage.js";
import type { TargetLocation } from "./blockTarget.js";
import { createRestoreLane, type RestoreLaneApi, type RestoreLaneInit } from "./restoreLane.js";

/** While one batch waits for the disk the other one computes. */
export const BATCHES_PER_LANE = 2;

/** Starts lanes that read the repository and write the target (null: they only decode). `count` 0: on this thread. */
export async function startRestoreLanes(
  repository: Repository,
  target: TargetLocation | null,
  count: number = defaultLaneCount(),
): Promise<Lane<RestoreLaneApi>[]> {
  const { backend } = repository;
  const masterKey = repository.keyring?.master ?? null;
  const lanes: Lane<RestoreLaneApi>[] = [];
  while (lanes.length < count) {
    const lane = laneStorage(backend);
    if (lane === null) break;
    const init: RestoreLaneInit = { storage: lane.storage, masterKey, target };
    lanes.push(threadLane<RestoreLaneApi>("restore", init, lane.transfer));
  }
  if (lanes.length > 0) return lanes;
  const inline = await createRestoreLane({ storage: backend, masterKey, target });
  return [inlineLane(inline, () => inline.end(null))];
}
