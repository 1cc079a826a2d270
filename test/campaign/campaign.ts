// What every campaign has in common: its options, seeded chance, a folder of its own, and a table at the end.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CampaignOptions {
  count: number;
  seed: number;
  /** Where everything is kept. */
  folder: string;
  /** Of `filesystems` and `restoreTests`: only this one. */
  reader?: string;
  /** Of `eight`: how long. */
  minutes?: number;
}

export interface Campaign {
  summary: string;
  defaultCount: number;
  /** Answers what went against a promise; empty: the campaign has passed. */
  run(options: CampaignOptions): Promise<string[]>;
}

/** Chance from a seed (mulberry32): the same in every run. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, 0 ≤ n < limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** `inside`: where instead of the system's folder for temporary files. */
export async function withFolder<T>(keep: boolean, use: (folder: string) => Promise<T>, inside = tmpdir()): Promise<T> {
  const folder = await mkdtemp(join(inside, "reprise-campaign-"));
  try {
    return await use(folder);
  } finally {
    if (keep) console.log(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** Columns of text, the first to the left, the others to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join("  ");
  console.log();
  for (const [i, row] of all.entries()) {
    console.log(line(row));
    if (i === 0) console.log(widths.map((width) => "-".repeat(width)).join("  "));
  }
  console.log();
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
