// The lanes of one restore: pages go to whichever is free.

import { inlineLane, type Lane } from "../engine/lane.js";
import { defaultLaneCount, threadLane } from "../engine/threadLane.js";
import type { Repository } from "../repository/repository.js";
import { workerLocation } from "../storage/openBackend.js";
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
  const storage = workerLocation(repository.backend);
  const masterKey = repository.keyring?.master ?? null;
  if (storage === null || count === 0) {
    const init: RestoreLaneInit = { storage: repository.backend, masterKey, target };
    const lane = await createRestoreLane(init);
    return [inlineLane(lane, () => lane.end(null))];
  }
  const init: RestoreLaneInit = { storage, masterKey, target };
  return Array.from({ length: count }, () => threadLane<RestoreLaneApi>("restore", init));
}
