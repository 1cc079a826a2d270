import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Browser, FrameLocator } from "playwright-core";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { launchBrowser, openWorkbench } from "../support/browser.js";
import { type EditorServer, needsEditor, startEditor } from "../support/editorServer.js";
import { packExtension } from "../support/packagedExtension.js";
import type { Workbench } from "../support/workbench.js";

const shots = process.env.REPRISE_SCREENSHOTS ?? inProject("build", "screenshots");

/** What a reader of the page without eyes or mouse would stumble over; runs in the page. */
const STUMBLES = readFileSync(inProject("test", "extension", "support", "pageStumbles.js"), "utf8");

describe("the overview in the editor", () => {
  let folder: TemporaryFolder | undefined;
  let server: EditorServer | undefined;
  let browser: Browser | undefined;
  let window: Workbench;
  let page: FrameLocator;

  before(async function () {
    needsEditor(this);
    folder = await makeTemporaryFolder("overview");
    const { vsix } = await packExtension(folder.path);
    server = await startEditor({ vsix });
    browser = await launchBrowser();
    window = await openWorkbench(browser, server, { folder: folder.path, shots });
    page = window.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await folder?.remove();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") await window?.shot(`failed-overview-${this.currentTest.title.length}`);
  });

  it("begins with the walkthrough and its demo repository", async () => {
    // the editor knows our commands once it shows our container
    await window.openContainer("Backups");
    await window.command("Reprise: Open Walkthrough");
    await window.page.getByText("Make a demo repository").first().waitFor();
    await window.shot("overview-1-walkthrough");
    await window.command("Reprise: Make Demo Repository");
    await window.row("Demo").waitFor();
    await window.page.getByText("has 42 snapshots of two machines").first().waitFor();
  });

  it("shows what is stored, in the editor's colours, with our script alone", async () => {
    await window.command("Reprise: Open Overview of Repository");
    await page.getByRole("heading", { name: "Machines by proof" }).waitFor();
    await page.getByRole("heading", { name: "Growth forecast" }).waitFor();
    await page.getByText(/^As of /).waitFor();
    const color = await page.locator("body").evaluate("getComputedStyle(document.body).backgroundColor");
    assert.equal(color, "rgb(31, 31, 31)");
    await window.shot("overview-2-overview");
  });

  it("has names, headings, landmarks and keys for everybody", async () => {
    assert.deepEqual(await page.locator("html").evaluate(STUMBLES), []);
    const head = page.getByRole("button", { name: "Machine", exact: true }).first();
    await head.focus();
    await window.page.keyboard.press("Enter");
    const first = async () => (await page.locator("table.sortable tbody tr").first().textContent()) ?? "";
    assert.match(await first(), /^vm\/office/);
    await window.page.keyboard.press("Enter");
    assert.match(await first(), /^vm\/web/);
    assert.equal(await page.locator("table.sortable th").first().getAttribute("aria-sort"), "descending");
  });

  it("reads anew, and leads from a machine to its row", async () => {
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByText(/^As of /).waitFor();
    await page.getByRole("button", { name: "vm/web" }).first().click();
    await window.page.locator(".sidebar .monaco-list-row.selected").filter({ hasText: "web" }).waitFor();
  });

  it("shows what prune would do, and asks before it does", async () => {
    await window.command("View: Close All Editors");
    await window.command("Reprise: Preview and Apply Retention (prune)…");
    await window.pick("last=10");
    await page.getByText("20 snapshots go, 22 stay.").waitFor();
    await window.shot("overview-3-prune");
    await page.getByRole("button", { name: "Forget 20 Snapshots…" }).click();
    await window.page.locator(".monaco-dialog-box").getByText("Forget 20 of 42 snapshots?").waitFor();
    await window.page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Forget 20 Snapshots…" }).click();
    await window.page.locator(".monaco-dialog-box").getByText("Forget Them").click();
    await window.page.getByText("20 snapshots were forgotten").first().waitFor();
  });
});
