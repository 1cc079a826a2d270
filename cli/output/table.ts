import { type Line, type Span, spansOf, styled, widthOf } from "./text.js";

export interface Column {
  title: string;
  align?: "right";
}

/** A title line and a line for each row; columns are two blanks apart. Every row has a cell for every column. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly Line[])[]): Line[] {
  const titles = columns.map(({ title }) => styled("dim", title));
  const all: readonly (readonly Line[])[] = [titles, ...rows];
  const widths = columns.map((_, column) => Math.max(...all.map((row) => cellWidth(row[column] ?? ""))));
  return all.map((row) => {
    const filled = row.findLastIndex((cell) => cellWidth(cell) > 0) + 1;
    return row
      .slice(0, filled)
      .flatMap((cell, column) => paddedCell(cell, columns[column], widths[column] ?? 0, column + 1 < filled));
  });
}

/** `label: value` lines with the values in one column. */
export function factLines(facts: readonly (readonly [label: string, value: Line])[]): Line[] {
  const width = Math.max(0, ...facts.map(([label]) => label.length));
  return facts.map(([label, value]) => [styled("dim", label.padEnd(width)), "  ", ...spansOf(value)]);
}

function cellWidth(cell: Line): number {
  return spansOf(cell).reduce((sum, span) => sum + widthOf(span), 0);
}

function paddedCell(cell: Line, column: Column | undefined, width: number, isFollowed: boolean): Span[] {
  const padding = " ".repeat(width - cellWidth(cell));
  const spans = spansOf(cell);
  if (column?.align === "right") return [padding, ...spans, isFollowed ? "  " : ""];
  return isFollowed ? [...spans, padding, "  "] : [...spans];
}
