// When the background service has died: work that starts by itself waits after two deaths within a minute, or what kills the
// service would be asked again without end. What somebody asks for is tried at once.

const WINDOW_MS = 60_000;
/** What a death leads to is told within this. */
const TELLING_MS = 1000;
const REST_MS = 10 * 60_000;

export class ServiceStops {
  #lastMs = Number.NEGATIVE_INFINITY;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  note(nowMs: number): void {
    if (nowMs - this.#lastMs <= WINDOW_MS) this.#restUntilMs = nowMs + REST_MS;
    this.#lastMs = nowMs;
  }

  /** It has died just now, once more: nobody is told to ask again. */
  isEndless(nowMs: number): boolean {
    return this.isResting(nowMs) && nowMs - this.#lastMs < TELLING_MS;
  }

  isResting(nowMs: number): boolean {
    return nowMs < this.#restUntilMs;
  }
}
