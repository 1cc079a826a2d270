// Rows of the Test Explorer, by how they begin: what follows the label says what came of it.

import type { Locator } from "playwright-core";
import type { Workbench } from "./workbench.js";

export function testItem({ page }: Workbench, label: string): Locator {
  const begins = new RegExp(`^\\s*${label.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")}`);
  return page.locator(".test-explorer .monaco-list-row").filter({ hasText: begins }).first();
}

/** As soon as it has passed, and not only one of its checks. */
export function passedItem(window: Workbench, label: string): Locator {
  return testItem(window, label).locator(".codicon-testing-passed-icon");
}

/** From the outermost one on. */
export async function expandTests(window: Workbench, labels: readonly string[]): Promise<void> {
  for (const label of labels) {
    const item = testItem(window, label);
    await item.waitFor();
    if ((await item.getAttribute("aria-expanded")) !== "true") await item.locator(".monaco-tl-twistie").click();
    await item.and(window.page.locator('[aria-expanded="true"]')).waitFor();
  }
}
