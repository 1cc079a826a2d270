import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { DECISIONS } from "../../support/commandDecisions.js";
import { facts } from "../hostFacts.js";

/** The window would be loaded anew, or a repository more be there. */
const APART = ["openInWorkspace", "makeDemo"];
const WAIT_MS = 30_000;

const configured = { location: facts.location, name: "Sample" };
const repository = { kind: "repository", configured };
const newest = {
  ...{ snapshotId: facts.snapshots[2], machine: "prod:vm/web1", timeMs: Date.now(), tags: [], notes: "" },
  ...{
    disks: [{ name: "sda", kind: "image", sizeBytes: 1, lostRanges: 0 }],
    sizeBytes: 1,
    newBytes: 1,
    storedBytes: 1,
  },
  ...{ protected: false, verification: null, restoreTest: null },
};
const namespace = { kind: "namespace", parent: repository, namespace: "prod", machines: [] };
const machine = {
  ...{ kind: "machine", parent: namespace, repository, shown: 1 },
  machine: { machine: "prod:vm/web1", namespace: "prod", group: "vm/web1", snapshots: 3, newest },
};
const day = { kind: "day", parent: machine, day: 0, newest: true, snapshots: [newest] };
const snapshot = { kind: "snapshot", parent: day, repository, snapshot: newest };
const entry = (path: string, kind: string) => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const data = { name, path, kind, forbidden: false, problem: null, sizeBytes: 1, target: null };
  return { kind: "entry", parent: snapshot, snapshot, repositoryId: facts.repositoryId, entry: data, shown: 1 };
};
const ROWS: Record<string, unknown> = {
  ...{ nothing: undefined, repository, namespace, machine, day, snapshot },
  disk: entry("/sda", "disk"),
  volume: entry("/sda/p2", "volume"),
  folder: entry("/sda/p2/etc", "directory"),
  file: entry("/sda/p2/etc/hostname", "file"),
  more: { kind: "more", parent: machine, shown: 1, total: 3 },
  problem: { kind: "problem", parent: repository, message: "it is not there", locked: false },
  covered: { kind: "machine", configured, state: { machine: "prod:vm/web1" } },
};
/** Rows that the menus of a command name; anything else may call it with anything. */
const settles = async (name: string, row: unknown): Promise<boolean> => {
  let isDone = false;
  const called = vscode.commands.executeCommand(`reprise.${name}`, row).then(
    () => {
      isDone = true;
    },
    (error: unknown) => assert.fail(`reprise.${name}: ${String(error)}`),
  );
  for (const endMs = Date.now() + WAIT_MS; !isDone && Date.now() < endMs; ) {
    await sleep(40);
    // Escape, for whatever is asked
    await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
    await vscode.commands.executeCommand("notifications.clearAll");
  }
  if (isDone) await called;
  return isDone;
};

describe("every command in the extension host", () => {
  after(async () => {
    await vscode.commands.executeCommand("reprise.stopNbd");
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  });

  for (const [kind, row] of Object.entries(ROWS))
    it(`ends, whatever it is called on: ${kind}`, async function () {
      this.timeout(300_000);
      const stuck: string[] = [];
      for (const name of Object.keys(DECISIONS).filter((each) => !APART.includes(each)))
        if (!(await settles(name, row))) stuck.push(name);
      assert.deepEqual(stuck, []);
    });
});
