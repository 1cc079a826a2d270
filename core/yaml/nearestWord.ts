// "Did you mean …?": the known word that is nearest to what somebody typed.

const MAX_CHARS = 40;

/** Null when nothing is near: more than a third of the letters are different. */
export function nearestWord(typed: string, known: readonly string[]): string | null {
  if (typed.length > MAX_CHARS) return null;
  const wanted = normal(typed);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const word of known) {
    const distance = editDistance(wanted, normal(word));
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
}

/** `diskBus`, `disk_bus` and `disk-bus` are the same to people. */
function normal(word: string): string {
  return word.replace(/[_\s-]/g, "").toLowerCase();
}

/** Insertions, deletions, exchanges and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let twoBack: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + differs);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, twoBack[j - 2]! + 1);
      row.push(cost);
    }
    [twoBack, before] = [before, row];
  }
  return before[b.length]!;
}
