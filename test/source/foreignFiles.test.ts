import assert from "node:assert/strict";
import { copyFile, open, readFile, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isOurError } from "../../core/errors.js";
import { formatOfBytes } from "../../core/source/imageFormat.js";
import { openSource } from "../../core/source/openSource.js";
import { startQemuNbd } from "../../core/source/qemuNbd.js";
import { convertImage, makeSparseRaw, qemuImg } from "../support/diskImages.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("image format", () => {
  it("is known by the first bytes, and raw when in doubt", () => {
    const bytes = (text: string, at = 0) =>
      Buffer.concat([Buffer.alloc(at), Buffer.from(text, "latin1"), Buffer.alloc(512)]);
    assert.equal(formatOfBytes(bytes("QFI\xfb")), "qcow2");
    assert.equal(formatOfBytes(bytes("KDMV")), "vmdk");
    assert.equal(formatOfBytes(bytes("# Disk DescriptorFile")), "vmdk");
    assert.equal(formatOfBytes(bytes("vhdxfile")), "vhdx");
    assert.equal(formatOfBytes(bytes("\x7f\x10\xda\xbe", 64)), "vdi");
    for (const raw of [
      bytes("QFI"),
      bytes("QFI\xfb", 1),
      bytes("KDM"),
      Buffer.from("vhdx"),
      Buffer.alloc(0),
      Buffer.alloc(66),
    ]) {
      assert.equal(formatOfBytes(raw), undefined);
    }
  });
});

