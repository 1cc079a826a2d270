import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { completionOf } from "../../cli/completion/candidates.js";
import { COMPLETION_SCRIPTS } from "../../cli/completion/scripts.js";
import { GLOBAL_OPTIONS } from "../../cli/globalOptions.js";
import { VERB_LIST } from "../../cli/verbList.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson } from "./runInProcess.js";

const complete = (...words: string[]) => completionOf(words, VERB_LIST, GLOBAL_OPTIONS);
const values = (...words: string[]) => complete(...words).candidates.map(({ value }) => value);

describe("completion", () => {
  it("of verbs, also below another word, and never of hidden ones", () => {
    assert.deepEqual(values("b"), ["backup", "boot"]);
    assert.deepEqual(values("--quiet", "re"), ["restore", "repair"]);
    assert.deepEqual(values("key", ""), ["list", "add", "remove", "change", "recovery", "keeper", "signing"]);
    assert.deepEqual(values("key", "signing", ""), ["generate", "public"]);
    assert.ok(!values("").includes("complete"));
  });

  it("of options of the verb and of every verb", () => {
    assert.deepEqual(values("backup", "--gr"), ["--group"]);
    assert.deepEqual(values("snapshots", "--pa"), ["--passphrase-file"]);
    assert.deepEqual(values("backup", "x", "--codec", ""), ["zstd", "lz4", "none"]);
    assert.deepEqual(values("backup", "--codec=l"), ["--codec=lz4"]);
    assert.ok(values("prune", "--keep-").includes("--keep-weekly"));
    assert.deepEqual(values("key", "add", "--l"), ["--label"]);
  });

  it("knows where files, snapshots and machines belong", () => {
    assert.equal(complete("backup", "").wants, "file");
    assert.equal(complete("backup", "--group", "").wants, "group");
    assert.equal(complete("restore", "").wants, "snapshot");
    assert.equal(complete("restore", "vm/a@latest", "--to", "").wants, "file");
    assert.equal(complete("restore", "vm/a@latest", "").wants, "nothing");
    assert.equal(complete("-r", "/x", "show", "").wants, "snapshot");
    assert.equal(complete("protect", "a", "b", "").wants, "snapshot");
  });

  it("scripts are sound, for the shells that are here", () => {
    for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS)) {
      if (spawnSync(shell, ["-c", "exit 0"]).status !== 0) continue;
      const checked = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
      assert.equal(checked.status, 0, `${shell}: ${checked.stderr}`);
    }
  });

  it("in bash completes verbs, files, and snapshots of the repository", async () => {
    const folder = await makeTemporaryFolder("cli-completion");
    try {
      const env = {
        REPRISE_REPOSITORY: join(folder.path, "repository"),
        REPRISE_CACHE_DIR: join(folder.path, "cache"),
      };
      await writeFile(join(folder.path, "disk.raw"), "bytes");
      const program = join(folder.path, "reprise");
      await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${inProject("build/cli/main.js")}' "$@"\n`);
      await chmod(program, 0o755);
      await cliJson(["init", "--no-encryption"], { env });
      await cliJson(["backup", join(folder.path, "disk.raw"), "-g", "vm/web1", "--ns", "prod"], { env });
      const script = (await cli(["completion", "bash"])).stdout;
      const ask = (line: string) => {
        const code = `${script}\nCOMP_LINE='${line}'; COMP_POINT=${line.length}; _reprise; printf '%s\\n' "\${COMPREPLY[@]}"`;
        const surroundings = { ...env, PATH: `${folder.path}:${process.env.PATH}` };
        return execFileSync("bash", ["--norc", "--noprofile", "-c", code], {
          cwd: folder.path,
          env: surroundings,
          encoding: "utf8",
        })
          .trim()
          .split("\n");
      };
      assert.deepEqual(ask("reprise snap"), ["snapshots"]);
      assert.deepEqual(ask("reprise backup di"), ["disk.raw"]);
      assert.deepEqual(ask("reprise backup --group "), ["prod:vm/web1"]);
      assert.deepEqual(ask("reprise show prod:vm/web1@l"), ["latest"], "bash replaces only what follows the @");
      assert.equal(ask("reprise show ").length, 3);
    } finally {
      await folder.remove();
    }
  });

  it("says nothing when it cannot know", async () => {
    const { stdout, code } = await cli(["complete", "--", "show", ""], { env: {} });
    assert.deepEqual([code, stdout], [0, ""]);
    assert.equal((await cli(["completion", "tcsh"])).code, 64);
  });
});
