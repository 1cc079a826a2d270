import assert from "node:assert/strict";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("searching backups in the editor", () => {
  let window: Workbench;
  useEditor(
    async (later) => {
      const sample = await makeSampleRepository();
      later(sample.remove);
      const env = { REPRISE_REPOSITORY: sample.location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE };
      const machineSettings = { "reprise.repositories": [{ location: sample.location, name: "Sample" }] };
      return { scratch: sample.folder, env, machineSettings };
    },
    (opened) => {
      window = opened.window;
    },
  );

  it("finds files by name in all snapshots of a machine", async () => {
    await window.openContainer("Backups");
    for (const label of ["Sample", "prod"]) await window.expand(label);
    await window.row("web1").click();
    await window.command("Reprise: Find Files by Name");
    await window.answer("Find files in prod:vm/web1, all snapshots", "nginx.conf");
    const results = window.page.getByRole("tree", { name: "Search Results" });
    await results.getByRole("treeitem").filter({ hasText: "in 2 snapshots" }).waitFor();
    await results.getByRole("treeitem").filter({ hasText: "in the snapshot of" }).waitFor();
    await window.page.getByText("Found: 2.").waitFor();
    await window.shot("search-names");
  });

  it("finds text in the files of a snapshot, and opens it at its line", async () => {
    await window.expand("web1");
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first().click();
    await window.command("Reprise: Search Text in Files");
    await window.answer("Search text in the files of", "user www");
    await window.answer("In which files?", "*.conf");
    const results = window.page.getByRole("tree", { name: "Search Results" });
    await window.page.getByText("Lines: 1; files: 1.").waitFor();
    await results.getByRole("treeitem").filter({ hasText: "user www;" }).click();
    await window.activeTab().getByText("nginx.conf").waitFor();
    assert.match(await window.editorText(), /user www;/);
    await window.page.locator(".statusbar").getByText("Ln 2, Col 9 (8 selected)").waitFor();
    await window.shot("search-text");
  });
});
