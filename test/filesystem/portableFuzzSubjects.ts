// The images that the readers of FAT, exFAT and NTFS are fuzzed with: small, and with one of everything. exFAT's checksums
// keep most damage from going deep: it is fuzzed a second time with checksums that fit again.

import { readFile } from "node:fs/promises";
import type { BlockReader } from "../../core/filesystem/blockReader.js";
import { openExfat } from "../../core/filesystem/exfat/exfatFileSystem.js";
import type { FileSystem } from "../../core/filesystem/fileSystem.js";
import type { FuzzSubject } from "./fuzzReader.js";
import { openerOf, type PortableKind, portableImage } from "./portableImages.js";

export const portableFuzzKinds: readonly PortableKind[] = ["fat12", "fat32-fuzz", "exfat-fuzz", "ntfs-fuzz"];

async function readImage(kind: PortableKind): Promise<Uint8Array> {
  return new Uint8Array(await readFile((await portableImage(kind)).path));
}

export const portableFuzzSubjects: readonly FuzzSubject[] = [
  ...portableFuzzKinds.map((name) => ({
    name,
    image: () => readImage(name),
    open: (reader: BlockReader) => openerOf(name)(reader),
  })),
  resealedExfat(),
];

function resealedExfat(): FuzzSubject {
  let image = new Uint8Array(0);
  let usedBytes = 0;
  return {
    name: "exfat-fuzz, checksums made to fit",
    image: async () => {
      image = new Uint8Array(await readImage("exfat-fuzz"));
      usedBytes = 1 + image.findLastIndex((byte) => byte !== 0);
      return image;
    },
    open: (reader): Promise<FileSystem> => {
      const sealed = image.slice(0, usedBytes);
      resealExfat(sealed);
      return openExfat({
        sizeBytes: reader.sizeBytes,
        read: async (buffer, offset, options) => {
          await reader.read(buffer, offset, options);
          // behind it are zeros, and what a run has put there
          if (offset < usedBytes) buffer.set(sealed.subarray(offset, offset + buffer.length));
        },
      });
    },
  };
}

const ENTRY = 32;
const SECTOR = 512;

/** Gives the boot region and everything that looks like a file's entries a fitting checksum. Sectors are of 512 bytes. */
export function resealExfat(image: Uint8Array): void {
  let boot = 0;
  for (let i = 0; i < 11 * SECTOR; i++) {
    if (i !== 106 && i !== 107 && i !== 112) boot = (((boot << 31) | (boot >>> 1)) + image[i]!) >>> 0;
  }
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let at = 11 * SECTOR; at < 12 * SECTOR; at += 4) view.setUint32(at, boot, true);
  for (let at = 24 * SECTOR; at + ENTRY * 3 <= image.length; at += ENTRY) {
    if (image[at] !== 0x85 || image[at + ENTRY] !== 0xc0) continue;
    const end = Math.min(image.length, at + (1 + image[at + 1]!) * ENTRY);
    let sum = 0;
    for (let i = at; i < end; i++) {
      if (i !== at + 2 && i !== at + 3) sum = (((sum & 1) << 15) + (sum >>> 1) + image[i]!) & 0xffff;
    }
    view.setUint16(at + 2, sum, true);
  }
}
