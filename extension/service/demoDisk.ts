// Disks for the demo repository: a partition table and a FAT16 volume with the given files, made in memory and without any tool. Only
// for what the demo needs: no file that changes its name, no volume that was written to. Microsoft's "FAT32 File System
// Specification" 1.03.

export interface DemoFile {
  /** `etc/hostname`; folders are made as they are named. */
  path: string;
  bytes: Uint8Array;
  modifiedAtMs: number;
}

const SECTOR = 512;
const CLUSTER = 4 * SECTOR;
const FIRST_SECTOR = 2048;
const ROOT_ENTRIES = 512;
const ENTRY = 32;
const CHARS_PER_PART = 13;

/** Throws RangeError when the files do not fit. `sizeBytes`: a multiple of 1 MiB, 16 to 128 MiB. */
export function makeDemoDisk(sizeBytes: number, label: string, files: readonly DemoFile[]): Uint8Array {
  const disk = new Uint8Array(sizeBytes);
  const view = new DataView(disk.buffer);
  const sectors = sizeBytes / SECTOR - FIRST_SECTOR;
  disk.set([0x80, 0, 0, 0, 0x0e, 0, 0, 0], 446);
  view.setUint32(454, FIRST_SECTOR, true);
  view.setUint32(458, sectors, true);
  view.setUint16(510, 0xaa55, true);
  new DemoVolume(disk.subarray(FIRST_SECTOR * SECTOR), label).writeAll(files);
  return disk;
}

interface Folder {
  folders: Map<string, Folder>;
  files: { name: string; file: DemoFile }[];
}

class DemoVolume {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tableSectors: number;
  readonly #label: string;
  #nextCluster = 2;
  #nextShort = 1;

  constructor(bytes: Uint8Array, label: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#tableSectors = Math.ceil((bytes.length / CLUSTER + 2) * (2 / SECTOR));
    this.#label = label.toUpperCase().padEnd(11).slice(0, 11);
    this.#writeBootSector();
  }

