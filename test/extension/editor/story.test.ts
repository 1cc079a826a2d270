// The whole story in one window, as a person lives it: from an editor that knows no repository to a machine that was proven to come
// back. `npm run story` runs it alone and keeps its pictures in docs/images.

import assert from "node:assert/strict";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { makeOwnMachine } from "../support/ownMachine.js";
import { DAYS, PHOTOS } from "../support/storyMachines.js";
import { makeStoryRepository, storyPolicy } from "../support/storyRepository.js";
import { expandTests, passedItem, testItem } from "../support/testExplorer.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

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
  let window: Workbench;
  /** As the editor sees the repository, and where the workspace really is. */
  let location: string;
  let workspace: string;

  useEditor(
    async (later) => {
      const folder = await makeTemporaryFolder("story");
      later(folder.remove);
      const machine = await makeOwnMachine(folder.path);
      const repository = join(machine.folder, "backup");
      workspace = join(machine.folder, "shop");
      location = machine.inside(repository);
      await mkdir(workspace);
      await writeFile(join(workspace, "reprise.yml"), storyPolicy(location));
      await makeStoryRepository(repository, PASSPHRASE, folder.path);
      return { workspace: machine.inside(workspace), machine };
    },
    (opened) => {
      window = opened.window;
    },
  );

  const clear = async () => {
    await window.command("View: Close All Editors");
    await window.command("Notifications: Clear All Notifications");
  };
  const newest = () => window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "384 MiB" }).first();

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
    await widenSideBar(window, 420);
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
    await window.fold("Restore Tests", false);
    await window.expand(newest());
    for (const label of ["sda", "p3", "etc"]) await window.expand(label);
    await (await window.reach("hostname")).click();
    await window.activeTab().getByText("hostname").waitFor();
    await window.untilEditorText(/^web1\s*$/);
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
    await window.toTop();
    await window.select(newest());
    await window.command("Reprise: Show What Changed Since Previous Snapshot");
    for (const title of ["File Versions", "Repositories"]) await window.fold(title, false);
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
    await window.fold("What Changed", false);
    await window.fold("Repositories", true);
    await window.toTop();
    await window.expand(newest());
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
    await expandTests(window, ["reprise.yml", "web1"]);
    const machine = testItem(window, "vm/web1");
    await machine.click();
    await expandTests(window, ["vm/web1"]);
    await machine.hover();
    await machine.locator('a[aria-label="Run Test"]').click();
    await passedItem(window, "vm/web1").waitFor({ timeout: BOOT_MS });
    for (const check of ["level.chunks", "shop-answers", "hostname", "screen"])
      await passedItem(window, check).waitFor();
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
    await window.pane("Repositories").hover();
    await window.page.locator('.sidebar a[aria-label="Collapse All"]').first().click();
    for (const label of ["backup", "web1"]) await window.expand(label);
    await window.fold("Restore Tests", true);
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
});

/** Pulls its right edge. */
async function widenSideBar({ page }: Workbench, width: number): Promise<void> {
  const box = await page.locator(".part.sidebar").boundingBox();
  assert.ok(box !== null);
  const [edge, y] = [box.x + box.width, box.y + box.height / 3];
  await page.mouse.move(edge, y);
  await page.mouse.down();
  await page.mouse.move(box.x + width, y, { steps: 4 });
  await page.mouse.up();
}

/** A picture that is there and has no size is not there. */
async function drawn({ page }: Workbench, title: string): Promise<void> {
  const frame = page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  const picture = frame.locator("svg").filter({ hasText: title });
  await picture.waitFor();
  const { width = 0, height = 0 } = (await picture.boundingBox()) ?? {};
  assert.ok(width > 100 && height > 100, `${title}: ${width} × ${height}`);
}
