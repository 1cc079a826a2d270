import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArchiveOptions } from "../../core/files/archive/walkForArchive.js";
import { zipFolder, zipTime } from "../../core/files/archive/zipFolder.js";
import type { FileNode, MachineTree, TreeNode } from "../../core/files/machineTree.js";
import { parseTreePath } from "../../core/files/treePath.js";
import type { FileStat, FileSystem, NodeId } from "../../core/filesystem/fileSystem.js";
import type { Manifest } from "../../core/format/manifest.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, withTree } from "../support/treeRepository.js";

const options: ArchiveOptions = { onSkipped: ({ path, reason }) => assert.fail(`${path}: ${reason}`) };
const ns = (date: string) => BigInt(Date.parse(date)) * 1_000_000n;

async function zipOf(tree: MachineTree, source: TreeNode): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of zipFolder(tree, source, Buffer.from("top"), options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function hasProgram(name: string): boolean {
  try {
    execFileSync("which", [name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Nothing but one file, which fails when it is read. */
function failingFile(error: Error): FileNode {
  const stat: FileStat = {
    ...{ id: "1" as NodeId, kind: "file", sizeBytes: 10, allocatedBytes: null, mode: 0o644, uid: 0, gid: 0 },
    ...{ linkCount: 1, modifiedAtNs: 0n, accessedAtNs: null, changedAtNs: null, createdAtNs: null, device: null },
  };
  const fileSystem = { read: () => Promise.reject(error) } as unknown as FileSystem;
  return { kind: "file", path: parseTreePath("/a"), volume: {} as FileNode["volume"], fileSystem, node: stat.id, stat };
}

describe("zip of a folder", function () {
  this.timeout(30_000);
  let temporary: TemporaryFolder;
  const at = (...names: string[]) => join(temporary.path, ...names);

  beforeEach(async () => {
    temporary = await makeTemporaryFolder("zip");
  });
  afterEach(() => temporary.remove());

  it("takes files of all times", async () => {
    const test = await TestRepository.make();
    mkdirSync(at("tree"));
    const times = [
      "1901-12-14",
      "1969-12-31 23:59:59.5",
      "1970-01-01",
      "1979-06-01",
      "2026-01-01",
      "2039-05-05",
      "2200-01-01",
    ];
    times.forEach((time, i) => {
      writeFileSync(at("tree", `file-${i}`), time);
      execFileSync("touch", ["-d", `${time} UTC`, at("tree", `file-${i}`)]);
      execFileSync("ln", ["-s", time, at("tree", `link-${i}`)]);
      execFileSync("touch", ["-h", "-d", `${time} UTC`, at("tree", `link-${i}`)]);
    });
    execFileSync("touch", ["-d", "1950-01-01 UTC", at("tree")]);
    const { manifest } = await backUpFolder(test, at("tree"));
    const zip = await withTree(test, manifest as Manifest, async (tree) =>
      zipOf(tree, await tree.resolve(parseTreePath("/www/fs"))),
    );
    writeFileSync(at("a.zip"), zip);
    if (!hasProgram("python3")) return;
    execFileSync("python3", ["-m", "zipfile", "-e", at("a.zip"), at("out")]);
    times.forEach((time, i) => {
      assert.equal(readFileSync(at("out", "top", `file-${i}`), "utf8"), time);
    });
  });

  it("says the nearest time that zip has", () => {
    assert.deepEqual(zipTime(ns("1901-12-14")), { mtime: new Date(0), forceDosTimestamp: false });
    assert.deepEqual(zipTime(-1n), { mtime: new Date(0), forceDosTimestamp: false });
    const now = "2026-01-02T03:04:05.678Z";
    assert.deepEqual(zipTime(ns(now)), { mtime: new Date(now), forceDosTimestamp: false });
    assert.deepEqual(zipTime(ns("2038-01-19T03:14:08Z")).forceDosTimestamp, true);
    const last = { mtime: new Date("2107-12-31T23:59:58Z"), forceDosTimestamp: true };
    assert.deepEqual(zipTime(ns("2200-01-01")), last);
    assert.deepEqual(zipTime(2n ** 80n), last);
  });

  it("ends with the error of a file that fails in the middle", async () => {
    const error = new Error("the storage is gone");
    await assert.rejects(zipOf({} as MachineTree, failingFile(error)), error);
  });
});
