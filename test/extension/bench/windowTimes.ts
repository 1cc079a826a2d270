// Times in the editor's window, as a person waits for them: from the passphrase to the first rows, and from a click on a folder.

import type { Browser } from "playwright-core";
import { openWorkbench } from "../support/browser.js";
import type { EditorServer } from "../support/editorServer.js";
import type { Workbench } from "../support/workbench.js";

export interface PaintTimes {
  /** From Enter on the passphrase to the first row of a machine, and to all of them with their states. */
  firstMs: number;
  wholeMs: number;
}

const PATIENCE_MS = 300_000;

/** A window of its own; the repository is the only one of the settings, and no passphrase is kept. */
export async function paintTimes(
  browser: Browser,
  server: EditorServer,
  { name, passphrase, shots }: { name: string; passphrase: string; shots?: string },
): Promise<PaintTimes & { window: Workbench }> {
  const window = await openWorkbench(browser, server, shots === undefined ? {} : { shots });
  await window.openContainer("Backups");
  await window.row(name).click();
  await window.row("Enter the passphrase…").click();
  const question = await window.question(/Passphrase of/);
  const input = question.locator("input.input");
  await input.fill(passphrase);
  const rows = window.page.locator(".sidebar .monaco-list-row");
  const startMs = performance.now();
  await input.press("Enter");
  await rows
    .filter({ hasText: /\d snapshots? (so far|·)|1 snapshot/ })
    .first()
    .waitFor({ timeout: PATIENCE_MS });
  const firstMs = performance.now() - startMs;
  await window.shot(`bench-first-${name}`);
  await rows
    .filter({ hasText: /snapshots? ·/ })
    .first()
    .waitFor({ timeout: PATIENCE_MS });
  const wholeMs = performance.now() - startMs;
  await window.shot(`bench-whole-${name}`);
  return { firstMs, wholeMs, window };
}

/** From the click on its row to the first of its entries, in the tree. */
export async function folderTime(window: Workbench, machine: string, folder: string): Promise<number> {
  const level = (depth: number) => window.page.locator(`.sidebar .monaco-list-row[aria-level="${depth}"]`);
  // so that all of it is on screen
  await window.command("Reprise: Filter…");
  await window.answer("Filter machines and snapshots", machine);
  await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "1 snapshot ·" }).first().waitFor();
  await window.expand(machine);
  await level(4).first().click();
  for (const label of ["sda", "p1"]) await window.expand(label);
  const row = await window.reach(folder);
  const startMs = performance.now();
  await row.click();
  await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "message-000000.eml" }).first().waitFor();
  return performance.now() - startMs;
}
