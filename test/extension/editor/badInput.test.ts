import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatName } from "../../../core/index.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { type BadRepositories, makeBadRepositories } from "../support/badRepositories.js";
import { HUGE_BYTES, HUGE_MARKS, ODD_NAMES } from "../support/crowdedNumbers.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

/** At the end of huge.bin. */
const END = HUGE_MARKS.at(-1)?.[1] ?? "";

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
      return { workspace, machineSettings };
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
    await window.untilEditorText(/web1/);
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
    assert.deepEqual(await drawnNames(window), ODD_NAMES.map((name) => formatName(Buffer.from(name))).toSorted());
    await window.shot("hostile-names-drawn");
    for (const name of [
      "$(alert) icon",
      "<img src=x onerror=alert(1)>",
      "[click](command:workbench.action.closeWindow)",
    ]) {
      assert.ok(ODD_NAMES.includes(name));
      await (await window.reach(name)).click();
      await window.activeTab().getByText(name, { exact: false }).first().waitFor();
      await window.untilEditorText(new RegExp(`^${ODD_NAMES.indexOf(name)}$`, "m"));
      await asksAndTells(window, name);
    }
    await window.shot("hostile-names");
    assert.equal(await window.page.locator("img[src='x']").count(), 0);
    assert.deepEqual(dialogs, []);
  });

  it("asks about a file of 5 GiB instead of reading it", async () => {
    await (await window.reach("huge.bin")).click();
    const offer = window.notification(/too large to be opened as a whole/);
    await offer.waitFor();
    await window.shot("huge-file");
    await offer.getByText("Open a Part…").click();
    await window.answer(/Open a part of/, String((HUGE_BYTES - END.length) / 1024 ** 2));
    await window.activeTab().getByText("huge.bin").waitFor();
    await window.untilEditorText(new RegExp(`^${END}$`, "m"));
  });
});

/** Of the rows of the folder, all of which are looked at: their labels, which are nothing but text. */
async function drawnNames({ page }: Workbench): Promise<string[]> {
  const rows = page.locator('.sidebar .monaco-list-row[aria-level="8"]');
  await rows.first().waitFor();
  const names = new Map<string, string>();
  for (let last = -1; names.size > last; ) {
    last = names.size;
    for (const row of await rows.all()) {
      const label = row.locator(".label-name");
      assert.equal(await label.locator(":not(.monaco-highlighted-label)").count(), 0, await label.innerHTML());
      const place = await row.getAttribute("aria-posinset");
      names.set(String(place), (await label.textContent())?.replaceAll("\u00a0", " ") ?? "");
    }
    await rows.last().hover();
    await page.mouse.wheel(0, 220);
    await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  }
  assert.equal(String(names.size), await rows.first().getAttribute("aria-setsize"));
  for (let pixels = 0; pixels < 220 * names.size; pixels += 220) await page.mouse.wheel(0, -220);
  return [...names.values()].sort();
}

/** A command asks about what is open, and another says something about it, with its name as text. */
async function asksAndTells(window: Workbench, name: string): Promise<void> {
  await window.command("Reprise: Open Part of File");
  const question = await window.question("Open a part of");
  assert.ok((await question.textContent())?.includes(name));
  assert.equal(await question.locator(".quick-input-title").locator("a, .codicon, b, img").count(), 0);
  await window.page.keyboard.press("Escape");
  await window.command("Reprise: Compare With Previous Version");
  const message = window.notification("No earlier snapshot has another version of");
  await message.waitFor();
  const text = message.locator(".notification-list-item-message");
  assert.ok((await text.textContent())?.replaceAll(" \u200b", "").includes(name));
  assert.equal(await text.locator("a, .codicon, b, img").count(), 0);
  await window.command("Notifications: Clear All Notifications");
  await message.waitFor({ state: "detached" });
}
