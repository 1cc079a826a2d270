// The palette in a window whose workspace is trusted only later: what it offers before the extension has been started, and then.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DECISIONS } from "../support/commandDecisions.js";
import type { EditorServer } from "../support/editorServer.js";
import { commandTitles, requireOffered } from "../support/palette.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

describe("the palette", () => {
  let window: Workbench;
  let server: EditorServer;
  let titles: Record<string, string>;
  let workspace: string;
  useEditor(
    async (later) => {
      titles = await commandTitles();
      const sample = await makeSampleRepository();
      later(sample.remove);
      await mkdir(join(sample.folder, "local"));
      // to a single folder none can be added without another window
      workspace = join(sample.folder, "palette.code-workspace");
      await writeFile(workspace, JSON.stringify({ folders: [{ path: "local" }] }));
      return {
        workspace,
        withTrust: true,
        settings: { "security.workspace.trust.startupPrompt": "never", "workbench.editor.useModal": "off" },
        machineSettings: { "reprise.repositories": [{ location: sample.location, name: "Sample" }] },
        env: { REPRISE_REPOSITORY: sample.location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE },
      };
    },
    (opened) => {
      ({ window, server } = opened);
    },
  );
  const titlesOf = (isWanted: (name: string) => boolean) =>
    Object.keys(DECISIONS)
      .filter(isWanted)
      .map((name) => titles[name] ?? name);

  it("offers nothing that writes or starts something without trust", async () => {
    await window.page.getByText("Restricted Mode").first().waitFor();
    const isOffered = (name: string) => {
      const { offered, needsTrust } = DECISIONS[name] ?? {};
      return !needsTrust && (offered === "always" || offered === "repository");
    };
    await requireOffered(window, titlesOf(isOffered));
  });

  it("offers everything that needs a repository before the extension has even been started", async () => {
    await window.command("Workspaces: Manage Workspace Trust");
    await window.page.locator(".workspace-trust-editor").getByRole("button", { name: "Trust", exact: true }).click();
    await window.page.locator(".statusbar-item").filter({ hasText: "Restricted Mode" }).waitFor({ state: "detached" });
    await window.command("View: Close All Editors");
    await requireOffered(
      window,
      titlesOf((name) => typeof DECISIONS[name]?.offered === "string"),
    );
    assert.deepEqual(await starts(server), []);
  });

  it("adds a snapshot to the workspace", async () => {
    await window.openContainer("Backups");
    for (const label of ["Sample", "prod", "web1"]) await window.expand(label);
    await window.select(window.page.locator(".sidebar .monaco-list-row[aria-level='5']").first());
    // what was said of starts above would have been seen
    assert.equal((await starts(server)).length, 1);
    await window.command(titles.openInWorkspace ?? "");
    await window.openContainer("Explorer");
    await window.page.getByText("prod:vm/web1 /").first().waitFor();
    await window.shot("palette-workspace");
    const { folders } = JSON.parse(await readFile(workspace, "utf8")) as { folders: { uri?: string }[] };
    assert.match(folders[1]?.uri ?? "", /^reprise:/);
  });
});

/** Of our extension, in all windows: each has a folder for its log below one of the extension host. */
async function starts({ userFolder }: EditorServer): Promise<string[]> {
  const all = await readdir(join(userFolder, "logs"), { recursive: true });
  if (!all.some((name) => basename(name).startsWith("exthost"))) throw new Error(`no extension host has logs: ${all}`);
  return all.filter((name) => basename(name) === "reprise.reprise");
}
