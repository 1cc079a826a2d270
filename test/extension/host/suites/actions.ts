import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { facts } from "../hostFacts.js";

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

  it("protects a snapshot, serves it and stops serving it", async () => {
    await vscode.commands.executeCommand("reprise.protect", snapshotRow(facts.odd));
    await vscode.commands.executeCommand("reprise.serveNbd", snapshotRow(facts.odd));
    await vscode.commands.executeCommand("reprise.stopNbd");
  });
});
