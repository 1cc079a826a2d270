// How fast something goes and how long it will take, from reports of how far it is.

import { sizeText, type Translate } from "./words.js";

export interface ProgressReading {
  doneBytes: number;
  totalBytes: number | undefined;
  /** Over the last seconds; undefined until it can be told. */
  bytesPerSecond: number | undefined;
  remainingSeconds: number | undefined;
  /** Of the way, since the last reading; 0 to 100. */
  incrementPercent: number;
}

const WINDOW_MS = 10_000;
/** Before this a rate is a guess. */
const MIN_MS = 1000;

export class ProgressMeter {
  readonly #samples: { atMs: number; done: number }[] = [];
  #percent = 0;

  read({ done, total }: { done: number; total?: number | undefined }, nowMs: number): ProgressReading {
    const samples = this.#samples;
    // what was done before (a resumed restore, another phase) says nothing about the rate
    if (samples.length > 0 && done < (samples.at(-1)?.done ?? 0)) samples.length = 0;
    samples.push({ atMs: nowMs, done });
    while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? nowMs) >= WINDOW_MS) samples.shift();
    const [first] = samples as [{ atMs: number; done: number }];
    const elapsedMs = nowMs - first.atMs;
    const bytesPerSecond = elapsedMs < MIN_MS ? undefined : ((done - first.done) / elapsedMs) * 1000;
    const percent = total === undefined || total <= 0 ? this.#percent : Math.min(100, (done / total) * 100);
    const incrementPercent = Math.max(0, percent - this.#percent);
    this.#percent = Math.max(this.#percent, percent);
    const isMoving = bytesPerSecond !== undefined && bytesPerSecond > 0;
    const remainingSeconds = isMoving && total !== undefined ? Math.max(0, total - done) / bytesPerSecond : undefined;
    return { doneBytes: done, totalBytes: total, bytesPerSecond, remainingSeconds, incrementPercent };
  }
}

/** `1.2 GiB of 4 GiB · 85 MiB/s · 34 s left`; what is not known yet is left out. */
export function progressText(reading: ProgressReading, locale: string, t: Translate): string {
  const { doneBytes, totalBytes, bytesPerSecond, remainingSeconds } = reading;
  const done = sizeText(doneBytes, locale);
  const parts = [totalBytes === undefined ? done : t("{0} of {1}", done, sizeText(totalBytes, locale))];
  if (bytesPerSecond !== undefined) parts.push(t("{0}/s", sizeText(bytesPerSecond, locale)));
  if (remainingSeconds !== undefined) parts.push(t("{0} left", durationText(remainingSeconds, t)));
  return parts.join(" · ");
}

/** `8 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(seconds: number, t: Translate): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return t("{0} s", whole);
  if (whole < 3600) return t("{0} min {1} s", Math.floor(whole / 60), whole % 60);
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return t("{0} h {1} min", Math.floor(minutes / 60), minutes % 60);
  const hours = Math.round(minutes / 60);
  return t("{0} d {1} h", Math.floor(hours / 24), hours % 24);
}
