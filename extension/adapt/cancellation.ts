// The editor's cancellation as the core knows it.

import type { CancellationToken } from "vscode";

/** Runs `work` with a signal that follows the token; the listener is gone when it has ended. */
export async function withSignal<T>(
  token: CancellationToken | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  if (token?.isCancellationRequested) abort.abort();
  const listener = token?.onCancellationRequested(() => abort.abort());
  try {
    return await work(abort.signal);
  } finally {
    listener?.dispose();
  }
}

/** The answer to work that others may wait for, too; undefined once this one does not wait any more. */
export async function whileWanted<T>(token: CancellationToken, work: Promise<T>): Promise<T | undefined> {
  if (token.isCancellationRequested) return undefined;
  let listener: { dispose(): unknown } | undefined;
  const cancelled = new Promise<undefined>((resolve) => {
    listener = token.onCancellationRequested(() => resolve(undefined));
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    listener?.dispose();
  }
}

export function isAbort(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { name?: unknown }).name === "AbortError";
}