  writeAll(files: readonly DemoFile[]): void {
    const root: Folder = { folders: new Map(), files: [] };
    for (const file of files) {
      const names = file.path.split("/");
      const name = names.pop() as string;
      let folder = root;
      for (const each of names) {
        const inside = folder.folders.get(each) ?? { folders: new Map(), files: [] };
        folder.folders.set(each, inside);
        folder = inside;
      }
      folder.files.push({ name, file });
    }
    const label = new Uint8Array(ENTRY);
    label.set(ascii(this.#label));
    label[11] = 0x08;
    const entries = join([label, this.#folderEntries(root, 0)]);
    if (entries.length > ROOT_ENTRIES * ENTRY) throw new RangeError("too many files at the top");
    this.#bytes.set(entries, this.#rootOffset);
  }

  get #rootOffset(): number {
    return (1 + 2 * this.#tableSectors) * SECTOR;
  }

  #writeBootSector(): void {
    const [bytes, view] = [this.#bytes, this.#view];
    bytes.set([0xeb, 0x3c, 0x90, ...ascii("REPRISE ")]);
    view.setUint16(11, SECTOR, true);
    bytes[13] = CLUSTER / SECTOR;
    view.setUint16(14, 1, true);
    bytes[16] = 2;
    view.setUint16(17, ROOT_ENTRIES, true);
    bytes[21] = 0xf8;
    view.setUint16(22, this.#tableSectors, true);
    view.setUint32(28, FIRST_SECTOR, true);
    view.setUint32(32, bytes.length / SECTOR, true);
    bytes.set([0x80, 0, 0x29, 0x52, 0x45, 0x50, 0x52, ...ascii(this.#label), ...ascii("FAT16   ")], 36);
    view.setUint16(510, 0xaa55, true);
    this.#link(0, 0xfff8);
    this.#link(1, 0xffff);
  }

  /** Contents first, so that a folder knows where they are. */
  #folderEntries(folder: Folder, own: number): Uint8Array {
    const entries: Uint8Array[] = [];
    for (const [name, inside] of folder.folders) {
      const cluster = this.#take(1);
      const dots = [dotEntry(".", cluster), dotEntry("..", own)];
      const content = join([...dots, this.#folderEntries(inside, cluster)]);
      this.#extend(cluster, content);
      entries.push(this.#entry(name, { attribute: 0x10, cluster, sizeBytes: 0, modifiedAtMs: newestIn(inside) }));
    }
    for (const { name, file } of folder.files) {
      const sizeBytes = file.bytes.length;
      const cluster = sizeBytes === 0 ? 0 : this.#take(Math.ceil(sizeBytes / CLUSTER));
      if (sizeBytes > 0) this.#bytes.set(file.bytes, this.#offsetOf(cluster));
      entries.push(this.#entry(name, { attribute: 0x20, cluster, sizeBytes, modifiedAtMs: file.modifiedAtMs }));
    }
    return join(entries);
  }

  /** A folder whose first cluster was taken before its contents were known. */
  #extend(first: number, content: Uint8Array): void {
    this.#bytes.set(content.subarray(0, CLUSTER), this.#offsetOf(first));
    const rest = content.subarray(CLUSTER);
    if (rest.length === 0) return;
    const next = this.#take(Math.ceil(rest.length / CLUSTER));
    this.#link(first, next);
    this.#bytes.set(rest, this.#offsetOf(next));
  }

  #take(count: number): number {
    const first = this.#nextCluster;
    if (this.#offsetOf(first + count) > this.#bytes.length) throw new RangeError("the files do not fit on the disk");
    for (let i = 0; i < count; i++) this.#link(first + i, i === count - 1 ? 0xffff : first + i + 1);
    this.#nextCluster += count;
    return first;
  }

  #offsetOf(cluster: number): number {
    return this.#rootOffset + ROOT_ENTRIES * ENTRY + (cluster - 2) * CLUSTER;
  }

  #link(cluster: number, to: number): void {
    for (const table of [1, 1 + this.#tableSectors]) this.#view.setUint16(table * SECTOR + 2 * cluster, to, true);
  }

  /** With a long name, whatever the name. */
  #entry(
    name: string,
    given: { attribute: number; cluster: number; sizeBytes: number; modifiedAtMs: number },
  ): Uint8Array {
    const short = ascii(`F${String(this.#nextShort++).padStart(7, "0")}   `);
    const entry = new Uint8Array(ENTRY);
    const view = new DataView(entry.buffer);
    const { time, date } = dosTime(given.modifiedAtMs);
    entry.set(short);
    entry[11] = given.attribute;
    for (const [at, value] of [
      [14, time],
      [16, date],
      [18, date],
      [22, time],
      [24, date],
      [26, given.cluster],
    ] as const)
      view.setUint16(at, value, true);
    view.setUint32(28, given.sizeBytes, true);
    return join([...longNameParts(name, short), entry]);
  }
}

function longNameParts(name: string, short: Uint8Array): Uint8Array[] {
  const checksum = short.reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0);
  const count = Math.ceil(name.length / CHARS_PER_PART);
  const places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
  const parts = Array.from({ length: count }, (_, part) => {
    const entry = new Uint8Array(ENTRY);
    const view = new DataView(entry.buffer);
    entry[0] = part + 1 + (part === count - 1 ? 0x40 : 0);
    entry[11] = 0x0f;
    entry[13] = checksum;
    for (const [i, place] of places.entries()) {
      const at = part * CHARS_PER_PART + i;
      view.setUint16(place, at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff, true);
    }
    return entry;
  });
  return parts.reverse();
}

function dotEntry(name: string, cluster: number): Uint8Array {
  const entry = new Uint8Array(ENTRY);
  entry.set(ascii(name.padEnd(11)));
  entry[11] = 0x10;
  const view = new DataView(entry.buffer);
  view.setUint16(24, 0x21, true);
  view.setUint16(26, cluster, true);
  return entry;
}

function newestIn({ folders, files }: Folder): number {
  return Math.max(0, ...files.map(({ file }) => file.modifiedAtMs), ...[...folders.values()].map(newestIn));
}

/** In UTC, in steps of two seconds. */
function dosTime(ms: number): { time: number; date: number } {
  const at = new Date(Math.max(ms, Date.UTC(1980, 0, 1)));
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
