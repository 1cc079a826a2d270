import assert from "node:assert/strict";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { facts } from "../hostFacts.js";

const POLICY = `repositories:
  main: {location: ${facts.location}}
machines:
  prod:vm/web1:
    owner: team-web
    disks: /dev/web1
jobs:
  nightly:
    backup: all
    schedule: mon..fri 02:30
    retention: {last: 2}
restore-tests:
  - name: web1
    machine: prod:vm/web1
    level: intact
`;
const WAIT_MS = 30_000;

/** Asks again until there is an answer: help comes when the service has read the file. */
async function until<T>(ask: () => Thenable<T> | T, isThere: (answer: T) => boolean): Promise<T> {
  for (const endMs = Date.now() + WAIT_MS; ; ) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    if (Date.now() > endMs) assert.fail(`in vain: ${JSON.stringify(answer)}`);
    await sleep(100);
  }
}

describe("help with a policy in the extension host", () => {
  const uri = vscode.Uri.file(join(facts.workspace, "reprise.yml"));
  let document: vscode.TextDocument;
  const positionOf = (needle: string, behind = 0) => document.positionAt(document.getText().indexOf(needle) + behind);
  const replace = async (text: string) => {
    const edit = new vscode.WorkspaceEdit();
    edit.replace(uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
  };
  const lenses = () => vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri, 50);
  const titles = async () => (await lenses()).map(({ command }) => command?.title ?? "");
  const hover = async (needle: string) => {
    const at = positionOf(needle, 1);
    const found = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", uri, at);
    return found
      .flatMap(({ contents }) => contents.map((each) => (typeof each === "string" ? each : each.value)))
      .join()
      .replaceAll("\\", "");
  };

  before(async () => {
    const place = vscode.Uri.from({ scheme: "reprise", authority: facts.repositoryId, path: "/prod:vm/web1" });
    // opens the repository
    await vscode.workspace.fs.stat(vscode.Uri.joinPath(place, facts.snapshots[0], "sda"));
    await vscode.workspace.fs.writeFile(uri, Buffer.from(POLICY.replace("schedule:", "shedule:")));
    document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document);
  });

  it("tells a mistake at its place, and that it is gone", async () => {
    const ours = () => vscode.languages.getDiagnostics(uri).filter(({ source }) => source === "reprise");
    const [mistake] = await until(ours, ({ length }) => length > 0);
    assert.match(mistake?.message ?? "", /did you mean "schedule"/);
    assert.deepEqual([mistake?.range.start.line, mistake?.range.start.character], [9, 4]);
    await replace(POLICY);
    await until(ours, (found) => found.every(({ severity }) => severity !== vscode.DiagnosticSeverity.Error));
  });

  it("shows over a machine how it stands, and over a test how to run it", async () => {
    const found = await until(titles, (each) => each.length >= 2);
    assert.ok(
      found.some((title) => /never restored in a test/.test(title)),
      found.join(),
    );
    assert.ok(found.includes("$(play) Run test"), found.join());
  });

  it("explains schedule, retention and machine", async () => {
    assert.match(await until(() => hover("mon..fri"), Boolean), /Monday to Friday at 02:30[\s\S]*•/);
    const retention = await until(() => hover("retention"), Boolean);
    assert.match(retention, /newest 2 snapshots/);
    assert.match(retention, /2 stay, 1 go/);
    assert.match(await until(() => hover("prod:vm/web1"), Boolean), /never restored in a test/);
  });

  const ours = () => vscode.languages.getDiagnostics(uri).filter(({ source }) => source === "reprise");
  const messages = () => ours().map(({ message }) => message);

  it("says which machine has no backup yet", async () => {
    await replace(
      POLICY.replace("jobs:\n", "  vm/new:\n    owner: me\njobs:\n").replace("backup: all", "backup: prod:vm/web1"),
    );
    const found = await until(ours, (each) => each.some(({ message }) => /backup of vm\/new yet/.test(message)));
    const information = found.filter(({ message }) => /vm\/new/.test(message));
    assert.deepEqual(
      information.map(({ severity, range }) => [severity, range.start.line]),
      [[vscode.DiagnosticSeverity.Information, 6]],
    );
  });

  it("says what cannot be read, keeps what it knew, and never says that there is no backup", async () => {
    const away = `${facts.location}.away`;
    await rename(facts.location, away);
    try {
      await vscode.commands.executeCommand("reprise.refreshRestoreTests");
      await until(messages, (each) => each.some((message) => /^could not be checked: /.test(message)));
      assert.ok(
        messages().some((message) => /backup of vm\/new yet/.test(message)),
        messages().join(),
      );
      const found = await until(titles, (each) => each.some((title) => /could not be read/.test(title)));
      assert.ok(
        found.every((title) => !/no backup|never restored/.test(title)),
        found.join(),
      );
    } finally {
      await rename(away, facts.location);
    }
    await vscode.commands.executeCommand("reprise.refreshRestoreTests");
    await until(messages, (each) => each.every((message) => !/could not be checked/.test(message)));
    await until(titles, (each) => each.some((title) => /never restored/.test(title)));
    await replace(POLICY);
  });

  it("reads a policy again when a file that only it names is changed by another program", async () => {
    const named = join(facts.workspace, "elsewhere");
    const spec = (level: string) =>
      `apiVersion: reprise/v1\nkind: RestoreTest\nmetadata: {name: far}\nspec: {machine: vm/odd, level: ${level}}\n`;
    await mkdir(named);
    await writeFile(join(named, "far.yaml"), spec("intact"));
    await replace(`${POLICY}  - file: elsewhere/far.yaml\n`);
    await until(ours, (found) => found.every(({ severity }) => severity !== vscode.DiagnosticSeverity.Error));
    await until(titles, (each) => each.includes("$(play) Run test"));
    await writeFile(join(named, "far.yaml"), spec("perfect"));
    await until(messages, (each) => each.some((message) => /far\.yaml/.test(message)));
    await writeFile(join(named, "far.yaml"), spec("intact"));
    await until(messages, (each) => each.every((message) => !/far\.yaml/.test(message)));
    await replace(POLICY);
  });

  const completed = async (at: vscode.Position) => {
    const command = "vscode.executeCompletionItemProvider";
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(command, uri, at);
    return list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
  };

  it("completes keys by its own schemas", async () => {
    const keys = await completed(positionOf("    schedule", "    sche".length));
    assert.ok(
      ["schedule", "time-zone"].every((key) => keys.includes(key)),
      keys.join(),
    );
    assert.ok(!keys.includes("backup"), keys.join());
  });

  it("completes names", async () => {
    const at = positionOf("machine: prod", "machine: ".length);
    const names = await completed(at);
    assert.ok(
      ["prod:vm/web1", "vm/odd"].every((name) => names.includes(name)),
      names.join(),
    );
  });

  it("runs a restore test, and says how it ended", async () => {
    await document.save();
    await vscode.commands.executeCommand("reprise.runRestoreTest", uri.toString(), "web1");
    const found = await until(titles, (each) => each.some((title) => /\$\(pass\)/.test(title)));
    assert.ok(
      found.some((title) => /^\$\(pass\) restored intact/.test(title)),
      found.join(),
    );
    const now = await until(titles, (each) =>
      each.some((title) => /ago, restored intact|now, restored intact/.test(title)),
    );
    assert.ok(now.length > 0);
  });
});
