// A page of ours in the four themes of the editor: what axe finds in each, and a picture to look at in build/screenshots.

import { writeFile } from "node:fs/promises";
import type { FrameLocator } from "playwright-core";
import { axeFindings } from "./axe.js";
import type { Workbench } from "./workbench.js";

const THEMES = [
  ["dark", "Default Dark Modern", "vscode-dark"],
  ["light", "Default Light Modern", "vscode-light"],
  ["contrast-dark", "Default High Contrast", "vscode-high-contrast"],
  ["contrast-light", "Default High Contrast Light", "vscode-high-contrast-light"],
] as const;

/** `settings`: of the workspace; the window follows it, and has its first theme in the end. */
export async function findingsInThemes(
  { window, page, settings }: { window: Workbench; page: FrameLocator; settings: string },
  name: string,
  options: { runsScripts?: boolean } = {},
): Promise<string[]> {
  const found: string[] = [];
  for (const [theme, title, className] of THEMES) {
    await writeFile(settings, JSON.stringify({ "workbench.colorTheme": title }));
    await page.locator(`body.${className}`).waitFor();
    await window.shot(`page-${name}-${theme}`);
    const lines = await axeFindings(page.locator("html"), options);
    found.push(...lines.map((line) => `${theme}: ${line}`));
  }
  await writeFile(settings, "{}");
  await page.locator(`body.${THEMES[0][2]}`).waitFor();
  return found;
}
