import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkConfigFile, loadConfig, looksLikeConfig } from "../../core/config/loadConfig.js";
import { assertCode } from "../support/assertCode.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const signal = new AbortController().signal;

describe("a configuration on disk", () => {
  let folder: TemporaryFolder;

  before(async () => {
    folder = await makeTemporaryFolder("load-config");
  });

  after(async () => {
    await folder.remove();
  });

  async function write(name: string, text: string | Uint8Array): Promise<string> {
    const path = join(folder.path, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
    return path;
  }

  it("finds the files that it names beside it, wherever it is read from", async () => {
    const spec = (name: string) =>
      `apiVersion: reprise/v1\nkind: RestoreTest\nmetadata: {name: ${name}}\nspec: {machine: vm/a}\n`;
    for (const name of ["a", "deep/b", ".hidden/c", "node_modules/d"])
      await write(`tests/${name}.yaml`, spec(name.at(-1)!));
    // a link to a folder above would go round for ever
    await symlink("..", join(folder.path, "tests/deep/up"));
    const path = await write("reprise.yml", "machines: {vm/a: }\nrestore-tests: [{file: tests/**/*.yaml}]\n");
    const { restoreTests } = await loadConfig(path, signal);
    assert.deepEqual(
      restoreTests.map(({ name, fileName }) => [name, fileName]),
      [
        ["a", join(folder.path, "tests/a.yaml")],
        ["b", join(folder.path, "tests/deep/b.yaml")],
      ],
    );
  });

  it("tells that a folder of a pattern cannot be listed as a whole, and does not find fewer tests", async () => {
    const none = await write("elsewhere.yml", "restore-tests: [{file: reprise.yml/*.yaml}]\n");
    assert.match(
      (await checkConfigFile(none, signal))[0]?.message ?? "",
      /folder reprise\.yml cannot be listed \(ENOTDIR\)/,
    );
    await mkdir(join(folder.path, "many/deep"), { recursive: true });
    for (let at = 0; at <= 20_000; at++) writeFileSync(join(folder.path, `many/deep/${at}.txt`), "");
    const many = await write("many.yml", "restore-tests: [{file: 'many/**/*.yaml'}]\n");
    const [problem] = await checkConfigFile(many, signal);
    assert.match(problem?.message ?? "", /cannot be listed \(there are more than 20000 files\)/);
    // what no file of the pattern can stand in is not looked at
    const flat = await write("flat.yml", "restore-tests: [{file: 'many/*.yaml'}]\n");
    assert.match((await checkConfigFile(flat, signal))[0]?.message ?? "", /"many\/\*\.yaml" matches no file/);
  });

  it("tells what is wrong in them with their places", async () => {
    await write("spec.yaml", "kind: RestoreTest\nspec: {}\n");
    const path = await write("broken.yml", "restore-tests: [{file: spec.yaml}, {file: none.yaml}]\n");
    const problems = await checkConfigFile(path, signal);
    assert.deepEqual([...new Set(problems.map(({ file }) => file))], [path, join(folder.path, "spec.yaml")]);
    await assertCode(loadConfig(path, signal), "CONFIG_INVALID");
  });

  it("is refused when it is no file, far too large, or no text", async () => {
    await assertCode(loadConfig(join(folder.path, "none.yml"), signal), "CONFIG_UNREADABLE");
    await assertCode(loadConfig(folder.path, signal), "CONFIG_UNREADABLE");
    await assertCode(loadConfig("/dev/zero", signal), "CONFIG_UNREADABLE");
    await assertCode(loadConfig(await write("latin1.yml", new Uint8Array([0x23, 0xe4])), signal), "CONFIG_UNREADABLE");
    await assert.rejects(loadConfig(folder.path, AbortSignal.abort()), { name: "AbortError" });
  });

  it("is told from a restore-test spec", async () => {
    assert.ok(looksLikeConfig(await readFile(inProject("test/config/example.yml"), "utf8")));
    assert.ok(looksLikeConfig("# comment\njobs:\n  spec: {verify: all}\n"));
    assert.ok(
      !looksLikeConfig("apiVersion: reprise/v1\nkind: RestoreTest\nmetadata: {name: jobs}\nspec:\n  machine: vm/a\n"),
    );
    assert.ok(!looksLikeConfig(""));
  });
});
