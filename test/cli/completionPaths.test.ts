// Completion of paths inside snapshots, by the verb that the scripts ask, and in a bash.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMPLETION_SCRIPTS } from "../../cli/completion/scripts.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliText } from "./runInProcess.js";

describe("completion of paths inside snapshots", () => {
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  before(async () => {
    folder = await makeTemporaryFolder("cli-completion-paths");
    env = { REPRISE_REPOSITORY: join(folder.path, "repository"), REPRISE_CACHE_DIR: join(folder.path, "cache") };
    const data = join(folder.path, "data");
    await mkdir(join(data, "etc", "nginx"), { recursive: true });
    await mkdir(join(data, "export"));
    for (const name of ["hosts", "hostname", "a b", "x$y", "ümlaut"]) await writeFile(join(data, "etc", name), name);
    await cliText(["init", "--no-encryption"], { env });
    await cliText(["backup", "--dir", data, "-g", "host/h", "--ns", "prod"], { env });
  });
  after(() => folder.remove());

  const offered = async (...words: string[]) => {
    const { stdout } = await cli(["complete", "--", ...words], { env });
    return stdout.split("\n").filter((line) => line !== "");
  };

  it("offers disks and the tops of file systems, then what is in a folder", async () => {
    const at = (path: string) => `prod:host/h@latest:${path}`;
    assert.deepEqual(await offered("ls", at("/")), ["/data/", "/etc/", "/export/"].map(at));
    assert.deepEqual(await offered("ls", at("/et")), [at("/etc/")]);
    assert.deepEqual(
      await offered("cat", at("/data/fs/etc/host")),
      ["/data/fs/etc/hostname", "/data/fs/etc/hosts"].map(at),
    );
    assert.deepEqual(await offered("restore", at("/etc/ng")), [at("/etc/nginx/")]);
    // names that a shell would take apart are not offered
    assert.deepEqual(
      await offered("find", at("/etc/")),
      ["hostname", "hosts", "nginx/", "ümlaut"].map((n) => at(`/etc/${n}`)),
    );
    assert.deepEqual(await offered("ls", at("/absent/")), []);
    assert.deepEqual(await offered("show", at("/")), []);
  });

  it("of a machine without a time in its newest snapshot", async () => {
    assert.deepEqual(await offered("history", "prod:host/h:/ex"), ["prod:host/h:/export/"]);
    assert.deepEqual(await offered("find", "prod:host/h:/ex"), ["prod:host/h:/export/"]);
  });

  it("in bash replaces the part behind the last colon, and leaves the cursor behind the slash of a folder", async () => {
    const program = join(folder.path, "reprise");
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${inProject("build", "cli", "main.js")}' "$@"\n`);
    await chmod(program, 0o755);
    const line = "reprise ls prod:host/h@latest:/et";
    const script = `${COMPLETION_SCRIPTS.bash}
compopt() { echo "option $*"; }
COMP_LINE='${line}'; COMP_POINT=${line.length}; _reprise; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = execFileSync("bash", ["-c", script], {
      env: { ...env, PATH: `${folder.path}:${process.env.PATH}` },
      encoding: "utf8",
    });
    assert.equal(answer, "option -o nospace\n/etc/\n");
  });
});
