import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Content, identify } from "../../../core/filesystem/volumes/identify.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { MemoryDisk } from "./memoryDisk.js";

const MIB = 1024 * 1024;
const run = promisify(execFile);
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

function foreign(what: RegExp): (content: Content) => void {
  return (content) => assert.match(content.kind === "foreign" ? content.what : content.kind, what);
}

function disk(offset: number, bytes: string | readonly number[], sizeBytes = MIB): MemoryDisk {
  return new MemoryDisk(sizeBytes).write(offset, bytes);
}

describe("identify", () => {
  it("names what it does not read", async () => {
    const cases: [string, MemoryDisk, RegExp][] = [
      ["LUKS", disk(0, "LUKS\xba\xbe\0\x02"), /LUKS, encrypted/],
      ["BitLocker", disk(3, "-FVE-FS-"), /BitLocker, encrypted/],
      ["ReFS", disk(3, "ReFS\0\0\0\0"), /ReFS/],
      ["RAID 1.1", disk(0, [0xfc, 0x4e, 0x2b, 0xa9]), /RAID/],
      ["RAID 1.2", disk(4096, [0xfc, 0x4e, 0x2b, 0xa9]), /RAID/],
      ["RAID 1.0", disk(MIB - 8192, [0xfc, 0x4e, 0x2b, 0xa9]), /RAID/],
      ["RAID 0.90", disk(MIB - 65536, [0xfc, 0x4e, 0x2b, 0xa9]), /RAID/],
      ["ZFS", disk(128 * 1024, [0x0c, 0xb1, 0xba, 0]), /ZFS/],
      ["ZFS, the other order", disk(129 * 1024, [0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c]), /ZFS/],
      ["squashfs", disk(0, "hsqs"), /squashfs/],
      ["APFS", disk(32, "NXSB"), /APFS/],
      ["HFS+", disk(1024, "H+"), /HFS/],
      ["ISO", disk(32769, "CD001"), /ISO/],
      ["bcachefs", disk(4096 + 24, [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9]), /bcachefs/],
    ];
    for (const [name, subject, what] of cases) {
      const content = await identify(subject);
      assert.equal(content.kind, "foreign", name);
      foreign(what)(content);
    }
  });

  it("knows what the systems' own programs write", async () => {
    const folder = await makeTemporaryFolder("identify");
    const programs: [string, string[], string][] = [
      ["mkswap", [], "foreign"],
      ["mkfs.ext4", ["-q", "-F"], "ext"],
      ["mkfs.vfat", [], "fat"],
      ["mkfs.exfat", [], "exfat"],
      ["mkntfs", ["-q", "-F", "-f"], "ntfs"],
    ];
    try {
      for (const [program, args, kind] of programs) {
        const path = join(folder.path, program);
        await writeFile(path, "");
        await truncate(path, 16 * MIB);
        await run(program, [...args, path], { env });
        const content = await identify(new MemoryDisk(await readFile(path)));
        assert.equal(content.kind === "filesystem" ? content.type : content.kind, kind, program);
      }
    } finally {
      await folder.remove();
    }
  });

  it("prefers containers to what shines through them", async () => {
    foreign(/LUKS/)(await identify(disk(0, "LUKS\xba\xbe").write(1024 + 56, [0x53, 0xef])));
    assert.equal((await identify(disk(512, "LABELONE").write(1024 + 56, [0x53, 0xef]))).kind, "physical-volume");
  });

  it("tells emptiness from the unknown, at any size", async () => {
    for (const size of [0, 1, 100, 512, 4096, 100_000, 300_000]) {
      assert.equal((await identify(new MemoryDisk(size))).kind, "empty", String(size));
      if (size > 0) assert.equal((await identify(disk(0, [1], size))).kind, "unknown", String(size));
    }
  });
});
