// The one error of decoding: stored bytes that are no valid stream, or not one of the recorded size.

import { RepriseError } from "../errors.js";

export function codecFailed(
  codec: string,
  reason: string,
  data: Record<string, unknown>,
  cause?: unknown,
): RepriseError {
  return new RepriseError("corrupt", "CODEC_FAILED", `${codec}: the stored bytes do not decompress: ${reason}`, {
    data: { codec, ...data },
    hint: "run verify --read-data, then repair snapshots",
    cause,
  });
}
