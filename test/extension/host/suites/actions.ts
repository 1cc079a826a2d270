import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { facts } from "../hostFacts.js";

const run = promisify(execFile);

interface Configured {
  location: string;
  name: string;
}

const settings = () => vscode.workspace.getConfiguration("reprise").get<Configured[]>("repositories", []);
const webviews = () =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.includes("reprise."));
/** Tabs are told to the extension host a little later. */
async function untilShown(label: string): Promise<void> {
  for (const endMs = Date.now() + 20_000; !webviews().some((tab) => tab.label === label); await sleep(50))
    if (Date.now() > endMs) assert.fail(`no tab ${label}`);
}

const rowOf = (configured: Configured) => ({ kind: "repository", configured });

describe("actions in the extension host", () => {
  const sample = { location: facts.location, name: "Sample" };
  const snapshotRow = (snapshotId: string) => {
    const snapshot = { snapshotId, machine: "vm/odd", timeMs: 0, tags: [], notes: "" };
    return { kind: "snapshot", repository: rowOf(sample), snapshot };
  };

  after(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  it("makes the demo repository once, and shows its overview in one tab", async () => {
    const before = settings();
    await vscode.commands.executeCommand("reprise.makeDemo");
    await vscode.commands.executeCommand("reprise.makeDemo");
    const [demo, ...more] = settings().filter(({ location }) => !before.some((each) => each.location === location));
    assert.ok(demo !== undefined && more.length === 0);
    await vscode.commands.executeCommand("reprise.overview", rowOf(demo));
    await untilShown("Overview: Demo");
    await vscode.commands.executeCommand("reprise.overview", rowOf(demo));
    assert.deepEqual(
      webviews().map(({ label }) => label),
      ["Overview: Demo"],
    );
    await vscode.workspace
      .getConfiguration("reprise")
      .update("repositories", before, vscode.ConfigurationTarget.Global);
  });

  it("previews gc in a tab of its own", async () => {
    await vscode.commands.executeCommand("reprise.gc", rowOf(sample));
    await untilShown("gc preview: Sample");
  });

  it("protects a snapshot, as the command line sees it", async () => {
    const isProtected = async () => {
      const { stdout } = await run(process.execPath, [facts.program, "show", facts.odd, "--json"]);
      return (JSON.parse(stdout) as { protected: boolean }).protected;
    };
    assert.equal(await isProtected(), false);
    await vscode.commands.executeCommand("reprise.protect", snapshotRow(facts.odd));
    assert.equal(await isProtected(), true);
  });

  it("serves a snapshot and stops serving it", async () => {
    const sockets = () => readdirSync(tmpdir()).filter((name) => name.startsWith("reprise-nbd-"));
    const before = sockets();
    await vscode.commands.executeCommand("reprise.serveNbd", snapshotRow(facts.odd));
    const made = sockets().filter((name) => !before.includes(name));
    assert.ok(made.length > 0);
    await vscode.commands.executeCommand("reprise.stopNbd");
    for (const endMs = Date.now() + 20_000; made.some((name) => sockets().includes(name)); await sleep(50))
      if (Date.now() > endMs) assert.fail("it is still served");
  });
});
