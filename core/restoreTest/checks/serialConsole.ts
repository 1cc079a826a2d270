// The serial line of a running machine as checks look at it: plain text, and where its beginning is not kept, that is said.

import { ConsoleLines } from "../../hypervisor/consoleText.js";
import type { SerialLog } from "../../hypervisor/serialLog.js";
import type { SerialConsole } from "./check.js";

/** As long as a timer can be set to: the signal ends it. */
const UNLIMITED_MS = 2 ** 31 - 1;

export function serialConsoleOf(log: Pick<SerialLog, "byteCount" | "contents" | "waitFor">): SerialConsole {
  let known = { byteCount: -1, text: "" };
  const look = () => {
    if (known.byteCount !== log.byteCount) known = { byteCount: log.byteCount, text: plainText(log.contents()) };
    return known.text;
  };
  return {
    text: look,
    // The line that says so counts as kept: right to some bytes, and never 0 when much is missing.
    get droppedBytes() {
      return Math.max(0, log.byteCount - log.contents().length);
    },
    waitFor: (pattern, { signal, timeoutMs = UNLIMITED_MS }) => log.waitFor(pattern, { signal, timeoutMs }),
  };
}

/** Its lines without terminal escapes, the unfinished last one included. */
function plainText(bytes: Uint8Array): string {
  const lines: string[] = [];
  const reader = new ConsoleLines((line) => lines.push(line));
  reader.feed(bytes);
  return [...lines, reader.unfinished].join("\n");
}
