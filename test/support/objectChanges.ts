// Changing what a backend holds, object by object, as damage and attackers do.

import type { Backend } from "../../core/storage/backend.js";
import { collect } from "./listing.js";

export async function changeObject(
  backend: Backend,
  key: string,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  await backend.put(key, change((await backend.get(key)).slice()));
}

/** The bytes with one byte changed by `mask` (not 0). */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= mask;
  return copy;
}

/** Runs `during` with one byte of one object changed, then puts the old contents back. */
export async function withFlip<T>(
  backend: Backend,
  key: string,
  at: number,
  mask: number,
  during: () => Promise<T>,
): Promise<T> {
  const sound = await backend.get(key);
  await backend.put(key, flipped(sound, at, mask));
  try {
    return await during();
  } finally {
    await backend.put(key, sound);
  }
}

/** Exchanges the contents of two objects. */
export async function swapObjects(backend: Backend, a: string, b: string): Promise<void> {
  const [first, second] = [await backend.get(a), await backend.get(b)];
  await backend.put(a, second);
  await backend.put(b, first);
}

/** Every object below a folder (or all) with its size. */
export async function objectSizes(backend: Backend, prefix = ""): Promise<{ key: string; sizeBytes: number }[]> {
  return (await collect(backend.list(prefix))).map(({ key, sizeBytes }) => ({ key, sizeBytes }));
}
