// The whole story in one window, as a person lives it: from an editor that knows no repository to a machine that was proven to come
// back. `npm run story` runs it alone and keeps its pictures in docs/images.

import assert from "node:assert/strict";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { launchBrowser, openWorkbench } from "../support/browser.js";
import { type EditorServer, needsEditor, startEditor } from "../support/editorServer.js";
import { makeOwnMachine } from "../support/ownMachine.js";
import { packExtension } from "../support/packagedExtension.js";
import { DAYS, PHOTOS } from "../support/storyMachines.js";
import { makeStoryRepository, storyPolicy } from "../support/storyRepository.js";
import type { Workbench } from "../support/workbench.js";

const shots = process.env.REPRISE_SCREENSHOTS ?? inProject("build", "screenshots");
const PASSPHRASE = "a walk through the backups";
const BOOT_MS = 300_000;
/** Each step, and what its picture is called. */
const WALKTHROUGH = {
  "Make a demo": "A repository with two machines",
  "Walk through a backup": "From a machine's disk",
  "Find a file": "One file with three versions",
  "See what is proven": "A machine that was started",
  "Use your own": "the key that opens it",
};

describe("the story of a backup in the editor", function () {
  this.timeout(600_000);
  let folder: TemporaryFolder | undefined;
  let server: EditorServer | undefined;
  let browser: Browser | undefined;
  let window: Workbench;
  /** As the editor sees the repository, and where the workspace really is. */
  let location: string;
  let workspace: string;

  before(async function () {
    needsEditor(this);
    folder = await makeTemporaryFolder("story");
    const machine = await makeOwnMachine(folder.path);
    const repository = join(machine.folder, "backup");
    workspace = join(machine.folder, "shop");
    location = machine.inside(repository);
    await mkdir(workspace);
    await writeFile(join(workspace, "reprise.yml"), storyPolicy(location));
    await makeStoryRepository(repository, PASSPHRASE, folder.path);
    const { vsix, output } = await packExtension(folder.path);
    assert.doesNotMatch(output, /WARNING/);
    server = await startEditor({ vsix, machine });
    browser = await launchBrowser();
    window = await openWorkbench(browser, server, { folder: machine.inside(workspace), shots });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await folder?.remove();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed")
      await window?.shot(`failed-story-${this.currentTest.title.replaceAll(/\W+/g, "-")}`);
  });

  const clear = async () => {
    await window.command("View: Close All Editors");
    await window.command("Notifications: Clear All Notifications");
  };
  const newest = () => window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "384 MiB" }).first();
  const test = (label: string) =>
    window.page.locator(".test-explorer .monaco-list-row").filter({ hasText: label }).first();
  const pane = (title: string) => window.page.locator(".sidebar .pane-header").filter({ hasText: title });
  const fold = async (title: string, isOpen: boolean) => {
    if ((await pane(title).getAttribute("aria-expanded")) !== String(isOpen)) await pane(title).click();
  };

  const toTop = async () => {
    await window.page.locator(".sidebar .monaco-list").first().hover();
    await window.page.mouse.wheel(0, -10_000);
  };

  it("welcomes whoever has no repository yet, with pictures in the walkthrough", async () => {
    await window.openContainer("Backups");
    await window.page.getByText("Walk through every backup").waitFor();
    await window.page.locator(".monaco-workbench.vs-dark").waitFor();
    await window.command("Reprise: Open Walkthrough");
    for (const [step, picture] of Object.entries(WALKTHROUGH)) {
      await window.page.locator(".getting-started-step").filter({ hasText: step }).first().click();
      await drawn(window, picture);
      await window.shot(`walkthrough ${step}`);
    }
    await window.page.locator(".getting-started-step").first().click();
    await drawn(window, WALKTHROUGH["Make a demo"]);
    await window.picture("00-walkthrough");
    await clear();
    await window.widenSideBar(420);
  });

  it("adds a repository by its URI and its passphrase", async () => {
    await window.command("Reprise: Add Repository");
    const question = await window.question("Add a repository");
    await question.locator("input.input").fill(`file://${location}`);
    await window.picture("01-add-repository");
    await window.answer("Add a repository", `file://${location}`);
    const secret = await window.question("Passphrase of");
    await secret.locator("input.input").pressSequentially(PASSPHRASE);
    await window.picture("02-passphrase");
    await window.answer("Passphrase of", PASSPHRASE);
    await window.expand("backup");
    await window.row("prod").waitFor();
  });

  it("walks to /etc/hostname on the machine's disk, and opens it", async () => {
    await window.expand("web1");
    await newest().waitFor();
    await window.picture("03-snapshots");
    await fold("Restore Tests", false);
    await newest().click();
    for (const label of ["sda", "p3", "etc"]) await window.expand(label);
    await (await window.reach("hostname")).click();
    await window.activeTab().getByText("hostname").waitFor();
    assert.equal((await window.editorText()).trim(), "web1");
    await window.picture("04-open-file");
  });

  it("lists the versions of the file, and compares two", async () => {
    await window.command("Reprise: Show All Versions of File");
    const rows = window.page.locator(".sidebar .monaco-list-row").filter({ hasText: /version \d/ });
    await rows.nth(2).waitFor();
    assert.equal(await rows.count(), 3);
    await window.picture("05-file-versions");
    await window.command("Reprise: Compare With Previous Version");
    await window
      .activeTab()
      .getByText(/hostname \(.* ↔ .*\)/)
      .waitFor();
    await window.page.locator(".monaco-diff-editor .line-insert, .monaco-diff-editor .line-delete").first().waitFor();
    await window.picture("06-previous-version");
    await clear();
  });

  it("shows what changed between two snapshots, and each change", async () => {
    await toTop();
    await newest().click();
    await window.command("Reprise: Show What Changed Since Previous Snapshot");
    for (const title of ["File Versions", "Repositories"]) await fold(title, false);
    for (const label of ["etc", "nginx"]) await window.expand(label);
    await (await window.reach("nginx.conf")).click();
    await window
      .activeTab()
      .getByText(/nginx\.conf \(.* ↔ .*\)/)
      .waitFor();
    await window.page.locator(".monaco-diff-editor .line-insert").first().waitFor();
    await window.picture("07-what-changed");
    await clear();
  });

  it("restores a folder with progress, and says what came of it", async () => {
    await fold("What Changed", false);
    await fold("Repositories", true);
    await toTop();
    await newest().click();
    for (const label of ["sda", "p3", "srv", "www"]) await window.expand(label);
    await (await window.reach("photos")).click();
    await window.command("Reprise: Restore to Workspace");
    const progress = window.notification(/Restoring photos: .* of /);
    await progress.waitFor();
    await window.shot("08-restore-progress");
    await window.notification(/Restored /).waitFor();
    await progress.waitFor({ state: "detached" });
    await window.picture("09-restored");
    const restored = await readdir(join(workspace, "photos"), { recursive: true });
    const photos = restored.filter((name) => name.endsWith(".jpg"));
    assert.equal(photos.length, PHOTOS + Math.floor(DAYS / 2));
    assert.ok((await stat(join(workspace, "photos", "album-01", "0001.jpg"))).size > 40_000);
    await clear();
  });

  it("proves in the Test Explorer that the machine comes back, check by check", async () => {
    await window.page.keyboard.press("Control+P");
    await window.page.locator(".quick-input-widget:visible input.input").fill("reprise.yml");
    await window.pick("reprise.yml");
    await window.openContainer("Testing");
    for (const label of ["reprise.yml", "web1"]) await expandTest(label);
    await test("vm/web1").click();
    await expandTest("vm/web1");
    await test("vm/web1").hover();
    await test("vm/web1").locator('a[aria-label="Run Test"]').click();
    await test("vm/web1").locator(".codicon-testing-passed-icon").waitFor({ timeout: BOOT_MS });
    for (const check of ["level.chunks", "shop-answers", "hostname", "screen"])
      await test(check).locator(".codicon-testing-passed-icon").waitFor();
    await window.page
      .locator(".codelens-decoration")
      .getByText(/serves, RTO .*, now/)
      .first()
      .waitFor();
    await window.picture("10-restore-test");
  });

  it("opens the report of the test and the machine's screen", async () => {
    await window.command("View: Hide Panel");
    await clear();
    await window.command("Reprise: Open Report of Restore Test");
    await window.webview().getByText("vm/web1").first().waitFor();
    await window.picture("11-report");
    await clear();
    await window.command("Reprise: Open Screenshot of Restore Test");
    const screen = window.webview().locator("img");
    await screen.waitFor();
    assert.ok(((await screen.boundingBox())?.width ?? 0) > 300);
    await window.picture("machine-screen");
    await clear();
  });

  it("shows the whole in the overview, dark and light", async () => {
    await window.openContainer("Backups");
    await pane("Repositories").hover();
    await window.page.locator('.sidebar a[aria-label="Collapse All"]').first().click();
    for (const label of ["backup", "web1"]) await window.expand(label);
    await fold("Restore Tests", true);
    await window.command("Reprise: Open Overview of Repository");
    const page = window.webview();
    await page.getByRole("heading", { name: "Machines by proof" }).waitFor();
    await page.getByText(/^As of /).waitFor();
    await window.picture("12-overview");
    await page.getByRole("heading", { name: "Growth forecast" }).scrollIntoViewIfNeeded();
    await window.picture("13-overview-charts");
    await page.getByRole("heading", { level: 1 }).scrollIntoViewIfNeeded();
    await window.command("Preferences: Toggle between Light/Dark Themes");
    await window.page.locator(".monaco-workbench.vs").waitFor();
    await window.picture("14-overview-light");
    await clear();
    // beside a wide side bar there is no room for pictures
    await window.command("View: Toggle Primary Side Bar Visibility");
    await window.command("Reprise: Open Walkthrough");
    await drawn(window, WALKTHROUGH["Make a demo"]);
    await window.picture("15-walkthrough-light");
  });

  async function expandTest(label: string): Promise<void> {
    await test(label).waitFor();
    if ((await test(label).getAttribute("aria-expanded")) !== "true")
      await test(label).locator(".monaco-tl-twistie").click();
  }
});

/** A picture that is there and has no size is not there. */
async function drawn({ page }: Workbench, title: string): Promise<void> {
  const frame = page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  const picture = frame.locator("svg").filter({ hasText: title });
  await picture.waitFor();
  const { width = 0, height = 0 } = (await picture.boundingBox()) ?? {};
  assert.ok(width > 100 && height > 100, `${title}: ${width} × ${height}`);
}
