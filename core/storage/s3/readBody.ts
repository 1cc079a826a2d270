// The body of an answer into memory of known size. A body that ends early, or goes on, is an error of the connection.

import type { Readable } from "node:stream";
import { collectYoungGarbage } from "../../platform/youngGarbage.js";
import { S3CallError } from "./s3CallError.js";

/** Fills `target` with the whole body. The stream is destroyed when that fails. */
export async function readBody(body: Readable, target: Uint8Array): Promise<void> {
  let filled = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      body.on("data", (part: Uint8Array) => {
        if (filled + part.length > target.length) return void reject(cutOff("more bytes came than were announced"));
        target.set(part, filled);
        filled += part.length;
        collectNowAndThen(part.length);
      });
      body.on("end", resolve);
      body.on("error", reject);
      body.on("close", () => reject(cutOff(`the answer ended after ${filled} of ${target.length} bytes`)));
    });
    if (filled < target.length) throw cutOff(`the answer ended after ${filled} of ${target.length} bytes`);
  } catch (error) {
    body.on("error", () => {});
    body.destroy();
    throw error;
  }
}

/** Every part is a buffer of its own; V8 would let 64 MiB and more of them pile up. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;
let uncollected = 0;

function collectNowAndThen(bytes: number): void {
  uncollected += bytes;
  if (uncollected < COLLECT_EVERY_BYTES) return;
  uncollected = 0;
  collectYoungGarbage();
}

function cutOff(message: string): S3CallError {
  return new S3CallError({
    name: "BodyCutOff",
    status: undefined,
    systemCode: "ECONNRESET",
    message,
    requestId: undefined,
  });
}
