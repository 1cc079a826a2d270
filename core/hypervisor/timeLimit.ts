// Waiting that ends in time: with the answer, with an error at a deadline, or with the reason of an abort.

export interface WaitOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * What `start` resolves, unless the time is up (`onTimeout` makes the error) or the signal aborts first. `start` gets the two
 * ends of a promise and may return a function that takes its listeners away.
 */
export async function withinLimit<T>(
  options: WaitOptions,
  onTimeout: () => Error,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | undefined,
): Promise<T> {
  options.signal?.throwIfAborted();
  let cleanUp: (() => void) | undefined;
  const onAbort: { listener?: () => void } = {};
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => reject(onTimeout()), options.timeoutMs);
      onAbort.listener = () => reject(options.signal?.reason);
      options.signal?.addEventListener("abort", onAbort.listener, { once: true });
      cleanUp = start(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    if (onAbort.listener !== undefined) options.signal?.removeEventListener("abort", onAbort.listener);
    cleanUp?.();
  }
}
