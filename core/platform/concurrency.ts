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

/**
 * The same for items that still arrive: work begins with the first of them. Those that wait when the last one has arrived are
 * taken by `later` first. Answers in the order in which tasks ended. The first error ends it, of the items' source, too.
 */
export async function mapArriving<T, R>(
  items: AsyncIterable<T>,
  task: (item: T) => Promise<R>,
  { limit = STORAGE_CONCURRENCY, later }: { limit?: number; later: (a: T, b: T) => number },
): Promise<R[]> {
  const results: R[] = [];
  const waiting: T[] = [];
  let idle: (() => void)[] = [];
  let ended = false;
  const wakeAll = () => {
    for (const wake of idle) wake();
    idle = [];
  };
  async function arrive(): Promise<void> {
    try {
      for await (const item of items) {
        if (ended) return;
        waiting.push(item);
        idle.pop()?.();
      }
      waiting.sort(later);
    } finally {
      ended = true;
      wakeAll();
    }
  }
  async function runner(): Promise<void> {
    for (;;) {
      const item = waiting.pop();
      if (item !== undefined) results.push(await task(item));
      else if (ended) return;
      else await new Promise<void>((resolve) => void idle.push(resolve));
    }
  }
  const stopping = async (part: Promise<void>) => {
    try {
      await part;
    } catch (error) {
      ended = true;
      waiting.length = 0;
      wakeAll();
      throw error;
    }
  };
  const settled = await Promise.allSettled([arrive(), ...Array.from({ length: limit }, runner)].map(stopping));
  for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
  return results;
}
