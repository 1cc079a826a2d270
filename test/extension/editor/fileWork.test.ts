import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("versions, comparisons and restores in the editor", () => {
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
      return { scratch: sample.folder, workspace: folder, env, settings: machineSettings, machineSettings };
    },
    (opened) => {
      window = opened.window;
    },
  );

  const closeNotifications = () => window.command("Notifications: Clear All Notifications");

  /** In the newest snapshot. */
  const walkToFile = async () => {
    await window.openContainer("Backups");
    for (const label of ["Sample", "prod", "web1"]) await window.expand(label);
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first().click();
    for (const label of ["sda", "p2", "etc", "nginx"]) await window.expand(label);
    await window.row("nginx.conf").click();
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

  it("shows what changed since the previous snapshot, and opens a change", async () => {
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first().click();
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
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first().click();
    await window.command("Reprise: Restore Whole Machine to Folder");
    await window.pick("qcow2");
    const box = await window.question(/In which folder shall web1-/);
    await box.locator("input.input").fill(`${folder}/`);
    await box.getByText("Restore Here").click();
    await window.notification(/Restored sda to .*every chunk checked/).waitFor();
    await window.shot("13-machine");
    const [made = ""] = (await readdir(folder)).filter((name) => name.startsWith("web1-"));
    assert.deepEqual(await readdir(join(folder, made)), ["sda.qcow2"]);
  });
});
