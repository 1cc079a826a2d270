import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tarFolder } from "../../core/files/archive/tarFolder.js";
import { parseTreePath } from "../../core/files/treePath.js";
import { attributeName, attributeNameBytes } from "../../core/filesystem/attributeName.js";
import type { Manifest } from "../../core/format/manifest.js";
import { canReadAttributes } from "../../core/source/extendedAttributes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, restoreTree, withTree } from "../support/treeRepository.js";

/** As setfattr(1) reads them: not UTF-8, text, the signs of its own format, and a mark that decoders drop. */
const DUMP = [
  "user.\\377 weird=0sQQ==",
  "user.\\303\\274=0sQg==",
  "user.a\\075b\\134c\\012d%25=0sQw==",
  "user.\\357\\273\\277bom=0sRA==",
];

/** Sorted lines of getfattr, one character a byte. */
function attributesOf(folder: string, file: string): string[] {
  const args = ["-d", "-m", "^user", "-e", "hex", file];
  const lines = execFileSync("getfattr", args, { cwd: folder, encoding: "latin1" }).split("\n");
  return lines.filter((line) => line.startsWith("user.")).sort();
}

describe("names of extended attributes", function () {
  this.timeout(30_000);
  let temporary: TemporaryFolder;
  let test: TestRepository;
  const at = (...names: string[]) => join(temporary.path, ...names);

  beforeEach(async function () {
    temporary = await makeTemporaryFolder("attribute-names");
    test = await TestRepository.make();
    mkdirSync(at("tree"));
    writeFileSync(at("tree", "a"), "text");
    if (!(await canReadAttributes())) this.skip();
    try {
      const input = `# file: a\n${DUMP.join("\n")}\n\n`;
      execFileSync("setfattr", ["--restore=-"], { cwd: at("tree"), input, stdio: ["pipe", "ignore", "ignore"] });
    } catch {
      this.skip();
    }
  });
  afterEach(() => temporary.remove());

  it("come back byte by byte", async () => {
    const before = attributesOf(at("tree"), "a");
    assert.equal(before.length, DUMP.length);
    assert.ok(before.some((line) => line.startsWith("user.\xff weird")));
    const { manifest } = await backUpFolder(test, at("tree"));
    assert.deepEqual(test.takeWarnings(), []);
    await restoreTree(test, manifest as Manifest, at("out"));
    assert.deepEqual(attributesOf(at("out"), "a"), before);
  });

  it("are in tar as GNU tar reads them", async () => {
    const { manifest } = await backUpFolder(test, at("tree"));
    const tar = await withTree(test, manifest as Manifest, async (tree) => {
      const pieces: Uint8Array[] = [];
      const source = await tree.resolve(parseTreePath("/www/fs"));
      const onSkipped = () => assert.fail("skipped");
      for await (const piece of tarFolder(tree, source, null, { onSkipped })) pieces.push(piece);
      return Buffer.concat(pieces);
    });
    mkdirSync(at("out"));
    execFileSync("tar", ["-x", "--xattrs", "-f", "-"], { cwd: at("out"), input: tar });
    assert.deepEqual(attributesOf(at("out"), "a"), attributesOf(at("tree"), "a"));
  });
});

describe("the name of an attribute", () => {
  it("is text, or text to show and its bytes", () => {
    assert.deepEqual(attributeName(Buffer.from("user.ü")), { name: "user.ü" });
    const odd = attributeName(Buffer.from("user.\xff", "latin1"));
    assert.equal(odd.name, "user.\\xff");
    assert.deepEqual(Buffer.from(attributeNameBytes(odd)), Buffer.from("user.\xff", "latin1"));
  });
});
