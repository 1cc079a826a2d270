import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { launchBrowser, openWorkbench } from "../support/browser.js";
import { type EditorServer, needsEditor, startEditor } from "../support/editorServer.js";
import { packExtension } from "../support/packagedExtension.js";

describe("the extension in a workspace that is not trusted", () => {
  let folder: TemporaryFolder | undefined;
  let server: EditorServer | undefined;
  let browser: Browser | undefined;

  before(async function () {
    needsEditor(this);
    folder = await makeTemporaryFolder("untrusted");
    await mkdir(join(folder.path, "workspace", ".vscode"), { recursive: true });
    const settings = { "reprise.repositories": [{ location: join(folder.path, "planted"), name: "planted" }] };
    await writeFile(join(folder.path, "workspace", ".vscode", "settings.json"), JSON.stringify(settings));
    const { vsix } = await packExtension(folder.path);
    server = await startEditor({
      vsix,
      withTrust: true,
      settings: { "security.workspace.trust.startupPrompt": "never" },
      machineSettings: { "reprise.repositories": [{ location: join(folder.path, "mine"), name: "mine" }] },
    });
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await folder?.remove();
  });

  it("shows the repositories of the user's own settings, and none that the workspace names", async () => {
    assert.ok(browser !== undefined && server !== undefined && folder !== undefined);
    const window = await openWorkbench(browser, server, { folder: join(folder.path, "workspace") });
    await window.page.getByText("Restricted Mode").first().waitFor();
    await window.openContainer("Backups");
    await window.row("mine").waitFor();
    assert.ok(!(await window.rows()).some((row) => row.includes("planted")));
    await window.expand("mine");
    // the view of restore tests says it, too
    const tree = window.page.getByRole("tree", { name: "Repositories" });
    await tree.getByRole("treeitem").filter({ hasText: "STORAGE_NOT_FOUND" }).waitFor();
  });
});
