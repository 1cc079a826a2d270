// The two files that let a repository be read without us: docs/format/rescue.md. Each ends with a line that carries the
// digest of everything before it.

import { decodeText, encodeText } from "../format/bytes.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { RESCUE_PROGRAM, RESCUE_TEXT } from "./rescueFiles.generated.js";

export interface RescueFiles {
  text: Uint8Array;
  program: Uint8Array;
}

const LAST_LINE = {
  program: /^\/\/ sha256:([0-9a-f]{64})\n$/,
  text: /^<!-- sha256:([0-9a-f]{64}) -->\n$/,
} as const satisfies Record<keyof RescueFiles, RegExp>;

/** Contents of RESCUE.md and rescue.mjs as they are stored. */
export function rescueFiles(): RescueFiles {
  return {
    program: withDigest(RESCUE_PROGRAM, (digest) => `// sha256:${digest}\n`),
    text: withDigest(RESCUE_TEXT, (digest) => `<!-- sha256:${digest} -->\n`),
  };
}

/** True when the last line carries the digest of all bytes before it, in the form of that file. */
export function checkRescueFile(bytes: Uint8Array, which: keyof RescueFiles): boolean {
  const lastLineAt = bytes.subarray(0, -1).lastIndexOf(NEW_LINE) + 1;
  let lastLine: string;
  try {
    lastLine = decodeText(bytes.subarray(lastLineAt), "rescue file");
  } catch {
    return false;
  }
  return LAST_LINE[which].exec(lastLine)?.[1] === bytesToHex(sha256(bytes.subarray(0, lastLineAt)));
}

const NEW_LINE = 10;

function withDigest(text: string, line: (digest: string) => string): Uint8Array {
  const body = encodeText(text.endsWith("\n") ? text : `${text}\n`);
  const last = encodeText(line(bytesToHex(sha256(body))));
  const whole = new Uint8Array(body.length + last.length);
  whole.set(body);
  whole.set(last, body.length);
  return whole;
}
