// Work on items in their order while the next ones are being fetched: hides the latency of a network, with bounded memory.

export interface ReadAheadLimits {
  /** Fetches under way or waiting for their turn; 1: one after the other. */
  atOnce: number;
  /** Their sizes together; a single item may be larger. */
  bytes: number;
}

interface Fetching<Item, Result> {
  item: Item;
  size: number;
  result: Promise<Result>;
}

/**
 * Calls `use` for each item with what `fetch` brought, one at a time and in order. After an error nothing new begins, and it is
 * thrown when what is under way has ended.
 */
export async function readAhead<Item, Result>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  fetch: (item: Item) => Promise<Result>,
  use: (item: Item, result: Result) => Promise<void>,
  limits: ReadAheadLimits,
): Promise<void> {
  const ahead: Fetching<Item, Result>[] = [];
  let next = 0;
  let bytes = 0;
  function fill(): void {
    while (next < items.length && ahead.length < limits.atOnce) {
      const item = items[next] as Item;
      const size = sizeOf(item);
      if (ahead.length > 0 && bytes + size > limits.bytes) return;
      const result = fetch(item);
      result.catch(() => {}); // it is thrown when its turn comes
      ahead.push({ item, size, result });
      bytes += size;
      next++;
    }
  }
  try {
    for (;;) {
      fill();
      const first = ahead[0];
      if (first === undefined) return;
      const result = await first.result;
      await use(first.item, result);
      ahead.shift();
      bytes -= first.size;
    }
  } finally {
    await Promise.allSettled(ahead.map(({ result }) => result));
  }
}
