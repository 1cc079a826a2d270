// tar and zip, read back by other programs.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, mkdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeTarHeader, type TarEntry } from "../../core/files/archive/tarFormat.js";
import { SPARSE_BYTES, TEXTS } from "../files/machineDisk.js";
import { type MachineRepository, makeMachineRepository } from "../files/machineRepository.js";
import { cli } from "./runInProcess.js";

function hasProgram(name: string): boolean {
  try {
    execFileSync("which", [name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("archives of a folder", function () {
  this.timeout(60_000);
  let machine: MachineRepository;
  const at = (...names: string[]) => join(machine.folder.path, ...names);
  const run = (...args: string[]) => cli(args, { env: machine.env });

  before(async () => {
    machine = await makeMachineRepository();
  });
  after(() => machine.folder.remove());

  it("tar has contents, names, links, times and attributes", async () => {
    const { code, output, stderr } = await run("tar", "prod:vm/web1~1:/sda/p2");
    assert.equal(code, 0, stderr);
    await mkdir(at("tar"));
    execFileSync("tar", ["-x", "--xattrs", "-f", "-"], { cwd: at("tar"), input: output });
    for (const [path, text] of Object.entries(TEXTS))
      assert.equal(await readFile(at("tar/p2", path), "utf8"), text, path);
    assert.equal(await readFile(at("tar/p2/home/old/ü \\x41.txt"), "utf8"), "spaced\n");
    assert.equal(await readlink(at("tar/p2/web")), "/etc/nginx");
    assert.equal((await stat(at("tar/p2/var/lib/sparse.bin"))).size, SPARSE_BYTES);
    const [one, other] = [await stat(at("tar/p2/var/lib/data.bin")), await stat(at("tar/p2/var/lib/same.bin"))];
    assert.equal(one.ino, other.ino);
    assert.equal((await lstat(at("tar/p2/etc/hostname"))).mtimeMs, Date.parse("2026-01-02T03:04:05Z"));
    const odd = Buffer.concat([Buffer.from(`${at("tar/p2/home/old")}/bad-`), Buffer.from([0xff, 1])]);
    assert.equal(await readFile(odd, "utf8"), "odd name\n");
  });

  it("tar has long names, large numbers and fractions of seconds in PAX records", async () => {
    const entry: TarEntry = {
      ...{ type: "file", name: Buffer.from(`${"long/".repeat(50)}ü`), link: new Uint8Array(0), sizeBytes: 0 },
      ...{ mode: 0o640, uid: 3_000_000, gid: 5, modifiedAtNs: -1_500_000_000n, device: null },
      attributes: [{ name: "user.note", value: Buffer.from("a\nb\0c") }],
    };
    await writeFile(at("pax.tar"), Buffer.concat([encodeTarHeader(entry), new Uint8Array(1024)]));
    const script =
      "import tarfile,sys,json\nm=tarfile.open(sys.argv[1]).getmembers()[0]\nprint(json.dumps([m.name,m.uid,m.mtime,m.mode,m.pax_headers['SCHILY.xattr.user.note']]))";
    if (!hasProgram("python3")) return;
    const read = JSON.parse(execFileSync("python3", ["-c", script, at("pax.tar")]).toString()) as unknown[];
    assert.deepEqual(read, [`${"long/".repeat(50)}ü`, 3_000_000, -1.5, 0o640, "a\nb\0c"]);
  });

  it("zip is read by unzip", async function () {
    if (!hasProgram("unzip")) return this.skip();
    const { code, stdout, stderr } = await run("zip", "prod:vm/web1~1:/sda/p2", "--to", at("p2.zip"), "--json");
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { sizeBytes: number }).sizeBytes, (await stat(at("p2.zip"))).size);
    execFileSync("unzip", ["-q", at("p2.zip"), "-d", at("zip")]);
    for (const [path, text] of Object.entries(TEXTS))
      assert.equal(await readFile(at("zip/p2", path), "utf8"), text, path);
    assert.equal(await readlink(at("zip/p2/web")), "/etc/nginx");
    assert.equal(await readFile(at("zip/p2/home/old/bad-%ff%01"), "latin1"), "odd name\n");
    const one = await readFile(at("zip/p2/var/lib/data.bin"));
    assert.ok(one.equals(await readFile(at("tar/p2/var/lib/data.bin"))));
  });

  it("writes no archive to a terminal, over a file, or half", async () => {
    const terminal = await cli(["tar", "prod:vm/web1~1:/etc"], { env: machine.env, terminal: true });
    assert.equal(terminal.code, 64);
    const again = await run("zip", "prod:vm/web1~1:/etc", "--to", at("p2.zip"));
    assert.match(again.stderr, /TARGET_EXISTS/);
    assert.equal((await run("zip", "prod:vm/web1~1:/etc", "--to", at("p2.zip"), "--force")).code, 0);
    assert.equal((await run("tar", "prod:vm/web1~1:/etc", "--json")).code, 64);
    const one = await run("tar", "prod:vm/web1~1:/etc/hostname", "--to", at("one.tar"));
    assert.equal(one.code, 0, one.stderr);
    assert.equal(execFileSync("tar", ["-tf", at("one.tar")]).toString(), "hostname\n");
  });
});
