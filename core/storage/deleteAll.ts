// Deleting many objects in few requests, where the storage can.

import { mapConcurrent } from "../platform/concurrency.js";
import type { Backend, OperationOptions } from "./backend.js";

/**
 * Removes all of `keys`, in no promised order. Some may be gone when it throws; the same call again removes the rest. Where
 * the storage has no request for many, they are deleted one by one, several at a time where that hides a network.
 */
export async function deleteAll(
  backend: Backend,
  keys: readonly string[],
  options: OperationOptions = {},
): Promise<void> {
  if (keys.length === 0) return;
  if (backend.deleteMany !== undefined) return await backend.deleteMany(keys, options);
  const remove = async (key: string) => {
    options.signal?.throwIfAborted();
    await backend.delete(key, options);
  };
  if (backend.parallelReads === undefined) for (const key of keys) await remove(key);
  else await mapConcurrent(keys, remove);
}
