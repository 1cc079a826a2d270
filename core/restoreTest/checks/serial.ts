// What the machine has written to its serial line.

import type { Pattern } from "../../platform/pattern.js";
import type { CheckFunction, Observation, SerialConsole } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { isOutOfTime } from "./problems.js";

/**
 * Signs that a start has gone wrong, whatever else was asked for. Linux: kernel panics, systemd's emergency and rescue modes,
 * the shell of an initramfs (Debian, dracut); boot loaders and firmware that found nothing to start.
 */
export const FORBIDDEN_ON_CONSOLE: readonly RegExp[] = [
  /Kernel panic/,
  /- not syncing/,
  /Unable to mount root/,
  /You are in (emergency|rescue) mode/,
  /Entering emergency mode/,
  /Give root password for maintenance/,
  /\(initramfs\)\s/,
  /dracut:\/#/,
  /ALERT!\s+\S.{0,200}does not exist/,
  /grub rescue>/,
  /error: no such device:/,
  /No bootable device/,
  /No operating system found/,
  /Security Violation/,
  /BdsDxe: No bootable option/,
];

/** The first forbidden text on the console, or null. */
export function forbiddenOnConsole(text: string): string | null {
  for (const pattern of FORBIDDEN_ON_CONSOLE) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return found;
  }
  return null;
}

const SHOWN_TAIL = 600;

export const checkSerial: CheckFunction<"serial"> = async (check, context, { signal }) => {
  const timeoutMs = check.timeoutMs;
  const { matches, forbidden } = check;
  const wanted = matches === null ? "" : `something on the console matches ${matches}`;
  const unwanted = forbidden === null ? "" : `nothing on the console matches ${forbidden}`;
  const expected = [wanted, unwanted].filter((part) => part !== "").join(", ") || "the console can be read";
  const { serial } = context;
  if (serial === null) return cannotTell(expected, "", "the machine was not started, or has no serial line");
  const found = matches === null || (await appears(matches, serial, { signal, timeoutMs }));
  if (!found) return fails(expected, tailOf(serial), `nothing matches ${matches}`);
  const bad = forbidden?.firstMatch(serial.text()) ?? null;
  if (bad !== null) return fails(expected, bad, "forbidden text is on the console");
  return judgeSilence(expected, serial, matches, forbidden);
};

/** Both hold by what can be seen; a machine that has not written anything, or too much, has not shown it. */
function judgeSilence(
  expected: string,
  serial: SerialConsole,
  matches: Pattern | null,
  forbidden: Pattern | null,
): Observation {
  const text = serial.text();
  if (forbidden !== null && serial.droppedBytes > 0)
    return cannotTell(expected, tailOf(serial), `some ${serial.droppedBytes} bytes of the console were not kept`);
  if (matches === null && text === "") return cannotTell(expected, "", "the machine has not written anything");
  return holds(expected, matches?.firstMatch(text) ?? tailOf(serial));
}

interface WaitOptions {
  signal: AbortSignal;
  timeoutMs: number;
}

async function appears(pattern: Pattern, serial: SerialConsole, options: WaitOptions): Promise<boolean> {
  if (pattern.test(serial.text())) return true;
  try {
    await serial.waitFor(pattern, options);
    return true;
  } catch (error) {
    if (options.signal.aborted && !isOutOfTime(options.signal)) throw error;
    return pattern.test(serial.text());
  }
}

function tailOf(serial: SerialConsole): string {
  const text = serial.text();
  return text === "" ? "(nothing)" : text.slice(-SHOWN_TAIL);
}
