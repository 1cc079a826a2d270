// Every page of ours in the four themes of the editor: axe finds nothing, and pictures to look at are in build/screenshots.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FrameLocator } from "playwright-core";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { axeFindings } from "../support/axe.js";
import { makeTestedDemo } from "../support/testedDemo.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

const THEMES = [
  ["dark", "Default Dark Modern", "vscode-dark"],
  ["light", "Default Light Modern", "vscode-light"],
  ["contrast-dark", "Default High Contrast", "vscode-high-contrast"],
  ["contrast-light", "Default High Contrast Light", "vscode-high-contrast-light"],
] as const;

const policy = (location: string) => `repositories:
  main: {location: ${location}}
machines:
  vm/web:
    owner: team-web
restore-tests:
  - name: web
    machine: vm/web
    level: readable
    checks:
      - {id: hostname, type: file, path: /etc/hostname, matches: web}
      - {id: certificate, type: file, path: /etc/ssl/web.pem, severity: warn}
`;

describe("the pages in every theme", () => {
  let window: Workbench;
  let page: FrameLocator;
  /** Of the workspace; the window follows it. */
  let settings: string;
  useEditor(
    async (later) => {
      const folder = await makeTemporaryFolder("pages");
      later(folder.remove);
      const location = await makeTestedDemo(folder.path);
      const workspace = join(folder.path, "workspace");
      await mkdir(join(workspace, ".vscode"), { recursive: true });
      settings = join(workspace, ".vscode", "settings.json");
      await writeFile(join(workspace, "reprise.yml"), policy(location));
      const machineSettings = { "reprise.repositories": [{ location, name: "Demo" }] };
      return { scratch: folder.path, workspace, machineSettings };
    },
    async (opened) => {
      window = opened.window;
      page = window.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
      await window.openContainer("Backups");
      await window.row("Demo").waitFor();
    },
  );

  async function inAllThemes(name: string, options: { runsScripts?: boolean } = {}): Promise<void> {
    const found: string[] = [];
    for (const [theme, title, className] of THEMES) {
      await writeFile(settings, JSON.stringify({ "workbench.colorTheme": title }));
      await page.locator(`body.${className}`).waitFor();
      await window.shot(`page-${name}-${theme}`);
      const lines = await axeFindings(page.locator("html"), options);
      found.push(...lines.map((line) => `${theme}: ${line}`));
    }
    assert.deepEqual(found, []);
  }

  it("the overview", async () => {
    await window.command("Reprise: Open Overview of Repository");
    await page.getByText(/^As of /).waitFor();
    await inAllThemes("overview");
  });

  it("axe sees what is wrong", async () => {
    await page
      .locator("main")
      .evaluate(
        'document.querySelector("h1").style.color = "#777"; document.querySelector("h1").style.background = "#888"',
      );
    const found = await axeFindings(page.locator("html"));
    assert.match(found.join(), /color-contrast/);
    assert.equal(found.length, 1);
  });

  it("the preview of prune", async () => {
    await window.command("View: Close All Editors");
    await window.command("Reprise: Preview and Apply Retention (prune)…");
    await window.pick("last=10");
    await page.getByText("Snapshots that go: 20; that stay: 22.").waitFor();
    await inAllThemes("prune");
  });

  it("the preview of gc", async () => {
    await window.command("View: Close All Editors");
    await window.command("Reprise: Preview and Free Space (gc)…");
    await page.getByRole("button", { name: "Repack 81 Packs…" }).waitFor();
    await inAllThemes("gc");
  });

  it("the report of a restore test", async () => {
    await window.command("View: Close All Editors");
    await window.openContainer("Testing");
    await window.command("Test: Run All Tests");
    await window.page.locator(".test-explorer .codicon-testing-passed-icon").first().waitFor();
    await window.command("Reprise: Open Report of Restore Test");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await window.command("View: Hide Panel");
    await inAllThemes("report", { runsScripts: false });
  });
});
