import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { DEPTH, HUGE_BYTES, HUGE_MARKS, MANY, ODD_NAMES } from "../../support/crowdedNumbers.js";
import { facts } from "../hostFacts.js";

const { fs } = vscode.workspace;
const run = promisify(execFile);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const uriIn = (authority: string, path: string) => vscode.Uri.from({ scheme: "reprise", authority, path });
const target = (name: string) => vscode.Uri.file(join(facts.workspace, name));
/** The editor makes the file before it asks for the bytes, and leaves it: empty at the most. */
const bytesAt = (name: string) => statSync(target(name).fsPath, { throwIfNoEntry: false })?.size ?? 0;
const fails = async (act: () => Thenable<unknown>, code: string, ...words: RegExp[]) => {
  await assert.rejects(
    async () => await act(),
    (error: vscode.FileSystemError) => {
      assert.equal(error.code, code, error.message);
      for (const word of words) assert.match(error.message, word);
      return true;
    },
  );
};

describe("damage in the extension host", () => {
  const { damaged } = facts;
  const at = (path: string) =>
    uriIn(damaged.repositoryId, `/prod:vm/web1/${damaged.snapshot}/sda/p2${path === "" ? "" : `/${path}`}`);
  const words = [
    /var\/lib\/data\.bin/,
    /bytes \d+–\d+ of 3000000/,
    new RegExp(damaged.chunk),
    new RegExp(damaged.pack),
  ];

  it("is told with the file, its range, the chunk and what to do", async () => {
    await fails(() => fs.readFile(at("var/lib/data.bin")), "Unavailable", ...words, /Open a Part/);
    await assert.rejects(async () => await vscode.workspace.openTextDocument(at("var/lib/data.bin")), words[1]);
  });

  it("of one file leaves everything beside it", async () => {
    assert.equal((await fs.stat(at("var/lib/data.bin"))).size, 3_000_000);
    assert.equal((await fs.readDirectory(at("var/lib"))).length, 3);
    assert.equal(text(await fs.readFile(at("etc/hostname"))), "web1\n");
    const part = at("var/lib/data.bin").with({ query: "part=0-1000" });
    assert.equal((await fs.readFile(part)).length, 1000);
  });

  it("leaves no file that looks whole when it is copied out", async () => {
    await fails(() => fs.copy(at("var/lib/data.bin"), target("half.bin")), "Unavailable", ...words);
    assert.equal(bytesAt("half.bin"), 0);
    await assert.rejects(async () => await fs.copy(at("var"), target("half")));
    const left = readdirSync(target("half").fsPath, { recursive: true, encoding: "utf8" });
    for (const name of left.filter((each) => /data\.bin|same\.bin/.test(each)))
      assert.equal(bytesAt(join("half", name)), 0, name);
  });
});

describe("writing to a backup in the extension host", () => {
  it("is refused, whatever it is", async () => {
    const top = uriIn(facts.repositoryId, `/prod:vm/web1/${facts.snapshots[0]}/sda/p2`);
    const at = (path: string) => vscode.Uri.joinPath(top, path);
    await fails(() => fs.writeFile(at("etc/hostname"), Buffer.from("x")), "NoPermissions");
    await fails(() => fs.writeFile(at("etc/new"), Buffer.from("x")), "NoPermissions");
    await fails(() => fs.createDirectory(at("etc/folder")), "NoPermissions");
    await fails(() => fs.delete(at("etc"), { recursive: true }), "NoPermissions");
    await fails(() => fs.rename(at("etc/hostname"), at("etc/x")), "NoPermissions");
    await fails(() => fs.copy(at("etc/hostname"), at("etc/x")), "NoPermissions");
    const edit = new vscode.WorkspaceEdit();
    edit.deleteFile(at("etc/hostname"));
    assert.equal(await vscode.workspace.applyEdit(edit), false);
    assert.equal(text(await fs.readFile(at("etc/hostname"))), "web1\n");
  });
});

