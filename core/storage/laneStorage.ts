// How worker threads read the storage that the main thread has opened. They know folders only: no client of a network storage
// is loaded into each of them.

import type { MessagePort } from "node:worker_threads";
import type { Backend, ObjectReader } from "./backend.js";
import { openLocalBackend } from "./localBackend.js";
import { openServedReads, type ServedReads, serveReads } from "./servedReads.js";

/** A folder, or the way to the thread that holds the backend. To be transferred. */
export type LaneStorage = string | ServedReads;

/**
 * What one worker thread needs to read `backend`, and what of it moves there; null when that gains nothing or cannot be: contents
 * in memory belong to one thread, and a wrapper around a folder (a bandwidth limit, a recorder) must see every operation. With
 * null the work stays on the thread that holds the backend.
 */
export function laneStorage(backend: Backend): { storage: LaneStorage; transfer: MessagePort[] } | null {
  const { workerLocation } = backend as { workerLocation?: unknown };
  if (typeof workerLocation === "string") return { storage: workerLocation, transfer: [] };
  if (backend.parallelReads === undefined) return null;
  const served = serveReads(backend);
  return { storage: served, transfer: [served.port] };
}

/** What a lane works on: opened from laneStorage's answer, or the backend itself where the lane runs inline. */
export async function openLaneStorage(storage: LaneStorage | Backend): Promise<ObjectReader> {
  if (typeof storage === "string") return await openLocalBackend(storage);
  return "port" in storage ? openServedReads(storage) : storage;
}
