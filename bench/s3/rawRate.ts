// What the S3 server can do by itself: objects of a pack's size, written and read by the same client with as many requests
// at once as a backup and a restore have, and nothing computed besides signatures and checksums.

import { randomFillSync } from "node:crypto";
import { openS3Backend } from "../../core/storage/s3/s3Backend.js";
import { benchGateway } from "./gateway.js";

export interface RawRate {
  objectBytes: number;
  objects: number;
  atOnce: number;
  putBytesPerSecond: number;
  getBytesPerSecond: number;
  /** Processor time of all puts, of the client and of the server. */
  putCpuSeconds: number;
  putServerCpuSeconds: number;
}

const OBJECT_BYTES = 16 * 1024 * 1024;
const AT_ONCE = 8;

export async function measureRawRate(objects: number): Promise<RawRate> {
  const gateway = await benchGateway();
  const backend = await openS3Backend(await gateway.newPlace(), { credentials: gateway.credentials });
  try {
    const buffers = Array.from({ length: AT_ONCE }, () => randomFillSync(new Uint8Array(OBJECT_BYTES)));
    const keys = Array.from({ length: objects }, (_, i) => `raw/${i}`);
    await backend.put("raw/first", new Uint8Array(1));
    const clientBefore = process.cpuUsage();
    const serverBefore = await gateway.cpuSeconds();
    const putSeconds = await timed(keys, (key, worker) => backend.put(key, buffers[worker]!));
    const { user, system } = process.cpuUsage(clientBefore);
    const putServerCpuSeconds = (await gateway.cpuSeconds()) - serverBefore;
    const getSeconds = await timed(keys, (key, worker) => backend.get(key, { into: buffers[worker]! }));
    await backend.deleteMany(keys);
    const bytes = objects * OBJECT_BYTES;
    return {
      ...{ objectBytes: OBJECT_BYTES, objects, atOnce: AT_ONCE },
      ...{ putBytesPerSecond: bytes / putSeconds, getBytesPerSecond: bytes / getSeconds },
      ...{ putCpuSeconds: (user + system) / 1e6, putServerCpuSeconds },
    };
  } finally {
    await backend.close();
  }
}

/** Seconds until all keys are done by AT_ONCE workers. */
async function timed(
  keys: readonly string[],
  work: (key: string, worker: number) => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  let next = 0;
  const workers = Array.from({ length: AT_ONCE }, async (_, worker) => {
    while (next < keys.length) await work(keys[next++]!, worker);
  });
  await Promise.all(workers);
  return (performance.now() - started) / 1000;
}
