// The palette in a real window: which commands it offers without a repository, without trust, and with both; and two that change
// what the window shows.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { launchBrowser, openWorkbench } from "../support/browser.js";
import { DECISIONS } from "../support/commandDecisions.js";
import { type EditorServer, needsEditor, startEditor } from "../support/editorServer.js";
import { packExtension } from "../support/packagedExtension.js";
import { PaletteUser } from "../support/paletteUser.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";

const shots = process.env.REPRISE_SCREENSHOTS ?? inProject("build", "screenshots");
const [EXPECTED_MS, ABSENT_MS] = [20_000, 700];

describe("the palette", function () {
  this.timeout(900_000);
  let sample: SampleRepository | undefined;
  let vsix: string;
  let browser: Browser | undefined;
  let titles: Record<string, string>;
  let workspace: string;

  before(async function () {
    needsEditor(this);
    const words = JSON.parse(await readFile(inProject("package.nls.json"), "utf8")) as Record<string, string>;
    titles = Object.fromEntries(Object.keys(DECISIONS).map((name) => [name, `Reprise: ${words[`command.${name}`]}`]));
    sample = await makeSampleRepository();
    workspace = join(sample.folder, "workspace");
    await mkdir(workspace);
    await writeFile(join(workspace, "notes.txt"), "local\n");
    ({ vsix } = await packExtension(sample.folder));
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await sample?.remove();
  });

  const names = Object.keys(DECISIONS);
  const withServer = async (
    options: Partial<Parameters<typeof startEditor>[0]>,
    work: (user: PaletteUser, server: EditorServer) => Promise<void>,
  ) => {
    const server = await startEditor({ vsix, ...options });
    try {
      assert.ok(browser !== undefined);
      const window = await openWorkbench(browser, server, { folder: workspace, shots });
      const user = new PaletteUser(window);
      await user.untilOffered(titles.showLog ?? "");
      await work(user, server);
      await window.close();
    } finally {
      await server.stop();
    }
  };
  const repository = () => ({
    machineSettings: { "reprise.repositories": [{ location: sample?.location, name: "Sample" }] },
    env: { REPRISE_REPOSITORY: sample?.location ?? "", REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE },
  });
  /** What is expected is waited for. */
  const requireOffered = async (user: PaletteUser, expected: readonly string[]) => {
    const found: string[] = [];
    for (const name of names)
      if (await user.isOffered(titles[name] ?? "", expected.includes(name) ? EXPECTED_MS : ABSENT_MS)) found.push(name);
    await user.escape();
    assert.deepEqual(found, expected);
  };

  it("offers what makes sense without any repository", async () => {
    await withServer({}, async (user) => {
      const expected = names.filter((name) => ["always", "folder"].includes(String(DECISIONS[name]?.offered)));
      await requireOffered(user, expected);
    });
  });

  it("offers nothing that writes or starts something without trust", async () => {
    const settings = { "security.workspace.trust.startupPrompt": "never" };
    await withServer({ ...repository(), settings, withTrust: true }, async (user) => {
      await user.window.page.getByText("Restricted Mode").first().waitFor();
      const expected = names.filter((name) => {
        const { offered, needsTrust } = DECISIONS[name] ?? {};
        return !needsTrust && (offered === "always" || offered === "repository");
      });
      await requireOffered(user, expected);
    });
  });

  it("offers everything that needs a repository before the extension has even been started", async () => {
    await withServer(repository(), async (user) => {
      await requireOffered(
        user,
        names.filter((name) => typeof DECISIONS[name]?.offered === "string"),
      );
    });
  });

  it("makes the demo, and deletes its files with it", async () => {
    const folder: TemporaryFolder = await makeTemporaryFolder("demo");
    try {
      await withServer({}, async (user) => {
        await user.window.command(titles.makeDemo ?? "");
        await user.window.notification(/The demo repository has/).waitFor();
        await user.window.command(titles.removeRepository ?? "");
        await user.window.pick("Demo");
        const question = user.window.page.locator(".monaco-dialog-box");
        await question.getByText("This demo was made by Reprise in").waitFor();
        await sleep(300);
        await user.window.shot("demo-remove");
        const path = /made by Reprise in (\S+)\. Nothing/.exec((await question.textContent()) ?? "")?.[1] ?? "";
        await readFile(join(path, "repository", "config"));
        await question.getByRole("button", { name: "Remove and Delete Its Files" }).click();
        await user.window.page.getByText("Walk through every backup").waitFor();
        await assert.rejects(readFile(join(path, "repository", "config")), { code: "ENOENT" });
      });
    } finally {
      await folder.remove();
    }
  });

  it("adds a snapshot to the workspace", async () => {
    await withServer(repository(), async (user) => {
      await user.window.openContainer("Backups");
      await select(user, "web1");
      await select(user, "snapshot");
      await user.window.command(titles.openInWorkspace ?? "");
      await user.window.openContainer("Explorer");
      await user.window.page.getByText("prod:vm/web1 /").first().waitFor();
    });
  });
});

/** Opens what is above the row, and clicks it. */
async function select({ window }: PaletteUser, selected: string): Promise<void> {
  if (selected === "nothing") return;
  if (selected === "web1") for (const label of ["Sample", "prod"]) await window.expand(label);
  if (selected === "hostname") for (const label of ["sda", "p2", "etc"]) await window.expand(label);
  const row =
    selected === "snapshot"
      ? window.page.locator(".sidebar .monaco-list-row[aria-level='5']").first()
      : await window.reach(selected);
  await row.click();
  await sleep(500);
}
