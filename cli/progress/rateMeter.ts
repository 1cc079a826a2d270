/** Samples older than this say nothing about now. */
const WINDOW_MS = 5000;
const MIN_SPAN_MS = 500;

/** Speed over the last seconds. */
export class RateMeter {
  readonly #samples: { at: number; done: number }[] = [];

  add(at: number, done: number): void {
    const samples = this.#samples;
    const last = samples.at(-1);
    // one sample every 50 ms is enough; the newest one always counts
    if (samples.length > 1 && last && at - (samples.at(-2) as { at: number }).at < 50) samples.pop();
    samples.push({ at, done });
    while (samples.length > 2 && at - (samples[1] as { at: number }).at >= WINDOW_MS) samples.shift();
  }

  /** Undefined until there is something to compare. */
  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < MIN_SPAN_MS) return undefined;
    return ((last.done - first.done) / (last.at - first.at)) * 1000;
  }
}
