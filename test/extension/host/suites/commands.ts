import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { DECISIONS } from "../../support/commandDecisions.js";
import { facts } from "../hostFacts.js";

/** The window would be loaded anew, a repository more be there, or what other tests count on be changed. */
const APART = ["openInWorkspace", "makeDemo", "createRestoreTest", "restoreToWorkspace"];
const APART_OF_WEB1 = ["protect"];
const WAIT_MS = 30_000;

const configured = { location: facts.location, name: "Sample" };
const repository = { kind: "repository", configured };
const dataOf = (snapshotId: string, machine: string) => ({
  ...{ snapshotId, machine, timeMs: Date.now(), tags: [], notes: "" },
  ...{
    disks: [{ name: "sda", kind: "image", sizeBytes: 1, lostRanges: 0 }],
    sizeBytes: 1,
    newBytes: 1,
    storedBytes: 1,
  },
  ...{ protected: false, verification: null, restoreTest: null },
});
const [newest, ofWeb1] = [dataOf(facts.odd, "vm/odd"), dataOf(facts.snapshots[2], "prod:vm/web1")];
const machine = {
  ...{ kind: "machine", parent: repository, repository, shown: 1 },
  machine: { machine: "vm/odd", namespace: "", group: "vm/odd", snapshots: 1, newest },
};
const day = { kind: "day", parent: machine, day: 0, newest: true, snapshots: [newest] };
const snapshot = { kind: "snapshot", parent: day, repository, snapshot: newest };
const entry = (path: string, kind: string) => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const data = { name, path, kind, forbidden: false, problem: null, sizeBytes: 1, target: null };
  const of = { ...snapshot, snapshot: ofWeb1 };
  return { kind: "entry", parent: of, snapshot: of, repositoryId: facts.repositoryId, entry: data, shown: 1 };
};
const ROWS: Record<string, unknown> = {
  ...{ nothing: undefined, repository, machine, day, snapshot },
  folder: entry("/sda/p2/etc", "directory"),
  file: entry("/sda/p2/etc/hostname", "file"),
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
    await sleep(15);
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
      const apart = ["folder", "file"].includes(kind) ? [...APART, ...APART_OF_WEB1] : APART;
      for (const name of Object.keys(DECISIONS).filter((each) => !apart.includes(each)))
        if (!(await settles(name, row))) stuck.push(name);
      assert.deepEqual(stuck, []);
    });
});
