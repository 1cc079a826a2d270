import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { facts } from "../hostFacts.js";

const { fs } = vscode.workspace;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("the file system in the extension host", () => {
  let top: vscode.Uri;
  let odd: vscode.Uri;
  const at = (path: string) => vscode.Uri.joinPath(top, path);

  before(() => {
    const uri = (path: string) => vscode.Uri.from({ scheme: "reprise", authority: facts.repositoryId, path });
    top = uri(`/prod:vm/web1/${facts.snapshots[0]}/sda/p2`);
    odd = uri(`/vm/odd/${facts.odd}/sda/fs`);
  });

  it("cannot be written", async () => {
    assert.equal(fs.isWritableFileSystem("reprise"), false);
    const wrote = async () => await fs.writeFile(at("etc/hostname"), Buffer.from("x"));
    await assert.rejects(wrote, { code: "NoPermissions" });
    await assert.rejects(async () => await fs.delete(at("etc/hostname")), { code: "NoPermissions" });
  });

  it("tells what files are", async () => {
    const stat = await fs.stat(at("etc/hostname"));
    assert.deepEqual([stat.type, stat.size], [vscode.FileType.File, 5]);
    assert.equal(stat.mtime, Date.parse("2026-01-02T03:04:05Z"));
    assert.equal(stat.permissions, vscode.FilePermission.Readonly);
    const link = await fs.stat(at("web"));
    assert.equal(link.type, vscode.FileType.SymbolicLink | vscode.FileType.Directory);
    assert.equal((await fs.stat(at("broken"))).type, vscode.FileType.SymbolicLink);
  });

  it("lists folders, disks and volumes", async () => {
    const names = async (uri: vscode.Uri) => (await fs.readDirectory(uri)).map(([name, type]) => `${type} ${name}`);
    assert.deepEqual(await names(vscode.Uri.joinPath(top, "..", "..")), ["2 sda"]);
    assert.deepEqual(await names(vscode.Uri.joinPath(top, "..")), ["2 p1", "2 p2"]);
    assert.deepEqual(await names(at("")), ["2 etc", "2 home", "2 lost+found", "2 var", "64 broken", "64 web"]);
    await assert.rejects(async () => await fs.readDirectory(at("etc/hostname")), { code: "FileNotADirectory" });
  });

  it("reads files, through links, too", async () => {
    assert.equal(text(await fs.readFile(at("etc/hostname"))), "web1\n");
    assert.equal(text(await fs.readFile(at("web/current"))), "server {}\n");
    assert.equal((await fs.readFile(at("var/lib/data.bin"))).length, 3_000_000);
    await assert.rejects(async () => await fs.readFile(at("etc")), { code: "FileIsADirectory" });
    for (const missing of ["etc/nothing", "etc/hostname/x", "broken"])
      await assert.rejects(
        async () => await fs.readFile(at(missing)),
        (error: vscode.FileSystemError) => ["FileNotFound", "FileNotADirectory"].includes(error.code),
      );
  });

  it("reads a part of a file as a file of its own", async () => {
    const part = at("var/lib/sparse.bin").with({ query: `part=${1024 * 1024}-${1024 * 1024 + 4}` });
    assert.equal((await fs.stat(part)).size, 4);
    assert.equal(text(await fs.readFile(part)), "ssss");
    const nonsense = at("etc/hostname").with({ query: "part=x" });
    await assert.rejects(async () => await fs.readFile(nonsense), { code: "FileNotFound" });
  });

  it("refuses what is larger than the settings allow, and says what to do", async () => {
    const settings = vscode.workspace.getConfiguration("reprise.files");
    await settings.update("largestToOpen", 1, vscode.ConfigurationTarget.Global);
    try {
      const read = async () => await fs.readFile(at("var/lib/sparse.bin"));
      await assert.rejects(read, (error: Error) => /8 MiB.*part/.test(error.message));
    } finally {
      await settings.update("largestToOpen", undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it("finds names that are no text, and opens none that no file can have", async () => {
    const names = (await fs.readDirectory(at("home/old"))).map(([name]) => name);
    const bad = names.find((name) => name.startsWith("bad-"));
    assert.ok(bad !== undefined);
    // joinPath would take a backslash for a separator on some systems: build the path as the tree does
    const uri = top.with({ path: `${top.path}/home/old/${bad}` });
    assert.equal(text(await fs.readFile(uri)), "odd name\n");
    const hostile = (await fs.readDirectory(vscode.Uri.joinPath(odd, "d"))).map(([name]) => name);
    assert.ok(hostile.includes("good") && !hostile.some((name) => name.includes("/") || /\p{Cc}/u.test(name)));
  });

  it("copies a folder out to disk", async () => {
    const target = vscode.Uri.file(join(facts.workspace, "nginx"));
    await fs.copy(at("etc/nginx"), target);
    assert.equal(readFileSync(join(facts.workspace, "nginx", "sites", "default"), "utf8"), "server {}\n");
    assert.match(readFileSync(join(facts.workspace, "nginx", "nginx.conf"), "utf8"), /worker_processes 2/);
  });

  it("comes to the end of a folder that contains itself", async () => {
    const target = vscode.Uri.file(join(facts.workspace, "loop"));
    await Promise.allSettled([fs.copy(vscode.Uri.joinPath(odd, "loop"), target)]);
    assert.ok(!existsSync(join(facts.workspace, "loop", "again", "again")));
    const again = vscode.Uri.joinPath(odd, "loop", "again");
    await assert.rejects(async () => await fs.readDirectory(again), /same folder/);
  });

  it("knows neither other repositories nor other snapshots", async () => {
    const unknown = [
      top.with({ authority: "0".repeat(32) }),
      top.with({ path: top.path.replace(facts.snapshots[0], "0".repeat(32)) }),
      top.with({ authority: "", path: "/etc/passwd" }),
    ];
    for (const uri of unknown) await assert.rejects(async () => await fs.stat(uri));
  });

  it("opens a file in an editor", async () => {
    const document = await vscode.workspace.openTextDocument(at("etc/nginx/nginx.conf"));
    await vscode.window.showTextDocument(document);
    assert.match(document.getText(), /worker_processes 2/);
  });
});

describe("the extension in the extension host", () => {
  it("has all commands that its manifest declares", async () => {
    const extension = vscode.extensions.getExtension("reprise.reprise");
    assert.ok(extension);
    await extension.activate();
    const present = await vscode.commands.getCommands(true);
    const declared = extension.packageJSON.contributes.commands as { command: string; title: string }[];
    assert.deepEqual(
      declared.filter(({ command }) => !present.includes(command)),
      [],
    );
    assert.ok(declared.every(({ title }) => !title.includes("%")));
  });
});
