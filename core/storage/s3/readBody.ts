// The body of an answer into memory of known size. A body that ends early, or goes on, is an error of the connection.

import type { Readable } from "node:stream";
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

function cutOff(message: string): S3CallError {
  return new S3CallError({
    name: "BodyCutOff",
    status: undefined,
    systemCode: "ECONNRESET",
    message,
    requestId: undefined,
  });
}
