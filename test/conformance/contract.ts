// What the parts of the backend contract share.

import type { Backend } from "../../core/storage/backend.js";
import { assertCode } from "../support/assertCode.js";

/** The backend of the test that runs. */
export type Use = () => Backend;

/** Bytes that differ between seeds and do not repeat with a power of two. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) + seed * 17) & 0xff;
  return bytes;
}

export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export async function inParallel<T>(items: T[], width: number, run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await run(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export async function assertNotFound(backend: Backend, key: string): Promise<void> {
  await assertCode(backend.get(key), "OBJECT_NOT_FOUND");
  await assertCode(backend.stat(key), "OBJECT_NOT_FOUND");
}
