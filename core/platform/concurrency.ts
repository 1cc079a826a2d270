// Bounded parallelism for storage operations.

/** How many requests to a repository run side by side where nothing else sets a limit. */
export const STORAGE_CONCURRENCY = 8;

/**
 * Runs `task` for each item, at most `limit` at once, and answers in the order of the items. The first error ends it: tasks
 * already under way finish, no further one starts.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  task: (item: T, index: number) => Promise<R>,
  limit: number = STORAGE_CONCURRENCY,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  let failed = false;
  async function runner(): Promise<void> {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await task(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  const runners = Array.from({ length: Math.min(limit, items.length) }, runner);
  const settled = await Promise.allSettled(runners);
  for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
  return results;
}
