import assert from "node:assert/strict";
import { openWorkbench } from "../support/browser.js";
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
      await sample.reprise("verify", "--read-data");
      await sample.reprise("protect", sample.snapshots[0]);
      return { scratch: sample.folder };
    },
    (opened) => {
      editor = opened;
      window = opened.window;
      assert.doesNotMatch(opened.packed, /WARNING/);
    },
  );

  it("welcomes whoever has no repository yet", async () => {
    await window.openContainer("Backups");
    await window.page.getByText("Walk through every backup").waitFor();
    await window.page.locator(".monaco-workbench.vs-dark").waitFor();
    await window.shot("1-welcome");
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

  it("walks from the repository to a file, and opens it", async () => {
    for (const label of ["repository", "web1"]) await window.expand(label);
    await window.row("Today").waitFor();
    const newest = window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "verified · 32 MiB" }).first();
    await newest.waitFor();
    await window.shot("3-snapshots");
    await newest.click();
    for (const label of ["sda", "p2", "etc"]) await window.expand(label);
    await (await window.reach("hostname")).click();
    assert.equal((await window.editorText()).trim(), "web1");
    await window.shot("4-file");
  });

  it("offers commands only where they make sense", async () => {
    const offered = await window.commandsFor("Reprise: Copy");
    assert.ok(offered.includes("Reprise: Copy Path or Name"), offered.join(", "));
    assert.ok(!offered.some((title) => title.includes("%")));
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
    await window.command("Reprise: Go to Path in Snapshot");
    await window.answer("Go to a path of prod:vm/web1", "/etc/nginx/nginx.conf");
    await window.activeTab().getByText("nginx.conf").waitFor();
    assert.match(await window.editorText(), /^worker_processes 4;\nuser www;/);
  });

  it("removes a repository from the view after a question", async () => {
    await window.command("Reprise: Remove Repository");
    await window.pick("repository");
    const question = window.page.locator(".monaco-dialog-box");
    await question.getByText("stay as they are").waitFor();
    await window.shot("6-remove");
    await question.getByRole("button", { name: "Remove" }).click();
    await window.page.getByText("Walk through every backup").waitFor();
  });
});
