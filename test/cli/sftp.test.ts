// The command line with a repository on a real SSH server, and the same repository as a local folder afterwards.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SshServer, sshServer } from "../support/sshServer.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText } from "./runInProcess.js";

for (const transport of ["ssh2", "ssh"] as const) {
  describe(`command line over SFTP (${transport})`, function () {
    this.timeout(120_000);
    let folder: TemporaryFolder;
    let server: SshServer;
    let root: string;
    let env: Record<string, string>;
    before(async () => {
      folder = await makeTemporaryFolder("cli-sftp");
      server = await sshServer();
      root = join(server.newRoot(), "made by init");
      env = {
        REPRISE_REPOSITORY: server.location(encodeURI(root), { transport }),
        REPRISE_PASSPHRASE: "canary passphrase",
        REPRISE_SFTP_PASSWORD: "canary password",
      };
    });
    after(() => folder.remove());

    it("backs up, shows, verifies, restores, forgets and collects", async () => {
      const disk = join(folder.path, "disk.img");
      const contents = Buffer.concat([randomBytes(5_000_000), Buffer.alloc(2_000_000), randomBytes(500_000)]);
      await writeFile(disk, contents);
      await cliJson(["init", "--pack-size", "4M", "--recovery-key-file", join(folder.path, "key.txt")], { env });
      const first = await cliJson<{ snapshotId: string }>(["backup", disk, "--group", "vm/web1"], { env });
      contents.set(randomBytes(1_000_000), 1_000_000);
      await writeFile(disk, contents);
      const second = await cliJson<{ snapshotId: string }>(["backup", disk, "--group", "vm/web1"], { env });
      assert.equal((await cliJson<unknown[]>(["snapshots"], { env })).length, 2);
      await cliText(["verify", "--read-data"], { env });
      const target = join(folder.path, "restored.img");
      await cliText(["restore", second.snapshotId, "--to", target], { env });
      assert.ok((await readFile(target)).equals(contents));
      await cliText(["forget", first.snapshotId], { env });
      await cliText(["gc"], { env });
      await cliText(["verify", "--read-data"], { env });
    });

    it("leaves a folder that is a local repository", async () => {
      const local = { ...env, REPRISE_REPOSITORY: root };
      assert.equal((await cliJson<unknown[]>(["snapshots"], { env: local })).length, 1);
      await cliText(["verify", "--read-data"], { env: local });
      await cliText(["backup", join(folder.path, "disk.img"), "--group", "vm/web2"], { env: local });
      assert.equal((await cliJson<unknown[]>(["snapshots"], { env })).length, 2);
    });

    it("says what is wrong, with an exit code, and prints no secret", async () => {
      const unknown = server.location(encodeURI(root), { transport, hostKey: null, knownHosts: "/dev/null" });
      const wrongKey = server.location(encodeURI(root), { transport, identity: server.file("strangerKey") });
      const withPassword = `sftp://u:canary@127.0.0.1:${server.port}/x`;
      for (const [location, code, exit] of [
        [unknown, "SFTP_HOST_KEY_UNKNOWN", 2],
        [wrongKey, "SFTP_AUTH_FAILED", 2],
        [withPassword, "STORAGE_LOCATION_INVALID", 64],
      ] as const) {
        const said = await cli(["snapshots", "--json"], { env: { ...env, REPRISE_REPOSITORY: location } });
        assert.equal(said.code, exit, said.stderr);
        assert.match(said.stdout + said.stderr, new RegExp(code));
        assert.doesNotMatch(said.stdout + said.stderr, /canary/);
      }
    });
  });
}
