import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { type BadRepositories, makeBadRepositories } from "../support/badRepositories.js";
import { ODD_NAMES } from "../support/crowdedNumbers.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("bad input in the editor's window", () => {
  let bad: BadRepositories | undefined;
  let window: Workbench;
  useEditor(
    async (later) => {
      bad = await makeBadRepositories();
      later(bad.remove);
      const folder = await makeTemporaryFolder("bad-input");
      later(folder.remove);
      const workspace = join(folder.path, "workspace");
      await mkdir(workspace);
      await writeFile(join(workspace, "readme.txt"), "here\n");
      const machineSettings = {
        "reprise.repositories": [
          { location: bad.damaged.location, name: "Damaged" },
          { location: bad.crowded.location, name: "Crowded" },
        ],
      };
      return { scratch: folder.path, workspace, machineSettings };
    },
    async (opened) => {
      window = opened.window;
      await window.openContainer("Backups");
    },
  );

  it("shows what is damaged where the file would be, and opens the file beside it", async () => {
    assert.ok(bad !== undefined);
    for (const label of ["Damaged", "prod", "web1"]) await window.expand(label);
    // the oldest one of the three: the last row
    const snapshots = window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" });
    await snapshots.last().click();
    for (const label of ["sda", "p2", "var", "lib"]) await window.expand(label);
    await window.row("data.bin").click();
    // the editor itself only says that something went wrong
    const message = window.notification(/data\.bin: bytes \d+–\d+ of 3000000 cannot be read/);
    await message.waitFor();
    await window.shot("damaged-file");
    assert.ok((await message.textContent())?.includes(bad.damaged.chunk));
    await window.command("Notifications: Clear All Notifications");
    for (const label of ["etc"]) await window.expand(label);
    await window.row("hostname").click();
    await window.activeTab().getByText("hostname").waitFor();
    assert.match(await window.editorText(), /web1/);
    await window.command("View: Close All Editors");
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "Damaged" }).first().click();
    await window.page.keyboard.press("ArrowLeft");
  });

  it("shows hostile names as text in the tree, in tabs and in questions, and obeys none of them", async () => {
    const dialogs: string[] = [];
    window.page.on("dialog", (dialog) => void dialogs.push(dialog.message()));
    await window.expand("Crowded");
    await window.expand("crowded");
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "64 MiB" }).first().click();
    for (const label of ["sda", "fs"]) await window.expand(label);
    // a machine has the same name
    await window.page.locator('.sidebar .monaco-list-row[aria-level="7"]').filter({ hasText: /^odd/ }).click();
    for (const name of [
      "$(alert) icon",
      "<img src=x onerror=alert(1)>",
      "[click](command:workbench.action.closeWindow)",
    ]) {
      assert.ok(ODD_NAMES.includes(name));
      await (await window.reach(name)).click();
      await window.activeTab().getByText(name, { exact: false }).first().waitFor();
      assert.match(await window.editorText(), new RegExp(`^${ODD_NAMES.indexOf(name)}$`, "m"));
    }
    await window.shot("hostile-names");
    const rows = await window.rows();
    assert.ok(rows.every((row) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(row)));
    assert.equal(await window.page.locator("img[src='x']").count(), 0);
    assert.deepEqual(dialogs, []);
  });

  it("asks about a file of 5 GiB instead of reading it", async () => {
    await (await window.reach("huge.bin")).click();
    const offer = window.notification(/too large to be opened as a whole/);
    await offer.waitFor();
    await window.shot("huge-file");
    await offer.getByText("Open a Part…").click();
    await window.answer(/Open a part of/, "5119");
    await window.activeTab().getByText("huge.bin").waitFor();
  });
});
