// The pages of ours: the overview and what it leads to, the previews of prune and gc, the report of a restore test; each in every theme.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, FrameLocator } from "playwright-core";
import { cliJson } from "../../cli/runInProcess.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { axeFindings } from "../support/axe.js";
import { expandTests, passedItem } from "../support/testExplorer.js";
import { makeTestedDemo } from "../support/testedDemo.js";
import { findingsInThemes } from "../support/themes.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

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

/**
 * Runs in the page: a window that loses the focus stores which pages are open, and this resolves when it has. On its way out it does so,
 * too, and the browser does not always wait.
 */
const STORED = `(async () => {
  document.hasFocus = () => false;
  window.dispatchEvent(new Event("blur"));
  const isStored = async ({ name }) => {
    const opened = await new Promise((resolve) => { const request = indexedDB.open(name); request.onsuccess = () => resolve(request.result); });
    const texts = await new Promise((resolve) => {
      const request = opened.transaction("ItemTable").objectStore("ItemTable").getAll();
      request.onsuccess = () => resolve(request.result.map(String));
    });
    opened.close();
    return texts.some((text) => text.includes("reprise.overview") && text.includes("editorpart.state"));
  };
  for (;;) {
    const known = (await indexedDB.databases()).filter(({ name }) => name.startsWith("vscode-web-state-db"));
    if ((await Promise.all(known.map(isStored))).includes(true)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
})()`;

