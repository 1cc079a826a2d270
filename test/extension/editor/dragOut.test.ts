// What the pointer drags out of the Repositories view, and where the platform takes it.

import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Locator } from "playwright-core";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("dragging out of a backup", function () {
  this.timeout(300_000);
  let window: Workbench;
  let workspace: string;
  useEditor(
    async (later) => {
      const sample = await makeSampleRepository();
      later(sample.remove);
      workspace = join(sample.folder, "workspace");
      await mkdir(workspace);
      const machineSettings = { "reprise.repositories": [{ location: sample.location, name: "Sample" }] };
      const env = { REPRISE_REPOSITORY: sample.location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE };
      return { scratch: sample.folder, workspace, machineSettings, env };
    },
    async (opened) => {
      window = opened.window;
      await window.openContainer("Backups");
      for (const label of ["Sample", "prod", "web1"]) await window.expand(label);
      await window.page.locator(".sidebar .monaco-list-row[aria-level='5']").first().click();
      for (const label of ["sda", "p2", "etc"]) await window.expand(label);
    },
  );

  const centre = async (place: Locator) => {
    const box = await place.boundingBox();
    assert.ok(box !== null);
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  const drag = async (from: Locator, to: Locator) => {
    const { mouse } = window.page;
    const [start, end] = [await centre(from), await centre(to)];
    await mouse.move(start.x, start.y);
    await mouse.down();
    await mouse.move(start.x + 12, start.y + 6, { steps: 4 });
    await mouse.move(end.x, end.y, { steps: 12 });
    await sleep(400);
    await mouse.up();
  };

  it("opens a file that is dropped on the editors, read-only", async () => {
    const row = await window.reach("hostname");
    await drag(row, window.page.locator(".part.editor"));
    await window.activeTab().getByText("hostname").waitFor();
    assert.equal((await window.editorText()).trim(), "web1");
    await window.shot("drag-editor");
  });

  it("leaves the workspace as it is where the browser's Explorer takes nothing but uploads", async () => {
    const explorer = window.page
      .locator(".activitybar .action-item")
      .filter({ has: window.page.locator("a[aria-label^='Explorer']") });
    const { mouse } = window.page;
    const [start, icon] = [await centre(await window.reach("hostname")), await centre(explorer.first())];
    await mouse.move(start.x, start.y);
    await mouse.down();
    await mouse.move(start.x + 12, start.y + 6, { steps: 4 });
    // a moment over its icon opens the Explorer
    await mouse.move(icon.x, icon.y, { steps: 8 });
    await sleep(1500);
    await mouse.move(icon.x + 150, icon.y + 500, { steps: 8 });
    await sleep(500);
    await window.shot("drag-explorer");
    await mouse.up();
    await sleep(3000);
    await window.shot("drag-explorer-after");
    process.stdout.write(`      dropped on the Explorer: ${(await readdir(workspace)).join(", ") || "nothing"}\n`);
    assert.ok((await readdir(workspace)).every((name) => name === "hostname"));
  });
});
