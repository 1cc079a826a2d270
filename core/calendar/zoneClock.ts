// The clock on the wall of a time zone, as seconds that may jump: forward over a gap, back over a repeated hour. Offsets change at most
// once within a day and a half.

import { type TimeZone, utcInstant } from "./localTime.js";

/** No clock was ever put on or back by more than a day. */
export const WINDOW_S = 26 * 3600;

export class ZoneClock {
  readonly #zone: TimeZone;

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** What the clock shows at an instant; both in seconds. */
  wallAt(atS: number): number {
    return utcInstant(this.#zone.localTime(atS * 1000)) / 1000;
  }

  offsetAt(atS: number): number {
    return this.wallAt(atS) - atS;
  }

  /** The latest time that the clock has shown so far: within the second pass of a repeated hour, the end of the first. */
  highestShown(atS: number): number {
    const change = this.lastChange(atS);
    return change === null ? this.wallAt(atS) : Math.max(this.wallAt(atS), this.wallAt(change - 1));
  }

  /** The first instant at which the clock shows this time or a later one: of two passes the first, of a gap its end. */
  firstShown(wallS: number): number {
    const candidates = [this.offsetAt(wallS - WINDOW_S), this.offsetAt(wallS + WINDOW_S)].map(
      (offset) => wallS - offset,
    );
    const [early, late] = [Math.min(...candidates), Math.max(...candidates)];
    if (this.wallAt(early) === wallS) return early;
    if (this.wallAt(late) === wallS) return late;
    return firstWhere(early, late, (atS) => this.wallAt(atS) >= wallS);
  }

  /** The first instant with another offset, within the window up to and including an instant; null: there is none. */
  lastChange(atS: number): number | null {
    return this.#changeWithin(atS - WINDOW_S, atS);
  }

  /** The same after an instant. */
  nextChange(atS: number): number | null {
    return this.#changeWithin(atS, atS + WINDOW_S);
  }

  #changeWithin(fromS: number, toS: number): number | null {
    const before = this.offsetAt(fromS);
    if (this.offsetAt(toS) === before) return null;
    return firstWhere(fromS, toS, (atS) => this.offsetAt(atS) !== before);
  }
}

/** The first whole number in (low, high] for which a condition holds that stays true once it is, and does at high. */
function firstWhere(low: number, high: number, holds: (value: number) => boolean): number {
  let [no, yes] = [low, high];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
