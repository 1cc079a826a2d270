// Disks whose partition tables, volume groups and beginnings of file systems are spoilt: what the machine's volumes make of
// them, all the way to opening what is found.

import { readFile } from "node:fs/promises";
import { type MachineDisk, MachineVolumes } from "../../../core/files/machineVolumes.js";
import { type BlockReader, PartReader, placesOf } from "../../../core/filesystem/blockReader.js";
import { machineDisks } from "../../files/machineDisk.js";
import type { FuzzSubject } from "../fuzzReader.js";
import type { NoteError } from "../fuzzWalk.js";
import { lvmFixture } from "./lvmFixture.js";
import { MemoryDisk, writeMbr } from "./memoryDisk.js";

const MEBIBYTE = 1024 * 1024;
const SECTOR = 512;

async function explore(disks: readonly MachineDisk[], note: NoteError): Promise<void> {
  const machine = new MachineVolumes(disks);
  for (const volume of await machine.volumes()) {
    const path = `/${volume.disk}/${volume.name}`;
    if (volume.problem !== null) note(path, volume.problem);
    else checkPlaces(volume.reader, path);
    const { problem } = await machine.describe(volume);
    if (problem !== null) note(path, problem);
  }
}

function checkPlaces(reader: BlockReader, path: string): void {
  for (const { disk, offset, length } of placesOf(reader, 0, reader.sizeBytes)) {
    if (offset < 0 || length <= 0 || offset + length > disk.sizeBytes) throw new Error(`${path} lies outside its disk`);
  }
}

function subject(
  name: string,
  image: () => Promise<Uint8Array>,
  disksOf: (reader: BlockReader) => MachineDisk[],
): FuzzSubject {
  return {
    name,
    image,
    open: () => Promise.reject(new Error("several file systems, or none")),
    explore: (reader, note) => explore(disksOf(reader), note),
  };
}

const oneDisk = (reader: BlockReader): MachineDisk[] => [{ name: "sda", reader }];

/** Two halves, a disk each. */
function twoDisks(reader: BlockReader): MachineDisk[] {
  const half = reader.sizeBytes / 2;
  return [0, 1].map((i) => ({ name: `sd${"ab"[i]}`, reader: new PartReader(reader, i * half, half) }));
}

/** Two primary partitions, and three in a chain of extended ones. */
async function mbrImage(): Promise<Uint8Array> {
  const disk = new MemoryDisk(MEBIBYTE);
  const extended = 1000;
  writeMbr(disk, 0, [
    { type: 0x83, first: 63, count: 300, flag: 0x80 },
    { type: 0x07, first: 400, count: 300 },
    { type: 0x0f, first: extended, count: 1000 },
  ]);
  for (const [i, at] of [extended, 1100, 1200].entries()) {
    const next = i < 2 ? [{ type: 0x05, first: at + 100 - extended, count: 100 }] : [];
    writeMbr(disk, at, [{ type: 0x83, first: 1, count: 90 }, ...next]);
  }
  return disk.write(400 * SECTOR + 3, "NTFS    ").bytes;
}

async function lvmImage(): Promise<Uint8Array> {
  const made = await lvmFixture();
  if (made === null) throw new Error("volume groups need root and loop devices");
  return Uint8Array.from(Buffer.concat(Object.values(made.disks).map(({ bytes }) => bytes)));
}

export const volumeFuzzSubjects: readonly FuzzSubject[] = [
  subject("mbr", mbrImage, oneDisk),
  subject("gpt", async () => new Uint8Array(await readFile((await machineDisks())[0])), oneDisk),
  subject("lvm, two disks", lvmImage, twoDisks),
];
