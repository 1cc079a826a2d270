// A volume group put together from physical volumes that may lie on several disks, and its logical volumes as readers.
// Linear, striped, mirrored and RAID1 volumes; others are named.

import type { BlockReader } from "../../blockReader.js";
import { damaged, unsupported } from "../../filesystemErrors.js";
import { type Stripe, StripedReader, type VolumeSegment } from "./logicalVolumeReader.js";
import { type LvmSection, listOf, numberOf, parseLvmText, sectionOf, textOf } from "./lvmText.js";
import type { PhysicalVolume } from "./physicalVolume.js";

const SECTOR_BYTES = 512;
const MAX_SEGMENTS = 100_000;
/** Mirrors of mirrors do not exist; raid images are plain. */
const MAX_NESTING = 3;
/** Volumes looked at to open one: mirrors that name each other again and again must come to an end. */
const MAX_OPENED = 1000;

export interface LogicalVolume {
  name: string;
  uuid: string;
  sizeBytes: number;
  /** Opens it, or throws what keeps it from being read: a missing physical volume, a kind that is not supported. */
  open(): BlockReader;
}

export interface VolumeGroup {
  name: string;
  uuid: string;
  /** Those that a person sees; parts of mirrors, pools and snapshots are left out. */
  volumes: readonly LogicalVolume[];
  remarks: readonly string[];
}

/** One group for each distinct id in the volumes' metadata; the newest metadata of a group counts. */
export function assembleVolumeGroups(volumes: readonly PhysicalVolume[]): VolumeGroup[] {
  const newest = new Map<string, { name: string; group: LvmSection; sequence: number }>();
  for (const { metadata } of volumes) {
    if (metadata === null) continue;
    for (const [name, group] of parseLvmText(metadata).sections) {
      if (!group.values.has("seqno")) continue;
      const id = textOf(group, "id");
      const sequence = numberOf(group, "seqno");
      if (sequence > (newest.get(id)?.sequence ?? -1)) newest.set(id, { name, group, sequence });
    }
  }
  return [...newest].map(([uuid, { name, group }]) => new Assembly(name, uuid, group, volumes).assemble());
}

class Assembly {
  readonly #name: string;
  readonly #uuid: string;
  readonly #group: LvmSection;
  readonly #extentBytes: number;
  /** pv0, pv1 … of the metadata; undefined: not among the disks. */
  readonly #physical = new Map<string, { reader: BlockReader | undefined; startBytes: number }>();
  readonly #remarks: string[] = [];
  #opened = 0;

