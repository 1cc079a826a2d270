// A row of numbers as a row of blocks: a chart for places that know only text.

const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** The newest `max` numbers, the largest as a full block, zero as the lowest; "" of fewer than two. */
export function sparkline(values: readonly number[], max = 12): string {
  const drawn = values.slice(-max).map((value) => Math.max(0, value));
  if (drawn.length < 2) return "";
  const top = Math.max(1, ...drawn);
  return drawn.map((value) => BLOCKS[Math.round((value / top) * (BLOCKS.length - 1))]).join("");
}
