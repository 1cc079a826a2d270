// Which bytes of one read have arrived. A structured read may come in pieces and in any order; it is complete only when
// the pieces cover the request exactly, else the caller would take stale memory for data.

/** Servers send pieces in order or nearly so; more gaps than this at once is an attack, not an optimisation. */
const maxRanges = 1024;

export class Coverage {
  /** Ascending, not touching. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** False when the range overlaps an earlier one or the pieces are too scattered to be honest. */
  add(start: number, end: number): boolean {
    const starts = this.#starts;
    const ends = this.#ends;
    let at = starts.length;
    while (at > 0 && starts[at - 1]! >= end) at--;
    // Everything from `at` on lies behind the new range; the one before must end in front of it.
    if (at > 0 && ends[at - 1]! > start) return false;
    const touchesPrevious = at > 0 && ends[at - 1] === start;
    const touchesNext = at < starts.length && starts[at] === end;
    if (touchesPrevious && touchesNext) {
      ends[at - 1] = ends[at]!;
      starts.splice(at, 1);
      ends.splice(at, 1);
    } else if (touchesPrevious) {
      ends[at - 1] = end;
    } else if (touchesNext) {
      starts[at] = start;
    } else {
      if (starts.length >= maxRanges) return false;
      starts.splice(at, 0, start);
      ends.splice(at, 0, end);
    }
    return true;
  }

  covers(start: number, end: number): boolean {
    return this.#starts.length === 1 && this.#starts[0] === start && this.#ends[0] === end;
  }
}
