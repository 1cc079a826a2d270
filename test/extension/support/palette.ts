// What the palette offers of ours, all of it: its list is drawn row by row, and only what is on screen exists.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Locator } from "playwright-core";
import { inProject } from "../../support/projectRoot.js";
import { DECISIONS } from "./commandDecisions.js";
import { plain, type Workbench } from "./workbench.js";

const CATEGORY = "Reprise: ";
/** The editor learns of commands, and of what they depend on, a while after its window is there. */
const KNOWN_MS = 60_000;
const POLL_MS = 300;
const READ_MS = 30_000;
const PAGE_PIXELS = 110;
const TO_TOP_PIXELS = -100_000;
/** Runs in the page. */
const DRAWN = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))";

/** By their names in the manifest, as the palette shows them. */
export async function commandTitles(): Promise<Record<string, string>> {
  const words = JSON.parse(await readFile(inProject("package.nls.json"), "utf8")) as Record<string, string>;
  return Object.fromEntries(Object.keys(DECISIONS).map((name) => [name, `${CATEGORY}${words[`command.${name}`]}`]));
}

/** These and no other ones, in one and the same list: what is missing from it is missing beside all the others. */
export async function requireOffered(window: Workbench, titles: readonly string[]): Promise<void> {
  const expected = [...titles].sort();
  let found = await offered(window);
  for (
    const endMs = Date.now() + KNOWN_MS;
    found.join() !== expected.join() && Date.now() < endMs;
    await sleep(POLL_MS)
  )
    found = await offered(window);
  assert.deepEqual(found, expected);
}

async function offered(window: Workbench): Promise<string[]> {
  const titles = await window.askPalette(`>${CATEGORY}`, () => readList(window));
  await window.page.keyboard.press("Escape");
  await window.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  return titles.filter((title) => title.startsWith(CATEGORY)).sort();
}

/** From the first to the last row. */
async function readList({ page }: Workbench): Promise<string[]> {
  const list = page.locator(".quick-input-list .monaco-list:visible");
  await list.locator(".monaco-list-row").first().hover({ timeout: READ_MS });
  const titles = new Map<number, string>();
  let before = "";
  for (const endMs = Date.now() + READ_MS; Date.now() < endMs; await page.mouse.wheel(0, PAGE_PIXELS)) {
    await page.evaluate(DRAWN);
    const rows = await drawnRows(list);
    if (rows.length === 0) throw new Error("something has closed the palette");
    for (const { index, title } of rows) titles.set(index, title);
    const drawn = JSON.stringify(rows);
    if (drawn !== before) {
      before = drawn;
      continue;
    }
    // nothing moves any more; rows that were passed before they were drawn are looked at once more
    if (titles.size === Math.max(...titles.keys()) + 1) return [...titles.values()];
    await page.mouse.wheel(0, TO_TOP_PIXELS);
  }
  throw new Error(`the palette's list was not read to its end: ${titles.size} rows`);
}

interface DrawnRow {
  dataset: { index: string };
  querySelector(selector: string): { textContent: string } | null;
}

async function drawnRows(list: Locator): Promise<{ index: number; title: string }[]> {
  const rows = await list.locator(".monaco-list-row").evaluateAll((elements) =>
    (elements as unknown as DrawnRow[]).map((element) => ({
      index: Number(element.dataset.index),
      title: element.querySelector(".label-name")?.textContent ?? "",
    })),
  );
  return rows.map((row) => ({ ...row, title: plain(row.title) }));
}
