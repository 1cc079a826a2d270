// A window that knows no repository at first: what it offers, its demo, and a repository from its first to its last moment in the view.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openWorkbench } from "../support/browser.js";
import { DECISIONS } from "../support/commandDecisions.js";
import { commandTitles, requireOffered } from "../support/palette.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { type OpenedEditor, SHOTS, useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("repositories in the editor", () => {
  let sample: SampleRepository | undefined;
  let editor: OpenedEditor;
  let window: Workbench;
  useEditor(
    async (later) => {
      sample = await makeSampleRepository();
      later(sample.remove);
      return { workspace: sample.folder };
    },
    (opened) => {
      editor = opened;
      window = opened.window;
      assert.doesNotMatch(opened.packed, /WARNING/);
    },
  );
  const dialog = () => window.page.locator(".monaco-dialog-box");
  const welcome = () => window.page.getByText("Walk through every backup");

  it("offers what makes sense without any repository", async () => {
    const titles = await commandTitles();
    const isOffered = (name: string) => ["always", "folder"].includes(String(DECISIONS[name]?.offered));
    await requireOffered(
      window,
      Object.keys(DECISIONS)
        .filter(isOffered)
        .map((name) => titles[name] ?? name),
    );
  });

  it("makes the demo, and deletes its files with it", async () => {
    await window.command("Reprise: Make Demo Repository");
    await window.notification(/The demo repository has 42 snapshots of two machines/).waitFor();
    await window.openContainer("Backups");
    await window.row("Demo").waitFor();
    await window.command("Reprise: Remove Repository", "Demo");
    await dialog().getByText("This demo was made by Reprise in").waitFor();
    await window.shot("demo-remove");
    const path = /made by Reprise in (\S+)\. Nothing/.exec((await dialog().textContent()) ?? "")?.[1] ?? "";
    await readFile(join(path, "repository", "config"));
    await dialog().getByRole("button", { name: "Remove and Delete Its Files" }).click();
    await welcome().waitFor();
    await assert.rejects(readFile(join(path, "repository", "config")), { code: "ENOENT" });
  });

  it("adds a repository by its location and its passphrase, and keeps what was typed where that fails", async () => {
    const wrong = `${sample?.location}-elsewhere`;
    await window.command("Reprise: Add Repository");
    await window.answer("Add a repository", wrong);
    const failed = await window.question(/STORAGE_NOT_FOUND/);
    assert.equal(await failed.locator("input.input").inputValue(), wrong);
    await window.shot("2-not-there");
    await failed.locator("input.input").fill("backups/reprise");
    await window.page.getByText("could be anywhere").first().waitFor();
    await window.answer("Add a repository", sample?.location ?? "");
    await window.answer("Passphrase of", "not this one");
    const again = await window.question(/PASSPHRASE_WRONG.*tries left: 2/);
    await again.locator("input.input").pressSequentially("secret");
    await window.shot("2-passphrase");
    await window.answer("Passphrase of", SAMPLE_PASSPHRASE);
    await window.row("repository").waitFor();
  });

  it("adds no repository twice", async () => {
    await window.command("Reprise: Add Repository");
    const question = await window.question("Add a repository");
    await question.locator("input.input").fill(`file://${sample?.location}/`);
    await window.page.getByText("in the view already: repository").first().waitFor();
    await window.shot("2-twice");
    await window.page.keyboard.press("Escape");
  });

  it("asks in another window for the passphrase that this one does not have", async () => {
    assert.ok(sample !== undefined);
    const other = await openWorkbench(editor.browser, editor.server, { folder: sample.folder, shots: SHOTS });
    await other.openContainer("Backups");
    await other.row("repository").click();
    await other.row("Enter the passphrase…").click();
    await other.answer("Passphrase of", SAMPLE_PASSPHRASE);
    await other.row("prod").waitFor();
    await other.shot("5-other-window");
    await other.close();
  });

  it("goes to a path as the machine names it", async () => {
    for (const label of ["repository", "web1"]) await window.expand(label);
    await window.row("Today").waitFor();
    await window.select(window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first());
    await window.command("Reprise: Go to Path in Snapshot");
    await window.answer("Go to a path of prod:vm/web1", "/etc/nginx/nginx.conf");
    await window.activeTab().getByText("nginx.conf").waitFor();
    await window.untilEditorText(/^worker_processes 4;\nuser www;/);
  });

  it("removes a repository from the view after a question", async () => {
    await window.command("Reprise: Remove Repository", "repository");
    await dialog().getByText("stay as they are").waitFor();
    await window.shot("6-remove");
    await dialog().getByRole("button", { name: "Remove" }).click();
    await welcome().waitFor();
  });
});
