// What a person answers in questions and dialogs, from a new repository to the last snapshot forgotten: none of it can be called
// without a window.

import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cliJson } from "../../cli/runInProcess.js";
import { machineDisks } from "../../files/machineDisk.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

const PASSPHRASE = "one that is new";
const SETTLED_MS = 500;

describe("questions and dialogs in the editor", () => {
  let scratch: string;
  let workspace: string;
  let window: Workbench;
  useEditor(
    async (later) => {
      const folder = await makeTemporaryFolder("dialogs");
      later(folder.remove);
      scratch = folder.path;
      workspace = join(scratch, "workspace");
      await mkdir(workspace);
      const location = await makeKept(scratch);
      const machineSettings = {
        "reprise.repositories": [{ location, name: "Kept" }],
        "files.simpleDialog.enable": true,
      };
      return { workspace, machineSettings };
    },
    async (opened) => {
      window = opened.window;
      await window.openContainer("Backups");
    },
  );

  const dialog = () => window.page.locator(".monaco-dialog-box");
  const press = (name: string) => dialog().getByRole("button", { name, exact: true }).click();
  const said = (text: string | RegExp) => window.notification(text).waitFor();
  const clearNotifications = () => window.command("Notifications: Clear All Notifications");
  const wholePath = (name: string) => join(scratch, name);
  /** A dialog for files, with its button. */
  const choose = async (title: string | RegExp, path: string, button: string) => {
    const box = await window.question(title);
    const input = box.locator("input.input");
    // reading the folder, it puts its own proposal there once more
    for (let kept = ""; kept !== path; kept = await input.inputValue()) {
      await input.fill(path);
      await sleep(SETTLED_MS);
    }
    await box.getByText(button, { exact: true }).click();
  };
  const mine = () => ({ REPRISE_REPOSITORY: wholePath("mine"), REPRISE_PASSPHRASE: PASSPHRASE });
  const snapshotRows = () => window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" });

  it("make a repository where the location that failed can be mended, and show its recovery key once", async () => {
    await writeFile(wholePath("file"), "in the way\n");
    await window.command("Reprise: Make New Repository…");
    const box = await window.question("Make a new repository");
    const type = async (text: string, problem: string) => {
      await box.locator("input.input").fill(text);
      await box.getByText(problem).waitFor();
    };
    await type("backups", "could be anywhere");
    await window.answer("Make a new repository", wholePath("file"));
    await box.getByText("A passphrase that opens it").waitFor();
    await type("short", "At least 8 characters");
    await window.answer("Make a new repository", PASSPHRASE);
    await box.getByText("The same passphrase again").waitFor();
    await type("another", "It is not the same");
    await window.answer("Make a new repository", PASSPHRASE);
    // what stands there is no folder: what was typed stays, and nothing of it was touched
    await window.page.waitForFunction(
      `document.querySelector(".quick-input-widget input.input")?.value === ${JSON.stringify(wholePath("file"))}`,
    );
    await window.shot("dialogs-location-again");
    assert.equal(await readFile(wholePath("file"), "utf8"), "in the way\n");
    await window.answer("Make a new repository", wholePath("mine"));
    await dialog().getByText("The recovery key of the new repository").waitFor();
    await window.shot("dialogs-recovery-key");
    await press("Copy");
    await dialog().getByText("It is shown this one time.").waitFor();
    await press("I Have Written It Down");
    await window.row("mine").waitFor();
  });

  it("back up a disk that is chosen by hand, of a machine that is named", async () => {
    const [disk] = await machineDisks();
    await window.command("Reprise: Back Up Now…", "mine");
    await choose("What shall be backed up?", disk, "Back Up");
    const name = await window.question("Whose backup is it?");
    await name.locator("input.input").fill("web1");
    await name.getByText("Write vm/NAME, ct/NAME or host/NAME").waitFor();
    await window.answer("Whose backup is it?", "vm/web1");
    await said(/vm\/web1 was backed up: .*32 MiB/);
    await window.shot("dialogs-backed-up");
    await clearNotifications();
    for (const label of ["mine", "web1"]) await window.expand(label);
    await snapshotRows().first().click();
  });

  it("write notes and tags, and read everything to verify it", async () => {
    await window.command("Reprise: Edit Notes of Snapshot…");
    await window.answer("Notes of vm/web1", "before the upgrade");
    await window.command("Reprise: Edit Tags of Snapshot…");
    await window.answer("Tags of vm/web1", "release, , weekly ");
    await window.command("Reprise: Verify Snapshot…", "All data");
    await said(/all data of 1 snapshot is undamaged/);
    await clearNotifications();
    const [snapshot] = await cliJson<{ tags: string[]; notes: string }[]>(["snapshots"], { env: mine() });
    assert.deepEqual([snapshot?.tags, snapshot?.notes], [["release", "weekly"], "before the upgrade"]);
  });

  it("export a snapshot as an archive, and ask before one is replaced", async () => {
    const exportTo = async (name: string) => {
      await snapshotRows().first().click();
      await window.command("Reprise: Export as tar or zip Archive…");
      await choose("Export vm/web1 to which archive?", wholePath(name), "OK");
    };
    await exportTo("web1.zip");
    await said(/web1\.zip was written/);
    await clearNotifications();
    assert.ok((await stat(wholePath("web1.zip"))).size > 0);
    await writeFile(wholePath("web1.tar"), "mine\n");
    await exportTo("web1.tar");
    await (await window.question("web1.tar already exists")).getByText("OK", { exact: true }).click();
    await dialog().waitFor();
    await window.shot("dialogs-replace");
    await window.page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    assert.equal(await readFile(wholePath("web1.tar"), "utf8"), "mine\n");
  });

  it("do nothing of a preview that is not true any more, and show another", async () => {
    const backUp = async () => {
      const [, disk] = await machineDisks();
      await cliJson(["backup", disk, "--name", "sda", "--format", "raw", "--group", "vm/web1"], { env: mine() });
    };
    const count = async () => (await cliJson<unknown[]>(["snapshots"], { env: mine() })).length;
    await backUp();
    await window.command("Reprise: Preview and Apply Retention (prune)…", "last=10");
    const page = window.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
    await page.getByText("Snapshots that go: 0; that stay: 2.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await window.command("Reprise: Preview and Apply Retention (prune)…", "Other rules…");
    await window.answer("What to keep of", "last=1");
    await page.getByText("Snapshots that go: 1; that stay: 1.").waitFor();
    await backUp();
    await page.getByRole("button", { name: "Forget 1 Snapshot…" }).click();
    await press("Forget Them");
    await page.getByRole("button", { name: "Preview Again" }).waitFor();
    await window.shot("dialogs-outdated");
    assert.equal(await count(), 3);
    await page.getByRole("button", { name: "Preview Again" }).click();
    await page.getByRole("button", { name: "Forget 2 Snapshots…" }).click();
    await press("Forget Them");
    await said("2 snapshots were forgotten");
    assert.equal(await count(), 1);
    await clearNotifications();
  });

  it("take a protection away and forget only after a second question", async () => {
    await snapshotRows().first().click();
    await window.command("Reprise: Protect Snapshot");
    await window.page.getByText("is protected now").first().waitFor();
    await window.command("Reprise: Forget Snapshot…");
    await dialog().getByText("It cannot be restored afterwards.").waitFor();
    await window.shot("dialogs-forget");
    await press("Forget Snapshot");
    await said(/protected/);
    await clearNotifications();
    await snapshotRows().first().click();
    await window.command("Reprise: Take Protection From Snapshot…");
    await press("Take Protection Away");
    await window.page.getByText("is not protected any more").first().waitFor();
    await window.command("Reprise: Forget Snapshot…");
    await press("Forget Snapshot");
    await snapshotRows().first().waitFor({ state: "detached" });
  });

  it("ask for the keeper's key before what only a keeper may do, and keep it only when it is the right one", async () => {
    for (const label of ["mine"]) await window.row(label).click();
    for (const label of ["Kept", "a"]) await window.expand(label);
    const snapshot = window.page.locator(".sidebar .monaco-list-row[aria-level='4']").first();
    await snapshot.click();
    await window.command("Reprise: Forget Snapshot…");
    await dialog().getByText("Only the keeper of Kept may do this.").waitFor();
    await window.shot("dialogs-keeper");
    await press("Give Keeper's Key…");
    await window.pick("Choose Key File…");
    await choose("Keeper's key of Kept", wholePath("wrong.pem"), "Use Key");
    await said(/key/i);
    await window.shot("dialogs-keeper-wrong");
    await clearNotifications();
    await snapshot.click();
    await window.command("Reprise: Forget Snapshot…");
    await press("Give Keeper's Key…");
    await window.pick("Paste Key…");
    await window.answer("Keeper's key of Kept", await readFile(wholePath("keeper.pem"), "utf8"));
    await dialog().getByText("It cannot be restored afterwards.").waitFor();
    await press("Forget Snapshot");
    await snapshot.waitFor({ state: "detached" });
    await window.command("Reprise: Give or Forget Keeper's Key…", "Kept", "Forget the Key That Is Kept Here");
    await window.page.getByText("The keeper's key of Kept is forgotten here.").first().waitFor();
  });
});

/** A repository with two roles, one snapshot and its keeper's key beside it, and a key that is none of its. */
async function makeKept(folder: string): Promise<string> {
  const location = join(folder, "kept");
  const state = (name: string) => ({ REPRISE_STATE_DIR: join(folder, `state-${name}`) });
  const init = ["init", "--no-encryption", "--new-keeper-key"];
  await cliJson([...init, join(folder, "keeper.pem")], { env: { REPRISE_REPOSITORY: location, ...state("kept") } });
  const other = { REPRISE_REPOSITORY: join(folder, "other"), ...state("other") };
  await cliJson([...init, join(folder, "wrong.pem")], { env: other });
  await mkdir(join(folder, "source"));
  await writeFile(join(folder, "source", "file"), "text\n");
  const backup = ["backup", "--dir", join(folder, "source"), "--group", "host/a"];
  await cliJson(backup, { env: { REPRISE_REPOSITORY: location, ...state("kept") } });
  return location;
}