describe("the pages in the editor", () => {
  let workspace: string;
  let browser: Browser;
  let window: Workbench;
  let page: FrameLocator;
  useEditor(
    async (later) => {
      const folder = await makeTemporaryFolder("overview");
      later(folder.remove);
      workspace = join(folder.path, "workspace");
      await mkdir(join(workspace, ".vscode"), { recursive: true });
      const empty = join(folder.path, "empty");
      await cliJson(["init", "--no-encryption"], { env: { REPRISE_REPOSITORY: empty } });
      const demo = await makeTestedDemo(folder.path);
      await writeFile(join(workspace, "reprise.yml"), policy(demo));
      const repositories = [
        { location: demo, name: "Demo" },
        { location: empty, name: "Empty" },
      ];
      return { workspace, machineSettings: { "reprise.repositories": repositories } };
    },
    async (opened) => {
      ({ browser, window } = opened);
      page = window.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
      await window.openContainer("Backups");
      await window.row("Demo").waitFor();
    },
  );
  const inAllThemes = async (name: string, options: { runsScripts?: boolean } = {}) => {
    const settings = join(workspace, ".vscode", "settings.json");
    assert.deepEqual(await findingsInThemes({ window, page, settings }, name, options), []);
  };

  it("shows what is stored, in the editor's colours, with our script alone", async () => {
    await window.command("Reprise: Open Overview of Repository", "Demo");
    await page.getByRole("heading", { name: "Machines by proof" }).waitFor();
    await page.getByRole("heading", { name: "Growth forecast" }).waitFor();
    await page.getByText(/^As of /).waitFor();
    const color = await page.locator("body").evaluate("getComputedStyle(document.body).backgroundColor");
    assert.equal(color, "rgb(31, 31, 31)");
    await window.shot("overview-2-overview");
  });

  it("can be gone through with keys alone, and shows where one is", async () => {
    await page.locator("h1").click();
    const focused = async () => {
      await window.page.keyboard.press("Tab");
      const seen = `[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]`;
      const [name, outline] = (await page.locator("html").evaluate(seen)) as [string, string];
      assert.notEqual(outline, "none", name);
      return name;
    };
    const names: string[] = [];
    for (let i = 0; i < 12; i++) names.push(await focused());
    assert.deepEqual(names, [
      ...["Refresh", "Save as HTML…", "Machine", "Proof", "Proven", "Newest backup", "Snapshots"],
      ...["vm/office", "vm/web", "Show as a table", "Show as a table"],
      names[11] ?? "",
    ]);
    // the table behind the second chart: closed before, and in the order of Tab once it is open
    await window.page.keyboard.press("Shift+Tab");
    await window.page.keyboard.press("Enter");
    assert.match(await focused(), /^Day \(UTC\)Saved/);
    await page.locator(".skip").focus();
    await window.page.keyboard.press("Enter");
    assert.equal(await page.locator("html").evaluate("document.activeElement.id"), "content");
  });

  it("sorts its machines by keyboard, and says how they are sorted", async () => {
    const head = page.getByRole("button", { name: "Machine", exact: true }).first();
    await head.focus();
    await window.page.keyboard.press("Enter");
    const first = async () => (await page.locator("table.sortable tbody tr").first().textContent()) ?? "";
    assert.match(await first(), /^vm\/office/);
    await window.page.keyboard.press("Space");
    assert.match(await first(), /^vm\/web/);
    assert.equal(await page.locator("table.sortable th").first().getAttribute("aria-sort"), "descending");
    assert.equal(await page.locator("table.sortable th[aria-sort]").count(), 1);
  });

  it("reads anew, and leads from a machine to its row", async () => {
    const status = page.getByRole("status").first();
    const before = await status.textContent();
    await window.page.waitForTimeout(1100);
    await page.getByRole("button", { name: "Refresh" }).focus();
    await window.page.keyboard.press("Enter");
    await page
      .getByText(/^As of /)
      .and(page.locator(`:not(:text-is("${before}"))`))
      .waitFor();
    assert.equal(await status.getAttribute("aria-live"), "polite");
    assert.equal(await page.locator("table.sortable th").first().getAttribute("aria-sort"), "descending");
    await page.getByRole("button", { name: "vm/web" }).first().click();
    await window.page.locator(".sidebar .monaco-list-row.selected").filter({ hasText: "web" }).waitFor();
  });

  it("is saved as a page that needs nothing else", async () => {
    await page.getByRole("button", { name: "Save as HTML…" }).click();
    await window.question("Save the overview as");
    await window.page.keyboard.press("Enter");
    await window.page.getByText("The overview was saved as").first().waitFor();
    const name = (await readdir(workspace)).find((each) => /^overview-Demo-[\d-]+\.html$/.test(each));
    const place = join(workspace, name ?? "");
    const text = await readFile(place, "utf8");
    assert.ok(!/<script|<button|https?:|\son[a-z]+=/.test(text));
    const other = await (await browser.newContext()).newPage();
    await other.goto(pathToFileURL(place).href);
    await other.getByRole("heading", { name: "Overview: Demo" }).waitFor();
    assert.equal(
      await other.locator("body").evaluate("getComputedStyle(document.body).backgroundColor"),
      "rgb(255, 255, 255)",
    );
    assert.deepEqual(await axeFindings(other.locator("html")), []);
    await other.close();
  });

  it("comes back when the window is loaded again", async () => {
    await window.page.evaluate(STORED);
    await window.page.reload();
    await window.page.locator(".monaco-workbench").waitFor();
    await page.getByText(/^As of /).waitFor();
    await page.getByText("Snapshots: 42; machines: 2").waitFor();
  });

  it("is the same in every theme, and axe would see what is wrong", async () => {
    await inAllThemes("overview");
    await page
      .locator("html")
      .evaluate('Object.assign(document.querySelector("h1").style, { color: "#777", background: "#888" }); null');
    const found = await axeFindings(page.locator("html"));
    assert.match(found.join(), /color-contrast/);
    assert.equal(found.length, 1);
  });

  it("shows what gc would do", async () => {
    await window.openContainer("Backups");
    await window.row("Demo").waitFor();
    await window.command("Reprise: Preview and Free Space (gc)…", "Demo");
    await page.getByRole("button", { name: "Repack 81 Packs…" }).waitFor();
    await inAllThemes("gc");
    await window.command("View: Close Editor");
  });

  it("shows what prune would do, asks before it does, and the overview knows at once", async () => {
    await window.command("Reprise: Preview and Apply Retention (prune)…", "Demo", "last=10");
    await page.getByText("Snapshots that go: 20; that stay: 22.").waitFor();
    await inAllThemes("prune");
    await page.getByRole("button", { name: "Forget 20 Snapshots…" }).click();
    await window.page.locator(".monaco-dialog-box").getByText("Forget 20 of 42 snapshots of").waitFor();
    await window.page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Forget 20 Snapshots…" }).click();
    await window.page.locator(".monaco-dialog-box").getByText("Forget Them").click();
    await window.page.getByText("20 snapshots were forgotten").first().waitFor();
    // its tab has closed; that of the overview is seen again
    await page.getByText("Snapshots: 22; machines: 2").waitFor();
  });

  it("of a repository without snapshots says what there is not", async () => {
    await window.command("Reprise: Open Overview of Repository", "Empty");
    await page.getByText("There is no snapshot yet.").waitFor();
    assert.deepEqual(await axeFindings(page.locator("html")), []);
    assert.deepEqual(await tabs(), ["Overview: Demo", "Overview: Empty"]);
    await window.command("Reprise: Open Overview of Repository", "Demo");
    await page.getByText("Snapshots: 22; machines: 2").waitFor();
    assert.deepEqual(await tabs(), ["Overview: Demo", "Overview: Empty"]);
    await window.shot("overview-4-two");
  });

  it("shows the report of a restore test", async () => {
    await window.command("View: Close All Editors");
    await window.openContainer("Testing");
    await window.command("Test: Run All Tests");
    await expandTests(window, ["reprise.yml", "web"]);
    await passedItem(window, "vm/web").waitFor();
    await window.command("Reprise: Open Report of Restore Test");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await window.command("View: Hide Panel");
    await inAllThemes("report", { runsScripts: false });
  });

  async function tabs(): Promise<string[]> {
    const texts = await window.page.locator(".editor-group-container .tab .label-name").allTextContents();
    return texts.filter((text) => text.startsWith("Overview")).sort();
  }
});