describe("images that reach for other files", () => {
  let folder: TemporaryFolder;
  let secret: string;
  const at = (name: string) => join(folder.path, name);
  const secretBytes = noise(99, 1048576);

  before(async () => {
    folder = await makeTemporaryFolder("foreign");
    secret = at("secret.raw");
    await writeFile(secret, secretBytes);
  });
  after(() => folder.remove());

  async function refused(path: string, code = "SOURCE_FOREIGN_FILES"): Promise<void> {
    await assert.rejects(openSource(path), (error) => {
      assert.ok(isOurError(error, code), String(error));
      return true;
    });
  }

  it("by a backing file are refused, unless allowed", async () => {
    await qemuImg("create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", at("backed.qcow2"));
    await refused(at("backed.qcow2"));
    const { source, close } = await openSource(at("backed.qcow2"), { allowBackingFiles: true });
    const bytes = new Uint8Array(source.sizeBytes);
    await source.read(bytes, 0);
    await close();
    assert.deepEqual(bytes, secretBytes);
  });

  it("get nothing even when the header changes after the check", async () => {
    await qemuImg("create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", at("swapped.qcow2"));
    const server = await startQemuNbd({ imagePath: at("swapped.qcow2"), format: "qcow2", writable: false });
    const bytes = new Uint8Array(server.sizeBytes);
    await server.keeper.read(bytes, 0);
    await server.stop();
    assert.ok(bytes.every((byte) => byte === 0));
  });

  it("by a backing file in JSON are refused", async () => {
    const backing = `json:{"driver":"raw","file":{"driver":"file","filename":"${secret}"}}`;
    await qemuImg("create", "-q", "-f", "qcow2", "-b", backing, "-F", "raw", at("json.qcow2"));
    await refused(at("json.qcow2"));
  });

  it("by an external data file are refused", async () => {
    await qemuImg(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-o",
      `data_file=${at("data.raw")},data_file_raw=on`,
      at("data.qcow2"),
      "1M",
    );
    await refused(at("data.qcow2"));
  });

  it("by a parent disk are refused", async () => {
    await makeSparseRaw(at("parent.raw"), 1, 1048576);
    await convertImage(at("parent.raw"), "vmdk", at("parent.vmdk"));
    await qemuImg("create", "-q", "-f", "vmdk", "-b", at("parent.vmdk"), "-F", "vmdk", at("child.vmdk"));
    await refused(at("child.vmdk"));
  });

  describe("by the extents of a descriptor", () => {
    const descriptor = (...extents: string[]) =>
      [
        "# Disk DescriptorFile",
        "version=1",
        "CID=12345678",
        "parentCID=ffffffff",
        'createType="monolithicFlat"',
        ...extents,
      ].join("\n");
    const foreignNames: Record<string, () => string> = {
      absolute: () => secret,
      "in another folder": () => "../secret.raw",
      "of another image": () => "secret.raw",
      "by protocol": () => "nbd:127.0.0.1:1",
      "in JSON": () => `json:{'driver':'file','filename':'${secret}'}`,
    };
    for (const [what, name] of Object.entries(foreignNames)) {
      it(`${what} are refused`, async () => {
        await writeFile(at("evil.vmdk"), descriptor(`RW 2048 FLAT "${name()}" 0`));
        await refused(at("evil.vmdk"));
      });
    }

    it("through a symbolic link are refused", async () => {
      await symlink(secret, at("linked-flat.vmdk"));
      await writeFile(at("linked.vmdk"), descriptor('RW 2048 FLAT "linked-flat.vmdk" 0'));
      await refused(at("linked.vmdk"));
    });

    it("after a million good lines are found", async () => {
      const lines = Array.from({ length: 40_000 }, () => "# nothing to see here");
      await writeFile(at("long.vmdk"), descriptor(...lines, `RW 2048 FLAT "${secret}" 0`));
      await refused(at("long.vmdk"));
    });

    it("that are missing or senseless are called damaged", async () => {
      await writeFile(at("bad.vmdk"), descriptor('RW 2048 FLAT "bad-flat.vmdk" 0'));
      await refused(at("bad.vmdk"), "SOURCE_DAMAGED");
      await writeFile(at("bad.vmdk"), descriptor('RW FLAT "bad-flat.vmdk" 0'));
      await refused(at("bad.vmdk"), "SOURCE_DAMAGED");
    });

    it("hidden in a sparse file without capacity are refused", async () => {
      await makeSparseRaw(at("hidden.raw"), 1, 1048576);
      await convertImage(at("hidden.raw"), "vmdk", at("hidden.vmdk"));
      const file = await open(at("hidden.vmdk"), "r+");
      await file.write(Buffer.alloc(8), 0, 8, 12);
      await file.close();
      await refused(at("hidden.vmdk"));
    });
  });

  it("are not looked for in raw disks", async () => {
    await qemuImg("create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", at("guest.img"));
    const { source, format, close } = await openSource(at("guest.img"), { format: "raw" });
    assert.equal(format, "raw");
    const bytes = new Uint8Array(source.sizeBytes);
    await source.read(bytes, 0);
    await close();
    assert.deepEqual(bytes, Uint8Array.from(await readFile(at("guest.img"))));
  });

  it("and images that are not what they are called", async () => {
    await writeFile(at("noise.img"), noise(3, 4096));
    for (const format of ["qcow2", "vmdk", "vhdx", "vdi"] as const) {
      await assert.rejects(openSource(at("noise.img"), { format }), (error) => isOurError(error, "SOURCE_DAMAGED"));
    }
  });

  it("and images that were cut short, where qemu would read zeros", async () => {
    await makeSparseRaw(at("torn.raw"), 4, 8 * 1048576);
    await convertImage(at("torn.raw"), "qcow2", at("torn.qcow2"));
    const { size } = await stat(at("torn.qcow2"));
    for (const sizeBytes of [size - 131072, 262144, 104, 40]) {
      await truncate(at("torn.qcow2"), sizeBytes);
      await refused(at("torn.qcow2"), "SOURCE_DAMAGED");
    }
  });

  it("and encrypted ones", async () => {
    await qemuImg("create", "-q", "-f", "qcow2", at("luks.qcow2"), "1M");
    const file = await open(at("luks.qcow2"), "r+");
    await file.write(Buffer.from([0, 0, 0, 2]), 0, 4, 32);
    await file.close();
    await refused(at("luks.qcow2"), "SOURCE_ENCRYPTED");
  });

  it("and those a virtual machine holds open", async () => {
    await qemuImg("create", "-q", "-f", "qcow2", at("busy.qcow2"), "1M");
    const writer = await startQemuNbd({ imagePath: at("busy.qcow2"), format: "qcow2", writable: true });
    await refused(at("busy.qcow2"), "SOURCE_IN_USE");
    await writer.stop();
    const { close } = await openSource(at("busy.qcow2"));
    await close();
  });

  it("when renamed with their extents work", async () => {
    await makeSparseRaw(at("flat.raw"), 1, 1048576);
    await convertImage(at("flat.raw"), "vmdk", at("flat.vmdk"), "-o", "subformat=monolithicFlat");
    const text = await readFile(at("flat.vmdk"), "utf8");
    await writeFile(at("moved.vmdk"), text.replace("flat-flat.vmdk", "moved-flat.vmdk"));
    await copyFile(at("flat-flat.vmdk"), at("moved-flat.vmdk"));
    const { close } = await openSource(at("moved.vmdk"));
    await close();
    await rename(at("moved.vmdk"), at("other.vmdk"));
    await refused(at("other.vmdk"));
  });
});
