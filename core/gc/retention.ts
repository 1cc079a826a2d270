// Object lock: what kept snapshots need stays locked. The keeper extends the retention of each such object once less than half of
// the bucket's period is left, so that nobody, with whatever credentials, can remove its bytes before the next half has passed.

import { objectName, type PackName } from "../format/ids.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { Catalog } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { ObjectInfo } from "../storage/backend.js";

export interface KeptObjects {
  catalog: Catalog;
  /** Packs that stay, with what the listing says of them. */
  packs: ReadonlyMap<PackName, ObjectInfo>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** How many objects are locked for longer now. None where the bucket has no default retention. `nowMs`: the storage's clock. */
export async function extendRetention(
  repository: Repository,
  { catalog, packs }: KeptObjects,
  nowMs: number,
  options: { signal?: AbortSignal },
): Promise<number> {
  const { backend } = repository;
  const { objectLockDays = null } = (await backend.protection?.(options)) ?? {};
  if (objectLockDays === null || backend.lockUntil === undefined) return 0;
  const periodMs = objectLockDays * DAY_MS;
  const isDue = (modifiedAtMs: number) => nowMs - modifiedAtMs > periodMs / 2;
  const due = [
    ...[...packs].filter(([, { modifiedAtMs }]) => isDue(modifiedAtMs)).map(([name]) => objectName.pack(name)),
    ...catalog.snapshots.filter(({ storedAtMs }) => isDue(storedAtMs)).map(({ sid }) => objectName.snapshot(sid)),
  ];
  let extended = 0;
  await mapConcurrent(due, async (key) => {
    const untilMs = nowMs + periodMs;
    if ((await backend.lockUntil?.(key, { untilMs, whenLessThanMs: nowMs + periodMs / 2 }, options)) === "extended")
      extended++;
  });
  return extended;
}
