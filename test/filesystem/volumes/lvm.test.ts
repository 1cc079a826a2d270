import assert from "node:assert/strict";
import fc from "fast-check";
import { MachineTree } from "../../../core/files/machineTree.js";
import { MachineVolumes } from "../../../core/files/machineVolumes.js";
import { parseTreePath } from "../../../core/files/treePath.js";
import { type BlockReader, placesOf } from "../../../core/filesystem/blockReader.js";
import { parseLvmText } from "../../../core/filesystem/volumes/lvm/lvmText.js";
import { type PhysicalVolume, readPhysicalVolume } from "../../../core/filesystem/volumes/lvm/physicalVolume.js";
import { assembleVolumeGroups, type VolumeGroup } from "../../../core/filesystem/volumes/lvm/volumeGroup.js";
import { assertCode } from "../../support/assertCode.js";
import { type LvmFixture, lvmFixture } from "./lvmFixture.js";
import { MemoryDisk } from "./memoryDisk.js";

const EXTENT = 1024 * 1024;

describe("LVM2", function () {
  this.timeout(60_000);
  let made: LvmFixture;
  let metadata: string;

  const physical = async (...names: string[]): Promise<PhysicalVolume[]> => {
    const found = await Promise.all(names.map((name) => readPhysicalVolume(made.disks[name] as MemoryDisk, {})));
    return found.filter((volume) => volume !== null);
  };

  before(async function () {
    const found = await lvmFixture();
    if (found === null) return this.skip();
    made = found;
    metadata = (await physical("a"))[0]?.metadata ?? assert.fail("no metadata");
  });

  it("puts volumes together as lvs says, whatever the order of the disks", async () => {
    for (const order of [
      ["a", "b"],
      ["b", "a"],
    ]) {
      const [group, ...others] = assembleVolumeGroups(await physical(...order));
      assert.deepEqual(others, []);
      assert.equal(group?.name, "test-vg");
      assert.deepEqual(group?.volumes.map(({ name }) => name).sort(), ["data", "root", "striped", "wedge"]);
      for (const segment of made.segments) checkSegment(openVolume(group, segment.volume), segment);
    }
  });

  function checkSegment(reader: BlockReader, segment: LvmFixture["segments"][0]): void {
    const { start, size, places, stripeBytes } = segment;
    const step = places.length > 1 ? stripeBytes : size;
    for (let at = 0; at < size; at += step) {
      const turn = Math.floor(at / step);
      const [disk, extent] = places[turn % places.length]!;
      const offset =
        made.dataStart[disk]! + extent * EXTENT + Math.floor(turn / places.length) * (places.length > 1 ? step : 0);
      assert.deepEqual([...placesOf(reader, start + at, step)], [{ disk: made.disks[disk], offset, length: step }]);
    }
  }

  it("reads across segments and stripes", async () => {
    const [group] = assembleVolumeGroups(await physical("a", "b"));
    for (const volume of group?.volumes ?? []) {
      const reader = volume.open();
      for (const place of placesOf(reader, 0, reader.sizeBytes))
        fillPlace(place.disk as MemoryDisk, place.offset, place.length);
      const all = new Uint8Array(reader.sizeBytes);
      await reader.read(all, 0);
      const part = new Uint8Array(300_000);
      const offset = Math.floor(reader.sizeBytes / 3);
      await reader.read(part, offset);
      assert.ok(Buffer.from(part).equals(all.subarray(offset, offset + part.length)));
      const joined = [...placesOf(reader, 0, reader.sizeBytes)].map(({ disk, offset: at, length }) =>
        (disk as MemoryDisk).bytes.subarray(at, at + length),
      );
      assert.ok(Buffer.concat(joined).equals(all), volume.name);
    }
  });

  it("names what is missing, and opens the rest", async () => {
    const [group] = assembleVolumeGroups(await physical("a"));
    assert.equal(group?.remarks.length, 1);
    const open = (name: string) => openVolume(group, name);
    assert.equal(open("root").sizeBytes, 8 * EXTENT);
    for (const name of ["data", "striped"]) assert.throws(() => open(name), /not among the disks/);
    const volumes = await new MachineVolumes([{ name: "sda", reader: made.disks.a! }]).volumes();
    const striped = volumes.find(({ name }) => name === "test--vg-striped");
    assert.equal(striped?.problem?.code, "FILESYSTEM_DAMAGED");
  });

  it("finds logical volumes among the volumes of a machine", async () => {
    const disks = Object.entries(made.disks).map(([name, reader]) => ({ name, reader }));
    const names = (await new MachineVolumes(disks).volumes()).map(({ disk, name }) => `${disk}/${name}`);
    assert.deepEqual(
      names.filter((name) => name.endsWith("/fs")),
      ["a/fs", "b/fs"],
    );
    assert.ok(names.includes("a/test--vg-root"), names.join(" "));
  });

  it("does not use labels and metadata that do not check", async () => {
    const copy = new MemoryDisk(Uint8Array.from(made.disks.a!.bytes.subarray(0, 4 * EXTENT)));
    copy.bytes[512 + 40]! ^= 1;
    await assertCode(readPhysicalVolume(copy, {}), "FILESYSTEM_DAMAGED");
    const other = new MemoryDisk(Uint8Array.from(made.disks.a!.bytes.subarray(0, 4 * EXTENT)));
    other.bytes[4096 + 50]! ^= 1;
    assert.equal((await readPhysicalVolume(other, {}))?.metadata, null);
  });

  it("are not said to be missing when nobody can tell what the physical volumes hold", async () => {
    const changed = (name: "a" | "b", at?: number) => {
      const disk = new MemoryDisk(Uint8Array.from(made.disks[name]!.bytes));
      if (at !== undefined) disk.bytes[at]! ^= 1;
      return disk;
    };
    const missing = async (code: string, a: MemoryDisk, b: MemoryDisk, path: string) => {
      const tree = new MachineTree([
        { name: "sda", reader: a },
        { name: "sdb", reader: b },
      ]);
      return await assertCode(tree.resolve(parseTreePath(path)), code);
    };
    const [label, header] = [512 + 40, 4096 + 50];
    for (const at of [label, header]) {
      const both = [changed("a", at), changed("b", at)] as const;
      for (const path of ["/sda/test--vg-root/etc", "/sdb/test--vg-root", "/sda/other-root"]) {
        const { message } = await missing("FILESYSTEM_DAMAGED", ...both, path);
        assert.match(message, /^\/sda: what is on it cannot be told/);
      }
    }
    // a name that no logical volume has, and one that the metadata of the other disk does not know
    await missing("FILESYSTEM_DAMAGED", changed("a", label), changed("b"), "/sdb/test--vg-nothing");
    await missing("FILE_NOT_FOUND", changed("a"), changed("b", label), "/sda/p1");
    await missing("FILE_NOT_FOUND", changed("a", header), changed("b"), "/sda/test--vg-nothing");
    await missing("FILE_NOT_FOUND", changed("a"), changed("b"), "/sda/test--vg-nothing");
  });

  it("stops at mirrors that name each other", () => {
    const names = Array.from({ length: 100 }, (_, i) => `"v${i}", 0`).join(", ");
    const volume = (i: number) =>
      `v${i} { id = "x${i}"\nstatus = ["VISIBLE"]\nsegment_count = 1\nsegment1 { start_extent = 0\nextent_count = 1\ntype = "mirror"\nmirrors = [ ${names} ] } }`;
    const text = `vg { id = "g"\nseqno = 1\nextent_size = 2048\nphysical_volumes { pv0 { id = "p"\npe_start = 2048 } }\nlogical_volumes { ${Array.from({ length: 100 }, (_, i) => volume(i)).join("\n")} } }`;
    const [group] = assembleVolumeGroups([
      { reader: new MemoryDisk(EXTENT), uuid: "p", metadata: text, isMetadataDamaged: false },
    ]);
    const started = performance.now();
    assert.throws(() => group?.volumes[0]?.open(), /not described|too much/);
    assert.ok(performance.now() - started < 60_000);
  });

  it("survives any text: damage or nothing", () => {
    const tokens = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      "=",
      ",",
      '"',
      "#",
      "\n",
      "\\",
      "18446744073709551615",
      "-1",
      "stripes",
      "type",
      "mirror",
      "0",
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(40), tokens), { minLength: 1, maxLength: 8 }), (changes) => {
        let text = metadata;
        for (const [at, length, token] of changes) {
          const start = at % text.length;
          text = text.slice(0, start) + token + text.slice(start + length);
        }
        const outcome = attempt(() => {
          const volumes = ["a", "b"].map((name) => ({
            reader: made.disks[name]!,
            uuid: uuidOf(name),
            metadata: text,
            isMetadataDamaged: false,
          }));
          for (const { volumes: all } of assembleVolumeGroups(volumes))
            for (const volume of all) attempt(() => assertInside(volume.open()));
        });
        return outcome === undefined;
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => attempt(() => parseLvmText(text)) === undefined));
  });

  function uuidOf(name: string): string {
    return [...metadata.matchAll(/pv(\d) \{\s*id = "([^"]+)"/g)][name === "a" ? 0 : 1]?.[2] ?? "";
  }
});

function openVolume(group: VolumeGroup | undefined, name: string): BlockReader {
  const volume = group?.volumes.find((candidate) => candidate.name === name);
  return volume?.open() ?? assert.fail(`no volume ${name}`);
}

function assertInside(reader: BlockReader): void {
  for (const { disk, offset, length } of placesOf(reader, 0, Math.min(reader.sizeBytes, 64 * EXTENT)))
    assert.ok(offset >= 0 && offset + length <= disk.sizeBytes);
}

/** Only errors that name the damage may come out. */
function attempt(act: () => void): undefined {
  try {
    act();
  } catch (error) {
    const { code } = error as { code?: string };
    assert.ok(code === "FILESYSTEM_DAMAGED" || code === "FILESYSTEM_UNSUPPORTED", String(error));
  }
}

function fillPlace(disk: MemoryDisk, offset: number, length: number): void {
  for (let at = offset; at < offset + length; at += 4096) disk.view.setUint32(at, at);
}
