import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { readPartitionTable } from "../../../core/filesystem/volumes/partitionTable.js";
import { assertCode } from "../../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { MemoryDisk, writeGpt, writeMbr } from "./memoryDisk.js";

const run = promisify(execFile);
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const MIB = 1024 * 1024;
const TWO = [
  { first: 64, last: 127, name: "EFI" },
  { first: 128, last: 1023, name: "root é" },
];

async function places(disk: MemoryDisk): Promise<[number, number, number][] | null> {
  const table = await readPartitionTable(disk);
  return table?.partitions.map(({ number, offsetBytes, sizeBytes }) => [number, offsetBytes, sizeBytes]) ?? null;
}

describe("partition tables", () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await makeTemporaryFolder("partitions");
  });
  after(() => folder.remove());

  describe("GPT", () => {
    it("is read as sgdisk writes it", async () => {
      const path = join(folder.path, "gpt.img");
      await writeFile(path, "");
      await truncate(path, 8 * MIB);
      const uuid = "01234567-89ab-4cde-8f01-23456789abcd";
      const two = ["-n", "2:4096:8191", "-t", "2:ef00", "-c", "2:EFI", "-u", `2:${uuid}`, "-A", "2:set:2"];
      const five = ["-n", "5:8192:12287", "-t", "5:8300", "-c", "5:root é"];
      await run("sgdisk", ["-o", ...two, ...five, path], { env });
      const table = await readPartitionTable(new MemoryDisk(await readFile(path)));
      assert.deepEqual(table, {
        kind: "gpt",
        partitions: [
          {
            number: 2,
            offsetBytes: 2 * MIB,
            sizeBytes: 2 * MIB,
            type: "EFI system",
            label: "EFI",
            uuid,
            bootable: true,
          },
          {
            ...{ number: 5, offsetBytes: 4 * MIB, sizeBytes: 2 * MIB, type: "Linux filesystem", label: "root é" },
            ...{ uuid: table?.partitions[1]?.uuid, bootable: false },
          },
        ],
        remarks: [],
      });
    });

    it("is read with sectors of 4096 bytes", async () => {
      const disk = writeGpt(new MemoryDisk(4 * MIB), [{ first: 8, last: 15 }], { sectorBytes: 4096 });
      assert.deepEqual(await places(disk), [[1, 8 * 4096, 8 * 4096]]);
    });

    it("is read from its backup when the primary one does not check, and says so", async () => {
      for (const damage of [512 + 24, 512 + 16, 1024 + 40]) {
        const disk = writeGpt(new MemoryDisk(MIB), TWO);
        disk.bytes[damage]! ^= 1;
        const table = await readPartitionTable(disk);
        assert.equal(table?.partitions.length, 2);
        assert.deepEqual(table?.remarks, ["primary GPT damaged: its backup was used"]);
      }
    });

    it("is an error when both copies are damaged", async () => {
      const disk = writeGpt(new MemoryDisk(MIB), TWO);
      disk.bytes[512 + 24]! ^= 1;
      disk.bytes[MIB - 512 + 24]! ^= 1;
      await assertCode(readPartitionTable(disk), "FILESYSTEM_DAMAGED");
    });

    it("does not count when it was replaced: an old backup behind another table", async () => {
      const disk = writeGpt(new MemoryDisk(MIB), TWO);
      disk.bytes.fill(0, 0, 34 * 512);
      assert.equal(await places(disk), null);
      writeMbr(disk, 0, [{ type: 0x83, first: 64, count: 64 }]);
      assert.deepEqual(await places(disk), [[1, 64 * 512, 64 * 512]]);
    });

    it("leaves partitions out that are not on the disk", async () => {
      const outside = [
        { first: 64, last: 5000 },
        { first: 100, last: 99 },
        { first: 2 ** 52, last: 2 ** 53 },
      ];
      const table = await readPartitionTable(writeGpt(new MemoryDisk(MIB), [...TWO, ...outside]));
      assert.deepEqual(
        table?.partitions.map(({ number }) => number),
        [1, 2],
      );
      assert.equal(table?.remarks.length, 3);
    });

    it("with lying counts is damaged, and nothing is allocated for it", async () => {
      for (const options of [{ entryCount: 2 ** 31 }, { entryBytes: 2 ** 31 }, { entryBytes: 129 }, { entryBytes: 0 }])
        await assertCode(readPartitionTable(writeGpt(new MemoryDisk(MIB), TWO, options)), "FILESYSTEM_DAMAGED");
    });
  });

  describe("MBR", () => {
    it("is read with its logical partitions", async () => {
      const disk = new MemoryDisk(2 * MIB);
      writeMbr(disk, 0, [
        { type: 0x83, first: 8, count: 100, flag: 0x80 },
        { type: 0x05, first: 200, count: 1000 },
        { type: 0, first: 0, count: 0 },
        { type: 0x07, first: 1500, count: 10 },
      ]);
      writeMbr(disk, 200, [
        { type: 0x83, first: 8, count: 50 },
        { type: 0x05, first: 300, count: 100 },
      ]);
      writeMbr(disk, 500, [{ type: 0x82, first: 4, count: 20 }]);
      const table = await readPartitionTable(disk);
      assert.deepEqual(
        table?.partitions.map(({ number, offsetBytes, type, bootable }) => [number, offsetBytes / 512, type, bootable]),
        [
          [1, 8, "Linux", true],
          [4, 1500, "NTFS or exFAT", false],
          [5, 208, "Linux", false],
          [6, 504, "Linux swap", false],
        ],
      );
      assert.deepEqual(table?.remarks, []);
    });

    it("ends where a chain of logical partitions comes back or breaks", async () => {
      const disk = writeMbr(new MemoryDisk(MIB), 0, [{ type: 0x0f, first: 100, count: 1000 }]);
      writeMbr(disk, 100, [
        { type: 0x83, first: 1, count: 10 },
        { type: 0x05, first: 0, count: 10 },
      ]);
      const looping = await readPartitionTable(disk);
      assert.deepEqual(
        looping?.partitions.map(({ number }) => number),
        [5],
      );
      assert.match(looping?.remarks[0] ?? "", /chain/);
      writeMbr(disk, 100, [
        { type: 0x83, first: 1, count: 10 },
        { type: 0x05, first: 0xffff_ff00, count: 10 },
      ]);
      assert.match((await readPartitionTable(disk))?.remarks[0] ?? "", /chain/);
    });

    it("leaves partitions out that are not on the disk", async () => {
      const disk = writeMbr(new MemoryDisk(MIB), 0, [
        { type: 0x83, first: 8, count: 8 },
        { type: 0x83, first: 0xffff_fff0, count: 0xffff_fff0 },
        { type: 0x83, first: 0, count: 8 },
      ]);
      const table = await readPartitionTable(disk);
      assert.equal(table?.partitions.length, 1);
      assert.equal(table?.remarks.length, 2);
    });

    it("is not seen in the boot sector of a file system", async () => {
      for (const args of [
        ["mkfs.vfat", "-F", "12"],
        ["mkfs.vfat", "-F", "16"],
        ["mkfs.exfat"],
        ["mkntfs", "-q", "-F", "-f"],
      ]) {
        const path = join(folder.path, `${args.join("")}.img`);
        await writeFile(path, "");
        await truncate(path, 16 * MIB);
        await run(args[0] as string, [...args.slice(1), path], { env });
        assert.equal(await readPartitionTable(new MemoryDisk(await readFile(path))), null, args.join(" "));
      }
    });

    it("counts more than what an older use has left, and less than boot code that is no table", async () => {
      const disk = new MemoryDisk(MIB).write(1024 + 56, [0x53, 0xef]);
      writeMbr(disk, 0, [{ type: 0x83, first: 64, count: 64 }]);
      assert.deepEqual(await places(disk), [[1, 64 * 512, 64 * 512]]);
      const boot = writeMbr(new MemoryDisk(MIB).write(1024 + 56, [0x53, 0xef]), 0, [
        { type: 0x90, first: 0x9090_9090, count: 0x9090_9090 },
      ]);
      assert.equal(await places(boot), null);
    });
  });

  it("never throw anything but damage, whatever stands in them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4095), fc.nat(255)), { maxLength: 20 }),
        fc.constantFrom("gpt", "mbr"),
        async (changes, kind) => {
          const disk = new MemoryDisk(256 * 1024);
          if (kind === "gpt") writeGpt(disk, [{ first: 64, last: 100 }]);
          else
            writeMbr(disk, 0, [
              { type: 0x83, first: 8, count: 8 },
              { type: 5, first: 4, count: 100 },
            ]);
          for (const [at, value] of changes) disk.bytes[at] = value;
          const table = await readPartitionTable(disk).catch((error: { code?: string }) => {
            assert.equal(error.code, "FILESYSTEM_DAMAGED");
            return null;
          });
          for (const { offsetBytes, sizeBytes } of table?.partitions ?? [])
            assert.ok(offsetBytes >= 0 && sizeBytes > 0 && offsetBytes + sizeBytes <= disk.sizeBytes);
        },
      ),
      { numRuns: 500 },
    );
  });
});
