import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Browser } from "playwright-core";
import { SCHEME } from "../../../extension/model/repriseUri.js";
import { inProject } from "../../support/projectRoot.js";
import { launchBrowser, openWorkbench } from "../support/browser.js";
import { DECISIONS } from "../support/commandDecisions.js";
import { type EditorServer, needsEditor, startEditor } from "../support/editorServer.js";
import { type ForeignCall, foreignReport, packOtherExtension } from "../support/otherExtension.js";
import { packExtension } from "../support/packagedExtension.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import type { Workbench } from "../support/workbench.js";

const shots = process.env.REPRISE_SCREENSHOTS ?? inProject("build", "screenshots");

describe("the extension in a workspace that is not trusted", () => {
  let sample: SampleRepository | undefined;
  let server: EditorServer | undefined;
  let browser: Browser | undefined;
  let window: Workbench;
  let workspace: string;
  let untouched: string;
  let settings: [string, unknown][];

  before(async function () {
    needsEditor(this);
    sample = await makeSampleRepository();
    workspace = join(sample.folder, "workspace");
    await plantWorkspace(workspace, sample.folder);
    untouched = await digestOf(sample.location);
    const { vsix } = await packExtension();
    const other = await packOtherExtension(sample.folder, callsThatNeedTrust(sample));
    server = await startEditor({
      ...{ vsix, otherExtensions: [other], withTrust: true },
      settings: { "security.workspace.trust.startupPrompt": "never" },
      machineSettings: { "reprise.repositories": [{ location: sample.location, name: "mine" }] },
      env: { REPRISE_REPOSITORY: sample.location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE },
    });
    settings = await settingsOf(server);
    browser = await launchBrowser();
    window = await openWorkbench(browser, server, { folder: workspace, shots });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await sample?.remove();
  });

  it("refuses every command that writes, restores or starts something, whoever calls it", async () => {
    assert.ok(sample !== undefined);
    await window.page.getByText("Restricted Mode").first().waitFor();
    await window.notification(/not trusted: nothing is written or started/).waitFor();
    const { isTrusted, outcomes } = await foreignReport(sample.folder);
    await window.shot("untrusted-refuses");
    assert.equal(isTrusted, false);
    const called = callsThatNeedTrust(sample).map(({ command }) => command);
    for (const name of ["makeDemo", "initRepository", "checkGate"]) assert.ok(called.includes(`reprise.${name}`));
    // none failed, and none waits for more than the answer to the refusal
    assert.deepEqual(Object.keys(outcomes).sort(), called.sort());
    assert.deepEqual(
      Object.entries(outcomes).filter(([, outcome]) => outcome === "failed"),
      [],
    );
    assert.equal(await window.page.locator(".quick-input-widget:visible").count(), 0);
    assert.equal(await window.page.locator(".monaco-dialog-box:visible").count(), 0);
    assert.equal(await digestOf(sample.location), untouched);
    assert.deepEqual((await readdir(workspace)).sort(), [".vscode", "mine.restore-test.yaml", "reprise.yml"]);
    assert.ok(server !== undefined);
    assert.deepEqual(await settingsOf(server), settings);
    // such as a demo
    assert.deepEqual(await storedFiles(server), []);
  });

  it("takes no setting of ours from the workspace", async () => {
    assert.ok(sample !== undefined);
    const { settings } = await foreignReport(sample.folder);
    assert.deepEqual(settings, {
      repositories: [{ location: sample.location, name: "mine" }],
      machines: [],
      qemuPath: "",
    });
  });

  it("shows the repositories of the user's own settings, and lets them be walked through", async () => {
    await window.command("Notifications: Clear All Notifications");
    await window.openContainer("Backups");
    await window.row("mine").waitFor();
    assert.ok(!(await window.rows()).some((row) => row.includes("planted")));
    for (const label of ["mine", "prod", "web1"]) await window.expand(label);
    await window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "32 MiB" }).first().click();
    for (const label of ["sda", "p2", "etc"]) await window.expand(label);
    await window.row("hostname").click();
    await window.activeTab().getByText("hostname").waitFor();
    await window.untilEditorText(/web1/);
    await window.shot("untrusted-reads");
  });

  it("is left alone by a policy and a spec that name programs", async () => {
    assert.ok(sample !== undefined);
    assert.deepEqual(
      (await readdir(sample.folder)).filter((name) => name.startsWith("owned")),
      [],
    );
  });
});

/** Settings, a policy and a spec that want to be obeyed. */
async function plantWorkspace(workspace: string, folder: string): Promise<void> {
  await mkdir(join(workspace, ".vscode"), { recursive: true });
  const planted = join(folder, "planted");
  const settings = {
    "reprise.repositories": [{ location: planted, name: "planted" }],
    "reprise.machines": [{ machine: "prod:vm/web1", folder: "/etc", path: "/etc" }],
    "reprise.qemuPath": join(folder, "evil"),
  };
  await writeFile(join(workspace, ".vscode", "settings.json"), JSON.stringify(settings));
  const policy = `repositories:
  main: {location: ${planted}}
machines:
  prod:vm/web1: {owner: me, disks: /etc/passwd}
jobs:
  now: {backup: all, retention: {last: 1}}
restore-tests:
  - {name: web1, machine: prod:vm/web1, level: intact, checks: [{check-script: "touch ${folder}/owned-by-policy"}]}
`;
  await writeFile(join(workspace, "reprise.yml"), policy);
  const spec = `kind: RestoreTest
name: web1
machine: prod:vm/web1
checks: [{check-script: "touch ${folder}/owned-by-spec"}]
`;
  await writeFile(join(workspace, "mine.restore-test.yaml"), spec);
}

/** As it was decided, not as the manifest declares it; each about a snapshot of the user's own repository. */
function callsThatNeedTrust({ location, odd }: SampleRepository): ForeignCall[] {
  const repository = { kind: "repository", configured: { location, name: "mine" } };
  const snapshot = { snapshotId: odd, machine: "vm/odd", timeMs: 0, tags: [], notes: "", disks: [] };
  const row = { kind: "snapshot", repository, snapshot };
  const named = Object.keys(DECISIONS).filter((name) => DECISIONS[name]?.needsTrust);
  return named.map((name) => ({ command: `${SCHEME}.${name}`, arguments: [row] }));
}

/** Ours: the editor rewrites some of its own. */
async function settingsOf({ userFolder }: EditorServer): Promise<[string, unknown][]> {
  const files = ["User", "Machine"].map((name) => readFile(join(userFolder, name, "settings.json"), "utf8"));
  const all = (await Promise.all(files)).flatMap((text) => Object.entries(JSON.parse(text) as object));
  return all.filter(([name]) => name.startsWith("reprise."));
}

/** In the folders that the editor has given to our extension, but its log. */
async function storedFiles({ userFolder }: EditorServer): Promise<string[]> {
  const entries = await readdir(userFolder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => ({ entry, path: relative(userFolder, join(entry.parentPath, entry.name)) }));
  const own = paths.filter(({ path }) => path.split(sep).includes("reprise.reprise"));
  // at least that of its log
  assert.ok(own.length > 0);
  return own.filter(({ entry, path }) => entry.isFile() && !path.startsWith("logs")).map(({ path }) => path);
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries.filter((entry) => entry.isFile()).sort(byPlace))
    hash.update(name).update(await readFile(join(parentPath, name)));
  return hash.digest("hex");
}

function byPlace(a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}
