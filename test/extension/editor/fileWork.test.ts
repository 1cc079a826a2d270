// What a person does with the files of a backup, in one window: versions, comparisons, restores, searches, and dragging a file out.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("versions, comparisons, restores and searches in the editor", () => {
  let window: Workbench;
  let folder: string;
  useEditor(
    async (later) => {
      const sample = await makeSampleRepository();
      later(sample.remove);
      folder = join(sample.folder, "workspace");
      await mkdir(join(folder, "config", "nginx"), { recursive: true });
      await writeFile(join(folder, "config", "nginx", "nginx.conf"), "mine\n");
      const env = { REPRISE_REPOSITORY: sample.location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE };
      const machineSettings = {
        "reprise.repositories": [{ location: sample.location, name: "Sample" }],
        "reprise.machines": [{ machine: "prod:vm/web1", folder: "config", path: "/etc" }],
        "files.simpleDialog.enable": true,
      };
      return { workspace: folder, env, settings: machineSettings, machineSettings };
    },
    (opened) => {
      window = opened.window;
    },
  );

  /** Of those on screen. */
  const newest = () => window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first();
  const closeNotifications = () => window.command("Notifications: Clear All Notifications");

  /** In the newest snapshot. */
  const walkToFile = async () => {
    await window.openContainer("Backups");
    for (const label of ["Sample", "prod", "web1"]) await window.expand(label);
    await window.expand(newest());
    for (const label of ["sda", "p2", "etc", "nginx"]) await window.expand(label);
    await (await window.reach("nginx.conf")).click();
    await window.activeTab().getByText("nginx.conf").waitFor();
  };

  it("lists the versions of the file that is selected", async () => {
    await walkToFile();
    await window.command("Reprise: Show All Versions of File");
    const rows = window.page.locator(".sidebar .monaco-list-row").filter({ hasText: /version \d/ });
    await rows.nth(1).waitFor();
    const texts = await rows.allTextContents();
    assert.equal(texts.length, 2, texts.join("\n"));
    assert.match(texts[0] ?? "", /current.*version 2.*1 snapshot/);
    assert.match(texts[1] ?? "", /version 1.*2 snapshots/);
    await window.shot("7-versions");
  });

  it("compares with the previous version, from the palette", async () => {
    await window.command("Reprise: Compare With Previous Version");
    await window
      .activeTab()
      .getByText(/nginx\.conf \(.* ↔ .*\)/)
      .waitFor();
    await window.page.locator(".monaco-diff-editor .line-insert, .monaco-diff-editor .line-delete").first().waitFor();
    await window.shot("8-previous-version");
  });

  it("opens a file that is dropped on the editors, read-only", async () => {
    await window.command("View: Close All Editors");
    await drag(window, await window.reach("hostname"), window.page.locator(".part.editor"));
    await window.activeTab().getByText("hostname").waitFor();
    await window.untilEditorText(/^web1\s*$/);
    await window.shot("drag-editor");
  });

  it("shows what changed since the previous snapshot, and opens a change", async () => {
    await window.toTop();
    await window.select(newest());
    await window.command("Reprise: Show What Changed Since Previous Snapshot");
    await window.row("added.conf").waitFor();
    await window.page
      .getByText(/added, .*removed/)
      .first()
      .waitFor();
    await window.shot("9-what-changed");
    await window.row("added.conf").click();
    await window
      .activeTab()
      .getByText(/added\.conf \(– ↔ /)
      .waitFor();
    await window.shot("9-added-file");
  });

  it("restores a file to the workspace, asks before it is replaced, and keeps it", async () => {
    await window.command("View: Close All Editors");
    await window.command("Reprise: Go to Path in Snapshot");
    await window.answer("Go to a path of", "/etc/nginx/nginx.conf");
    await window.activeTab().getByText("nginx.conf").waitFor();
    await window.command("Reprise: Restore to Workspace");
    await window.notification(/Restored .*: 1 file/).waitFor();
    await window.shot("10-restored");
    const restored = join(folder, "nginx.conf");
    assert.match(await readFile(restored, "utf8"), /^worker_processes 4/);
    await writeFile(restored, "mine\n");
    await closeNotifications();
    await window.command("Reprise: Restore to Workspace");
    const dialog = window.page.locator(".monaco-dialog-box");
    await dialog.getByText("What shall happen with it?").waitFor();
    await window.shot("11-conflict");
    await dialog.getByRole("button", { name: "Keep Existing" }).click();
    await window.notification(/were there already/).waitFor();
    assert.equal(await readFile(restored, "utf8"), "mine\n");
    await closeNotifications();
    await window.command("Reprise: Restore to Workspace");
    await dialog.getByRole("button", { name: "Replace" }).click();
    await window.notification(/Restored .*: 1 file, [1-9]/).waitFor();
    assert.match(await readFile(restored, "utf8"), /^worker_processes 4/);
  });

  it("compares a local file with its newest backup", async () => {
    await window.command("View: Close All Editors");
    await window.command("Go to File");
    await window.page.locator(".quick-input-widget:visible input.input").fill("config/nginx/nginx.conf");
    await window.page.locator(".quick-input-list .monaco-list-row").first().click();
    await window.activeTab().getByText("nginx.conf").waitFor();
    await window.command("Reprise: Compare With Local File");
    await window
      .activeTab()
      .getByText(/↔ local file/)
      .waitFor();
    await window.shot("12-local-file");
  });

  it("restores a whole machine into a new folder", async () => {
    await window.command("View: Close All Editors");
    await window.openContainer("Backups");
    await window.toTop();
    await window.select(newest());
    await window.command("Reprise: Restore Whole Machine to Folder", "qcow2");
    const box = await window.question(/In which folder shall web1-/);
    await box.locator("input.input").fill(`${folder}/`);
    await box.getByText("Restore Here").click();
    await window.notification(/Restored sda to .*every chunk checked/).waitFor();
    await window.shot("13-machine");
    const [made = ""] = (await readdir(folder)).filter((name) => name.startsWith("web1-"));
    assert.deepEqual(await readdir(join(folder, made)), ["sda.qcow2"]);
  });

  it("finds files by name in all snapshots of a machine", async () => {
    for (const title of ["File Versions", "What Changed", "Restore Tests"]) await window.fold(title, false);
    await window.toTop();
    await window.select(window.row("web1"));
    await window.command("Reprise: Find Files by Name");
    await window.answer("Find files in prod:vm/web1, all snapshots", "nginx.conf");
    await results("in 2 snapshots").waitFor();
    await results("in the snapshot of").waitFor();
    await window.page.getByText("Found: 2.").waitFor();
    await window.shot("search-names");
  });

  it("finds text in the files of a snapshot, and opens it at its line", async () => {
    await window.toTop();
    await window.expand("web1");
    await window.select(newest());
    await window.command("Reprise: Search Text in Files");
    await window.answer("Search text in the files of", "user www");
    await window.answer("In which files?", "*.conf");
    await window.page.getByText("Lines: 1; files: 1.").waitFor();
    await results("user www;").click();
    await window.activeTab().getByText("nginx.conf").waitFor();
    await window.untilEditorText(/user www;/);
    await window.page.locator(".statusbar").getByText("Ln 2, Col 9 (8 selected)").waitFor();
    await window.shot("search-text");
  });

  const results = (text: string) =>
    window.page.getByRole("tree", { name: "Search Results" }).getByRole("treeitem").filter({ hasText: text });
});

/** The editors show where it would go as soon as they would take it. */
async function drag({ page }: Workbench, from: Locator, to: Locator): Promise<void> {
  const [start, end] = [await centreOf(from), await centreOf(to)];
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move(start.x + 12, start.y + 6, { steps: 4 });
  await page.mouse.move(end.x, end.y, { steps: 12 });
  await page.locator("#monaco-workbench-editor-drop-overlay").waitFor();
  await page.mouse.up();
}

async function centreOf(place: Locator): Promise<{ x: number; y: number }> {
  const box = await place.boundingBox();
  assert.ok(box !== null);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