  constructor(name: string, uuid: string, group: LvmSection, volumes: readonly PhysicalVolume[]) {
    this.#name = name;
    this.#uuid = uuid;
    this.#group = group;
    this.#extentBytes = numberOf(group, "extent_size") * SECTOR_BYTES;
    if (this.#extentBytes === 0) throw damaged("LVM2", `volume group ${name}`, "extents have no size");
    const readers = new Map(volumes.map((volume) => [volume.uuid, volume.reader]));
    for (const [key, section] of sectionOf(group, "physical_volumes").sections) {
      const reader = readers.get(textOf(section, "id"));
      if (reader === undefined)
        this.#remarks.push(`physical volume ${textOf(section, "id")} is not among the disks of this snapshot`);
      this.#physical.set(key, { reader, startBytes: numberOf(section, "pe_start") * SECTOR_BYTES });
    }
  }

  assemble(): VolumeGroup {
    const sections = this.#group.sections.get("logical_volumes")?.sections ?? new Map<string, LvmSection>();
    const volumes: LogicalVolume[] = [];
    for (const [name, section] of sections) {
      const status = section.values.get("status");
      if (Array.isArray(status) && !status.includes("VISIBLE")) continue;
      volumes.push({
        name,
        uuid: textOf(section, "id"),
        sizeBytes: this.#extentsOf(section) * this.#extentBytes,
        open: () => {
          this.#opened = 0;
          return this.#open(name, 0);
        },
      });
    }
    return { name: this.#name, uuid: this.#uuid, volumes, remarks: this.#remarks };
  }

  #extentsOf(volume: LvmSection): number {
    return segmentsOf(volume).reduce((sum, segment) => sum + numberOf(segment, "extent_count"), 0);
  }

  #open(name: string, depth: number): BlockReader {
    const what = `logical volume ${this.#name}/${name}`;
    const section = this.#group.sections.get("logical_volumes")?.sections.get(name);
    if (++this.#opened > MAX_OPENED || section === undefined || depth > MAX_NESTING)
      throw damaged("LVM2", what, "is not described");
    const segments: VolumeSegment[] = [];
    let next = 0;
    for (const segment of segmentsOf(section)) {
      if (numberOf(segment, "start_extent") !== next) throw damaged("LVM2", what, "its segments leave a gap");
      const count = numberOf(segment, "extent_count");
      next += count;
      segments.push(this.#segment(what, segment, count * this.#extentBytes, depth));
    }
    return new StripedReader(segments);
  }

  #segment(what: string, segment: LvmSection, sizeBytes: number, depth: number): VolumeSegment {
    const type = textOf(segment, "type").split("+")[0] as string;
    if (type === "striped" || type === "linear") {
      const stripes = this.#stripes(what, segment);
      const stripeBytes = stripes.length === 1 ? sizeBytes : numberOf(segment, "stripe_size") * SECTOR_BYTES;
      if (stripeBytes === 0 || sizeBytes % (stripes.length * (stripes.length === 1 ? 1 : stripeBytes)) !== 0)
        throw damaged("LVM2", what, "its stripes do not fill it");
      return { sizeBytes, stripeBytes, stripes: this.#checkedStripes(what, stripes, sizeBytes / stripes.length) };
    }
    if (type === "mirror" || type === "raid1") return this.#firstImage(what, segment, type, sizeBytes, depth);
    throw unsupported("LVM2", `${what}: a segment of type ${type}`, { type });
  }

  #stripes(what: string, segment: LvmSection): Stripe[] {
    const list = listOf(segment, "stripes");
    const stripes: Stripe[] = [];
    for (let i = 0; i + 1 < list.length; i += 2) {
      const [key, extent] = [list[i], list[i + 1]];
      const physical = this.#physical.get(String(key));
      if (physical === undefined || typeof extent !== "number") throw damaged("LVM2", what, "a stripe has no place");
      if (physical.reader === undefined)
        throw damaged("LVM2", what, "a physical volume that it lies on is not among the disks of this snapshot");
      stripes.push({ reader: physical.reader, offset: physical.startBytes + extent * this.#extentBytes });
    }
    if (stripes.length === 0 || stripes.length !== numberOf(segment, "stripe_count"))
      throw damaged("LVM2", what, "stripes are missing");
    return stripes;
  }

  #checkedStripes(what: string, stripes: Stripe[], bytesEach: number): Stripe[] {
    for (const { reader, offset } of stripes)
      if (!Number.isSafeInteger(offset + bytesEach) || offset + bytesEach > reader.sizeBytes)
        throw damaged("LVM2", what, "a stripe ends behind its physical volume");
    return stripes;
  }

  /** All images of a mirror are equal; the first that is there is read. */
  #firstImage(what: string, segment: LvmSection, type: string, sizeBytes: number, depth: number): VolumeSegment {
    const names = listOf(segment, type === "mirror" ? "mirrors" : "raids").filter((item) => typeof item === "string");
    // raids lists metadata and image in turn
    const images = type === "mirror" ? names : names.filter((_, i) => i % 2 === 1);
    let problem: unknown = damaged("LVM2", what, "its mirror has no image");
    for (const image of images) {
      try {
        const reader = this.#open(image as string, depth + 1);
        if (reader.sizeBytes >= sizeBytes)
          return { sizeBytes, stripeBytes: sizeBytes, stripes: [{ reader, offset: 0 }] };
      } catch (error) {
        problem = error;
      }
    }
    throw problem;
  }
}

function segmentsOf(volume: LvmSection): LvmSection[] {
  const count = numberOf(volume, "segment_count");
  if (count > MAX_SEGMENTS) throw damaged("LVM2", "metadata", "a volume has too many segments");
  return Array.from({ length: count }, (_, i) => sectionOf(volume, `segment${i + 1}`));
}
