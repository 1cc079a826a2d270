// Every disk, or the one that is named, has a partition table that can be used, or one thing over all of it.

import { isOurError } from "../../errors.js";
import type { MachineDisk } from "../../files/machineVolumes.js";
import { identify } from "../../filesystem/volumes/identify.js";
import type { PartitionTable } from "../../filesystem/volumes/partition.js";
import { readPartitionTable } from "../../filesystem/volumes/partitionTable.js";
import type { AttemptOptions, CheckContext, CheckFunction, CheckOf, Observation } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { worst } from "./worst.js";

/** A table that says so of itself can be used, but is not as it was. */
const DAMAGE_REMARKS = /damaged|does not lie inside|left out/;

export const checkPartitionTable: CheckFunction<"partition-table"> = async (check, context, options) => {
  const expected = describe(check);
  if (context.disks === null) return cannotTell(expected, "", "the disks of the snapshot cannot be read in this test");
  const { disks } = context.disks;
  const chosen = disks.filter(({ name }) => check.disk === null || check.disk === name);
  if (chosen.length === 0) {
    if (check.disk === null && imagesOf(context).length === 0)
      return cannotTell(expected, "", "the snapshot has no disk");
    const wanted = check.disk ?? imagesOf(context).join(", ");
    return fails(expected, `disks: ${disks.map(({ name }) => name).join(", ")}`, `there is no disk ${wanted}`);
  }
  const missing = imagesOf(context).filter((image) => !disks.some(({ name }) => name === image));
  if (check.disk === null && missing.length > 0)
    return fails(expected, `disks: ${disks.map(({ name }) => name).join(", ")}`, `${missing.join(", ")} is missing`);
  const each = await Promise.all(chosen.map((disk) => lookAt(disk, check, expected, options)));
  return worst(expected, each);
};

function imagesOf({ snapshot }: CheckContext): string[] {
  return snapshot.manifest.archives.filter(({ kind }) => kind === "image").map(({ name }) => name);
}

async function lookAt(
  disk: MachineDisk,
  check: CheckOf<"partition-table">,
  expected: string,
  options: AttemptOptions,
): Promise<Observation> {
  const { name } = disk;
  const demanding = check.scheme !== null || check.partitions !== null;
  if ("openFolder" in disk) {
    const observed = `${name}: a folder, backed up file by file`;
    return demanding ? fails(expected, observed, `${name} is no disk`) : holds(expected, observed);
  }
  const table = await readTable(disk.reader, options);
  if (table === "damaged") return fails(expected, `${name}: a damaged table`, `the table of ${name} cannot be used`);
  if (table === null) {
    const { kind, what } = await describeWhole(disk.reader, options);
    const observed = `${name}: no partition table, ${what}`;
    if (demanding) return fails(expected, observed, `${name} has no partition table`);
    if (kind === "unknown") return cannotTell(expected, observed, `it is not known what ${name} holds`);
    return holds(expected, observed);
  }
  return judge(name, table, check, expected);
}

function judge(name: string, table: PartitionTable, check: CheckOf<"partition-table">, expected: string): Observation {
  const { kind, partitions, remarks } = table;
  const notes = remarks.length === 0 ? "" : ` (${remarks.join("; ")})`;
  const observed = `${name}: ${kind}, ${partitions.length} partitions${notes}`;
  if (check.scheme !== null && kind !== check.scheme) return fails(expected, observed, `${name} has another scheme`);
  if (check.partitions !== null && partitions.length !== check.partitions)
    return fails(expected, observed, `${name} has ${partitions.length} partitions`);
  if (remarks.some((remark) => DAMAGE_REMARKS.test(remark)))
    return fails(expected, observed, `the table of ${name} is damaged`);
  return holds(expected, observed);
}

type Reader = Exclude<MachineDisk, { openFolder: unknown }>["reader"];

async function readTable(reader: Reader, options: AttemptOptions): Promise<PartitionTable | null | "damaged"> {
  try {
    return await readPartitionTable(reader, options);
  } catch (error) {
    if (isOurError(error, "FILESYSTEM_DAMAGED")) return "damaged";
    throw error;
  }
}

async function describeWhole(reader: Reader, options: AttemptOptions): Promise<{ kind: string; what: string }> {
  const content = await identify(reader, options);
  switch (content.kind) {
    case "filesystem":
      return { kind: content.kind, what: `a ${content.type} file system over all of it` };
    case "physical-volume":
      return { kind: content.kind, what: "an LVM physical volume over all of it" };
    case "foreign":
      return { kind: content.kind, what: content.what };
    default:
      return { kind: content.kind, what: content.kind === "empty" ? "nothing but zeros" : "nothing known" };
  }
}

function describe({ disk, scheme, partitions }: CheckOf<"partition-table">): string {
  const where = disk === null ? "every disk" : `disk ${disk}`;
  if (scheme === null && partitions === null) return `${where} has a usable partition table, or needs none`;
  const count = partitions === null ? "" : ` with ${partitions} partitions`;
  return `${where} has a ${scheme === null ? "partition table" : `${scheme} table`}${count}`;
}
