// The machine's screen has come to rest and shows something. The picture is kept.

import { setTimeout as sleep } from "node:timers/promises";
import type { CheckFunction, CheckOf, Observation, ScreenPicture } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { isOutOfTime } from "./problems.js";

const MAX_PNG_BYTES = 16 * 1024 * 1024;
const POLL_MS = 1000;
/** More pixels than a text cursor has in the largest font of a console (16 × 32): a blinking cursor is rest. */
const CURSOR_PIXELS = 512;
/** Fewer pixels than this besides the background are a cursor or dirt, and no picture. */
const CONTENT_PIXELS = 160;

export const checkScreenshot: CheckFunction<"screenshot"> = async (check, context, { signal }) => {
  const expected = `the screen shows something and stays the same for ${check.stableMs} ms`;
  const { screenshot } = context;
  if (screenshot === null) return cannotTell(expected, "", "the machine was not started, or has no screen");
  const pollMs = Math.min(POLL_MS, Math.max(50, Math.floor(check.stableMs / 4)));
  let first: ScreenPicture | null = null;
  let last: ScreenPicture | null = null;
  let restSinceMs = context.now();
  while (!signal.aborted) {
    last = await screenshot();
    if (first === null || !isSame(first, last)) {
      first = last;
      restSinceMs = context.now();
    }
    const restedMs = context.now() - restSinceMs;
    if (restedMs >= check.stableMs && !isBlank(last))
      return kept(check, last, holds(expected, `${last.width}×${last.height}, the same for ${restedMs} ms`));
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
  if (!isOutOfTime(signal)) signal.throwIfAborted();
  if (last === null) return cannotTell(expected, "", "no picture of the screen could be taken in time");
  const reason = isBlank(last) ? "the screen is blank" : "the screen did not come to rest";
  return kept(check, last, fails(expected, `${last.width}×${last.height}`, reason));
};

function kept(check: CheckOf<"screenshot">, { png }: ScreenPicture, observation: Observation): Observation {
  if (png.length > MAX_PNG_BYTES) return observation;
  const name = `${fileName(check.id)}.png`;
  return { ...observation, artifacts: [{ name, mediaType: "image/png", bytes: png }] };
}

function fileName(id: string): string {
  return id.replaceAll(/[^\w-]/g, "_").slice(0, 80) || "screenshot";
}

/** Up to a cursor. */
export function isSame(a: ScreenPicture, b: ScreenPicture): boolean {
  if (a.width !== b.width || a.height !== b.height || a.rgb.length !== b.rgb.length) return false;
  let different = 0;
  for (let at = 0; at + 2 < a.rgb.length; at += 3) {
    const same = a.rgb[at] === b.rgb[at] && a.rgb[at + 1] === b.rgb[at + 1] && a.rgb[at + 2] === b.rgb[at + 2];
    if (!same && ++different > CURSOR_PIXELS) return false;
  }
  return true;
}

/** One colour, up to a cursor. */
export function isBlank({ rgb }: ScreenPicture): boolean {
  const counts = new Map<number, number>();
  for (let at = 0; at + 2 < rgb.length; at += 3) {
    const colour = ((rgb[at] as number) << 16) | ((rgb[at + 1] as number) << 8) | (rgb[at + 2] as number);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const background = Math.max(0, ...counts.values());
  return Math.floor(rgb.length / 3) - background < CONTENT_PIXELS;
}
