// ls, cat, find, history and restore of files, through a repository with three snapshots of one machine.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TEXTS } from "../files/machineDisk.js";
import { type MachineRepository, makeMachineRepository } from "../files/machineRepository.js";
import { cli, cliJson, cliText } from "./runInProcess.js";

interface FileDocument {
  path: string;
  kind: string;
  sizeBytes: number;
}

describe("verbs on files", function () {
  this.timeout(60_000);
  let machine: MachineRepository;
  const text = (...args: string[]) => cliText(args, { env: machine.env });
  const json = <T>(...args: string[]) => cliJson<T>(args, { env: machine.env });

  before(async () => {
    machine = await makeMachineRepository();
  });
  after(() => machine.folder.remove());

  it("ls shows disks, volumes and files", async () => {
    assert.equal(await text("ls", "prod:vm/web1@latest"), "sda/\n");
    const volumes = await text("ls", "prod:vm/web1@latest:/sda");
    assert.match(volumes, /^p1\/ {2}fat12, "EFI", EFI system/m);
    assert.match(volumes, /^p2\/ {2}ext4, "root", Linux filesystem/m);
    const long = await text("ls", "-l", "prod:vm/web1@latest:/etc");
    assert.match(long, /^-rw------- .*mode\.conf$/m);
    assert.match(long, /^lrwxrwxrwx .*becomes-link -> hostname$/m);
    const { files } = await json<{ files: FileDocument[] }>("ls", "-R", `${machine.snapshots[0]}:/home`);
    assert.deepEqual(
      files.map(({ path }) => path),
      ["/sda/p2/home/old", "/sda/p2/home/old/bad-\\xff\\x01", "/sda/p2/home/old/ü \\\\x41.txt"],
    );
  });

  it("paths that ls shows are read back", async () => {
    for (const path of ["/home/old/bad-\\xff\\x01", "/home/old/ü \\\\x41.txt"])
      assert.match(await text("cat", `prod:vm/web1@latest:${path}`), /^(odd name|spaced)\n$/);
  });

  it("cat writes one file as it was", async () => {
    assert.equal(await text("cat", "prod:vm/web1~1:/etc/nginx/nginx.conf"), TEXTS["etc/nginx/nginx.conf"]);
    assert.match(await text("cat", "prod:vm/web1@latest:/web/nginx.conf"), /log off/);
    const { code, stderr } = await cli(["cat", "prod:vm/web1@latest:/etc"], { env: machine.env });
    assert.equal(code, 64, stderr);
  });

  it("find finds by name, path, size, time and kind", async () => {
    const found = async (...args: string[]) => (await text("find", ...args)).split("\n").filter((line) => line !== "");
    assert.deepEqual(await found("prod:vm/web1@latest:/etc", "--name", "*.conf"), [
      "/sda/p2/etc/added.conf",
      "/sda/p2/etc/mode.conf",
      "/sda/p2/etc/nginx/nginx.conf",
    ]);
    assert.deepEqual(await found("prod:vm/web1@latest", "--path", "/etc/*/default"), [
      "/sda/p2/etc/nginx/sites/default",
    ]);
    assert.deepEqual(await found("prod:vm/web1@latest", "--size", "+3M", "--name", "*.bin"), [
      "/sda/p2/var/lib/sparse.bin",
    ]);
    assert.deepEqual(await found("prod:vm/web1@latest:/etc", "--type", "l"), [
      "/sda/p2/etc/becomes-link -> hostname",
      "/sda/p2/etc/nginx/current -> ../nginx/sites/default",
    ]);
    assert.deepEqual(await found("prod:vm/web1@latest:/etc", "--type", "d"), [
      "/sda/p2/etc/nginx/",
      "/sda/p2/etc/nginx/sites/",
    ]);
    const newer = await found("prod:vm/web1@latest:/", "--newer", ":/etc/hostname", "--name", "hostname");
    assert.deepEqual(newer, []);
    const { files } = await json<{ files: FileDocument[] }>("find", "prod:vm/web1@latest:/etc", "--name", "hostname");
    assert.deepEqual(
      files.map(({ path, kind, sizeBytes }) => [path, kind, sizeBytes]),
      [["/sda/p2/etc/hostname", "file", 5]],
    );
  });

  it("find looks into all snapshots of a machine", async () => {
    interface Found {
      found: (FileDocument & { snapshots: { snapshotId: string }[] })[];
      snapshots: number;
    }
    const { found, snapshots } = await json<Found>("find", "prod:vm/web1:/etc", "--name", "*.conf", "--all-snapshots");
    assert.equal(snapshots, 3);
    const seen = found.map(({ path, snapshots: ids }) => [path.slice("/sda/p2/etc/".length), ids.length]);
    assert.deepEqual(seen, [
      ["added.conf", 1],
      ["mode.conf", 3],
      ["nginx/nginx.conf", 2],
      ["nginx/nginx.conf", 1],
      ["removed.conf", 2],
    ]);
    assert.match(
      await text("find", "prod:vm/web1:/", "--name", "added*", "--all-snapshots"),
      /added\.conf {2}\S+ \(1 snapshot\)/,
    );
    const { code } = await cli(["find", "prod:vm/web1@latest:/", "--all-snapshots"], { env: machine.env });
    assert.equal(code, 64);
    const missing = await cli(["find", "prod:vm/web1:/no/such", "--all-snapshots"], { env: machine.env });
    assert.equal(missing.code, 2);
  });

  it("history shows versions by content and when there was none", async () => {
    interface History {
      versions: { number: number; sizeBytes: number; snapshots: number; sha256: string | null }[];
      periods: { version: number | null; snapshots: number }[];
    }
    const of = (path: string) => json<History>("history", `prod:vm/web1:${path}`);
    const changed = await of("/etc/nginx/nginx.conf");
    assert.deepEqual(
      changed.periods.map(({ version, snapshots }) => [version, snapshots]),
      [
        [1, 2],
        [2, 1],
      ],
    );
    const same = await of("/var/lib/data.bin");
    assert.deepEqual(
      same.versions.map(({ number, snapshots, sha256 }) => [number, snapshots, sha256]),
      [[1, 3, null]],
    );
    // another mode is no other version
    assert.equal((await of("/etc/mode.conf")).versions.length, 1);
    assert.deepEqual(
      (await of("/etc/added.conf")).periods.map(({ version }) => version),
      [null, 1],
    );
    assert.deepEqual(
      (await of("/etc/nginx")).versions.map(({ snapshots }) => snapshots),
      [3],
    );
    assert.equal((await of("/etc")).versions.length, 2);
    assert.match(await text("history", "prod:vm/web1:/etc/added.conf"), /–.*not there/);
  });

  it("restore brings back files, and says what it leaves out", async () => {
    const to = join(machine.folder.path, "restored");
    const report = await json<Record<string, unknown>>("restore", "prod:vm/web1~1:/etc", "--to", to);
    assert.equal(report.skipped, 0);
    assert.equal(report.files, 6);
    assert.equal(await readFile(join(to, "etc", "removed.conf"), "utf8"), TEXTS["etc/removed.conf"]);
    const again = await cli(["restore", "prod:vm/web1~1:/etc", "--to", to], { env: machine.env });
    assert.equal(again.code, 2, again.stderr);
    assert.match(again.stderr, /TARGET_EXISTS/);
    const dry = await text("restore", "prod:vm/web1~1:/etc", "--to", join(machine.folder.path, "dry"), "--dry-run");
    assert.match(dry, /would restore/);
    for (const wrong of [["--verify"], ["--disk", "sda"], ["--force", "--keep-existing"]]) {
      const { code } = await cli(["restore", "prod:vm/web1~1:/etc", "--to", to, ...wrong], { env: machine.env });
      assert.equal(code, 64, wrong.join(" "));
    }
    const inside = await cli(["restore", "prod:vm/web1~1:/etc", "--to", join(machine.env.REPRISE_REPOSITORY!, "x")], {
      env: machine.env,
    });
    assert.match(inside.stderr, /TARGET_IN_REPOSITORY/);
  });
});