describe("too much of something in the extension host", () => {
  const { crowded } = facts;
  const top = uriIn(crowded.repositoryId, `/vm/crowded/${crowded.crowded}/sda/fs`);
  const at = (path: string) => top.with({ path: `${top.path}/${path}` });

  it("is a folder with many entries, and 1,000 folders in each other", async () => {
    assert.equal((await fs.readDirectory(at("many"))).length, MANY);
    const bottom = Array.from({ length: DEPTH }, () => "d").join("/");
    assert.deepEqual(await fs.readDirectory(at(bottom)), [["bottom.txt", vscode.FileType.File]]);
    assert.equal(text(await fs.readFile(at(`${bottom}/bottom.txt`))), "deep\n");
  });

  it("is a file of 5 GiB: refused as a whole, readable in parts up to its end", async () => {
    const huge = at("huge.bin");
    assert.equal((await fs.stat(huge)).size, HUGE_BYTES);
    await fails(() => fs.readFile(huge), "Unavailable", /5 GiB/, /part/);
    await fails(() => fs.copy(huge, target("huge.bin")), "Unavailable");
    assert.equal(bytesAt("huge.bin"), 0);
    for (const [from, mark] of HUGE_MARKS) {
      const part = huge.with({ query: `part=${from}-${from + 16}` });
      const bytes = await fs.readFile(part);
      assert.equal((await fs.stat(part)).size, bytes.length);
      assert.equal(text(bytes.subarray(0, 8)), mark);
    }
    const beyond = huge.with({ query: `part=${HUGE_BYTES}-${HUGE_BYTES + 5}` });
    assert.equal((await fs.readFile(beyond)).length, 0);
  });

  it("is names that mean something to a terminal, a page or the editor: each is one file", async () => {
    const names = (await fs.readDirectory(at("odd"))).map(([name]) => name);
    assert.equal(names.length, ODD_NAMES.length);
    assert.ok(
      names.every((name) => !/[\p{Cc}\p{Cf}/]/u.test(name)),
      names.join("\n"),
    );
    const numbers = await Promise.all(names.map(async (name) => Number(text(await fs.readFile(at(`odd/${name}`))))));
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      ODD_NAMES.map((_, i) => i),
    );
    // as the editor makes them
    for (const name of names) assert.equal((await fs.stat(vscode.Uri.joinPath(at("odd"), name))).type, 1, name);
    for (const way of ["odd/../../..", "odd/..", "odd/./", "../../../../etc/passwd"])
      await fails(() => fs.readFile(at(way)), "FileNotFound").catch((error: Error) => {
        // the editor itself takes dots out of a path
        assert.match(error.message, /FileIsADirectory|is a directory|FileNotFound/, way);
      });
  });

  it("is copied out without leaving the target", async () => {
    await fs.copy(at("odd"), target("odd"));
    assert.equal(readdirSync(target("odd").fsPath).length, ODD_NAMES.length);
    assert.equal(readFileSync(join(target("odd").fsPath, "-rf"), "utf8"), `${ODD_NAMES.indexOf("-rf")}\n`);
  });
});

describe("a repository that changes under the editor", () => {
  const { crowded } = facts;
  const at = (snapshot: string, path: string) =>
    uriIn(crowded.repositoryId, `/prod:vm/web1/${snapshot}/sda/p2${path === "" ? "" : `/${path}`}`);
  const [oldest, middle, newest] = crowded.snapshots;

  it("is away and comes back", async () => {
    assert.equal((await fs.readDirectory(at(newest, ""))).length, 6);
    renameSync(crowded.location, `${crowded.location}.away`);
    try {
      await fails(() => fs.readFile(at(middle, "etc/hostname")), "Unavailable", /no longer/, /Mount it again/);
      await fails(() => fs.readDirectory(at(oldest, "")), "Unavailable");
    } finally {
      renameSync(`${crowded.location}.away`, crowded.location);
    }
    assert.equal(text(await fs.readFile(at(middle, "etc/hostname"))), "web1\n");
  });

  it("says that a snapshot is gone which somebody else has forgotten and collected", async () => {
    const env = { ...process.env, REPRISE_REPOSITORY: crowded.location, ELECTRON_RUN_AS_NODE: "1" };
    const reprise = (...args: string[]) => run(process.execPath, [facts.program, ...args], { env });
    for (const id of [oldest, middle, crowded.odd]) await reprise("forget", id);
    await reprise("gc", "--max-unused", "0", "--confirm");
    const gone = uriIn(crowded.repositoryId, `/vm/odd/${crowded.odd}/sda/fs/d`);
    await fails(() => fs.readDirectory(gone), "FileNotFound", /there is no snapshot/, /refresh/);
    assert.equal((await fs.readDirectory(at(newest, "etc"))).length > 3, true);
    assert.equal((await fs.readFile(at(newest, "var/lib/data.bin"))).length, 3_000_000);
  });
});

describe("settings of any shape", () => {
  const settings = vscode.workspace.getConfiguration("reprise");
  const set = (name: string, value: unknown) => settings.update(name, value, vscode.ConfigurationTarget.Global);
  const junk: unknown[] = [
    5,
    "x",
    true,
    null,
    {},
    [[]],
    [5, null, "", {}, { location: 5 }, { location: "", name: {} }],
  ];
  const etc = uriIn(facts.repositoryId, `/prod:vm/web1/${facts.snapshots[0]}/sda/p2/etc`);

  for (const name of ["repositories", "machines", "files.askAbove", "files.largestToOpen", "qemuPath"])
    it(`cannot break anything: reprise.${name}`, async () => {
      const before = settings.inspect(name)?.globalValue;
      try {
        for (const value of [...junk, { a: { b: [1, { c: null }] } }]) {
          await set(name, value);
          await vscode.commands.executeCommand("reprise.refresh");
          await vscode.commands.executeCommand("reprise.refreshRestoreTests");
          if (name === "repositories") await assert.rejects(async () => await fs.readDirectory(etc), /no repository/);
          else assert.equal(text(await fs.readFile(vscode.Uri.joinPath(etc, "hostname"))), "web1\n");
        }
      } finally {
        await set(name, before);
      }
      assert.equal(text(await fs.readFile(vscode.Uri.joinPath(etc, "hostname"))), "web1\n");
    });
});
