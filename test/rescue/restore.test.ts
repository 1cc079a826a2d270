import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noise, prose } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { fileArchive, writeDisk } from "./diskWriter.js";
import { RepositoryWriter } from "./repositoryWriter.js";
import { rescueProgram, runRescue } from "./runRescue.js";
import { pageSpan, sampleDisk } from "./sampleDisk.js";

for (const encrypted of [false, true]) {
  describe(`rescue: restore, ${encrypted ? "encrypted" : "not encrypted"}`, () => {
    const env = { REPRISE_PASSPHRASE: "open sesame" };
    const first = sampleDisk(1);
    const second = prose(9, 5000);
    const config = Buffer.from("cores: 2\nscsi0: x\n");
    let folder: TemporaryFolder;
    let writer: RepositoryWriter;
    let sid: string;
    const rescue = (...args: string[]) => runRescue(args, { repo: writer.folder, env });
    const out = (name: string) => join(folder.path, name);

    before(async () => {
      folder = await makeTemporaryFolder("rescue");
      writer = new RepositoryWriter(out("repo"), { encrypted });
      if (encrypted) writer.addPassphrase(env.REPRISE_PASSPHRASE);
      const archives = [
        writeDisk(writer, "scsi0", first).archive,
        writeDisk(writer, "scsi1", second).archive,
        fileArchive(writer, "vm.conf", config),
        fileArchive(writer, "empty", new Uint8Array(0)),
      ];
      sid = writer.writeSnapshot(archives, { notes: "before the upgrade" });
    });

    after(() => folder.remove());

    it("writes the very bytes, without an index", async () => {
      const run = await rescue("restore", sid.slice(0, 6), "--disk", "scsi0", "--to", out("scsi0"));
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(readFileSync(out("scsi0")), Buffer.from(first));
      assert.equal(existsSync(out("scsi0.partial")), false);
      assert.equal(statSync(out("scsi0")).mode & 0o077, 0);
    });

    it("writes the very bytes, with an index", async () => {
      writer.writeIndex();
      const run = await rescue("restore", "vm/a@latest", "--disk", "scsi1", "--to", out("scsi1"));
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(readFileSync(out("scsi1")), Buffer.from(second));
    });

    it("stores zeros as holes", async () => {
      const disk = Buffer.concat([noise(3, 4096), Buffer.alloc(64 * 2 ** 20), noise(4, 4096)]);
      const { archive } = writeDisk(writer, "d", disk, { pageSpanBytes: 2 ** 22 });
      const run = await rescue(
        "restore",
        writer.writeSnapshot([archive], { group: "vm/sparse" }),
        "--to",
        out("sparse"),
      );
      assert.equal(run.code, 0, run.stderr);
      assert.ok(disk.equals(readFileSync(out("sparse"))));
      assert.ok(statSync(out("sparse")).blocks * 512 < 2 ** 20);
    });

    it("restores disks of zeros and of nothing", async () => {
      const archives = [0, pageSpan, 3 * pageSpan + 7].map(
        (size) => writeDisk(writer, `d${size}`, new Uint8Array(size)).archive,
      );
      const sid = writer.writeSnapshot(archives, { group: "vm/zeros" });
      for (const size of [0, pageSpan, 3 * pageSpan + 7]) {
        const run = await rescue("restore", sid, "--disk", `d${size}`, "--to", out(`zero${size}`));
        assert.equal(run.code, 0, run.stderr);
        assert.ok(Buffer.alloc(size).equals(readFileSync(out(`zero${size}`))));
      }
    });

    it("writes machine configuration files", async () => {
      const run = await rescue("files", sid, "--to", out("config"));
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(readFileSync(out("config/vm.conf")), config);
      assert.equal(readFileSync(out("config/empty")).length, 0);
      assert.equal((await rescue("files", sid, "--to", out("config"))).code, 2, "does not replace");
      assert.equal((await rescue("files", sid, "--to", out("config"), "--force")).code, 0);
    });

    it("lists and shows", async () => {
      const list = await rescue("list");
      assert.equal(list.code, 0, list.stderr);
      assert.match(
        list.stdout,
        new RegExp(`^${sid.slice(0, 8)} +vm/a@2026-01-01T00:00:00Z +scsi0 .*before the upgrade$`, "m"),
      );
      const show = await rescue("show", "vm/a");
      assert.equal((JSON.parse(show.stdout) as { sid: string }).sid, sid);
    });

    it("checks everything, and writes nothing", async () => {
      const run = await rescue("check");
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stdout, new RegExp(`^sound +${sid.slice(0, 8)}`, "m"));
      assert.equal((await rescue("check", sid)).code, 0);
    });

    it("refuses to replace a file, and replaces it with --force", async () => {
      writeFileSync(out("kept"), "precious");
      const args = ["restore", sid, "--disk", "scsi1", "--to", out("kept")];
      const refused = await rescue(...args);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /--force/);
      assert.equal(readFileSync(out("kept"), "utf8"), "precious");
      assert.equal((await rescue(...args, "--force")).code, 0);
      assert.deepEqual(readFileSync(out("kept")), Buffer.from(second));
      mkdirSync(out("folder"));
      const onFolder = ["restore", sid, "--disk", "scsi1", "--to", out("folder"), "--force"];
      assert.equal((await rescue(...onFolder)).code, 2);
    });

    it("does not trample on another run's partial file", async () => {
      writeFileSync(out("busy.partial"), "another");
      const args = ["restore", sid, "--disk", "scsi1", "--to", out("busy")];
      assert.equal((await rescue(...args)).code, 2);
      assert.equal(readFileSync(out("busy.partial"), "utf8"), "another");
      assert.equal((await rescue(...args, "--force")).code, 0);
    });

    it("never writes into the repository", async () => {
      for (const target of ["repo/disk", "repo", "repo/snapshots"]) {
        assert.equal((await rescue("restore", sid, "--disk", "scsi1", "--to", out(target))).code, 2);
        assert.equal((await rescue("files", sid, "--to", out(target))).code, 2);
      }
      const inside = ["files", sid, "--to", "."];
      assert.equal((await runRescue(inside, { repo: writer.folder, env, cwd: writer.folder })).code, 2);
    });

    it("works as the copy in the repository, from anywhere, with its digest line", async () => {
      const program = writer.path("rescue.mjs");
      copyFileSync(rescueProgram, program);
      for (const line of ["", `// sha256:${"0".repeat(64)}\n`]) {
        appendFileSync(program, line);
        for (const cwd of [writer.folder, folder.path]) {
          const run = await runRescue(["list"], { program, env, cwd });
          assert.equal(run.code, 0, run.stderr);
          assert.match(run.stdout, /scsi0/);
        }
      }
    });

    it("tells what a repair had given up before", async () => {
      const { archive } = writeDisk(writer, "d", second);
      const lost = writer.writeSnapshot([{ ...archive, lost: [[4096, 10]] }], { group: "vm/repaired" });
      const run = await rescue("restore", lost, "--to", out("repaired"));
      assert.equal(run.code, 3);
      assert.match(run.stderr, /\[4096,10\]/);
      assert.deepEqual(readFileSync(out("repaired")), Buffer.from(second));
    });
  });
}
