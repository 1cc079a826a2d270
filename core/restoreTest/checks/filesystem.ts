// File systems of the disks: they open, their root lists, and they are what the spec says.

import { isOurError } from "../../errors.js";
import type { Volume } from "../../files/machineVolumes.js";
import { parseTreePath } from "../../files/treePath.js";
import type { FileSystemInfo } from "../../filesystem/fileSystem.js";
import { formatName } from "../../filesystem/nameText.js";
import type { AttemptOptions, CheckFunction, CheckOf, Observation, TestedDisks } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { isClean } from "./cleanliness.js";
import { worst } from "./worst.js";

/** Entries of a root that are looked at. */
const MAX_ENTRIES = 10_000;
/** Partitions that are meant to hold something else than a file system. */
const NO_FILE_SYSTEM = /^(BIOS boot|Microsoft reserved|type 41|type 0x41)/;

export const checkFilesystem: CheckFunction<"filesystem"> = async (check, context, options) => {
  const expected = describe(check);
  const { disks } = context;
  if (disks === null) return cannotTell(expected, "", "the disks of the snapshot cannot be read in this test");
  const volumes = await disks.tree.volumes.volumes();
  if (check.volume !== null) {
    const volume = volumeAt(check.volume, volumes);
    if (volume === undefined) return fails(expected, listOf(volumes), `there is no volume ${check.volume}`);
    return await lookAt(volume, disks, check, expected, options);
  }
  const own = volumes.filter(({ content, problem }) => content.kind === "filesystem" || problem !== null);
  const unknown = volumes.filter((volume) => !own.includes(volume) && mayHoldFileSystem(volume));
  if (own.length === 0) return cannotTell(expected, listOf(volumes), "no file system was found that can be read");
  const each = await Promise.all(own.map((volume) => lookAt(volume, disks, check, expected, options)));
  each.push(...unknown.map((volume) => notKnown(volume, expected)));
  return withNotes(worst(expected, each), foreignOf(volumes));
};

async function lookAt(
  volume: Volume,
  { tree }: TestedDisks,
  check: CheckOf<"filesystem">,
  expected: string,
  options: AttemptOptions,
): Promise<Observation> {
  const place = placeOf(volume);
  try {
    const fileSystem = await tree.volumes.fileSystem(volume.disk, volume.name);
    let entries = 0;
    for await (const _ of fileSystem.readDirectory(fileSystem.root, options)) if (++entries >= MAX_ENTRIES) break;
    return judge(place, fileSystem.info, entries, check, expected);
  } catch (error) {
    if (isOurError(error) && (error.family === "corrupt" || error.family === "not-found"))
      return fails(expected, `${place}: ${error.message}`, `${place} cannot be read`);
    if (isOurError(error) && (error.family === "unsupported" || error.family === "usage"))
      return cannotTell(expected, `${place}: ${error.message}`, `${place} cannot be looked into`);
    throw error;
  }
}

function judge(
  place: string,
  info: FileSystemInfo,
  entries: number,
  check: CheckOf<"filesystem">,
  expected: string,
): Observation {
  const { type, label, uuid, remarks } = info;
  const notes = remarks.length === 0 ? "" : ` (${remarks.join("; ")})`;
  const named = label === "" ? "" : `, label ${label}`;
  const observed = `${place}: ${type}${named}, ${entries} entries in its root${notes}`;
  if (check.fileSystem !== null && type !== check.fileSystem)
    return fails(expected, observed, `${place} holds ${type}`);
  if (check.label !== null && label !== check.label)
    return fails(expected, observed, `the label of ${place} is "${label}"`);
  if (check.uuid !== null && uuid.toLowerCase() !== check.uuid.toLowerCase())
    return fails(expected, `${observed}, uuid ${uuid}`, `${place} has another uuid`);
  return judgeState(place, info, check, expected, observed);
}

function judgeState(
  place: string,
  info: FileSystemInfo,
  check: CheckOf<"filesystem">,
  expected: string,
  observed: string,
): Observation {
  if (check.clean !== null) {
    const clean = isClean(info);
    if (clean === null) return cannotTell(expected, observed, `${info.type} does not say whether ${place} is clean`);
    if (clean !== check.clean) return fails(expected, observed, `${place} is ${clean ? "clean" : "not clean"}`);
  }
  if (check.minimumFreeBytes !== null) {
    if (info.usedBytes === null)
      return cannotTell(expected, observed, `${info.type} does not say how full ${place} is`);
    const freeBytes = info.sizeBytes - info.usedBytes;
    const seen = `${observed}, ${freeBytes} bytes free`;
    if (freeBytes < check.minimumFreeBytes) return fails(expected, seen, `too little is free in ${place}`);
    return holds(expected, seen);
  }
  return holds(expected, observed);
}

/** A partition for a file system in which none is recognised may have lost it. */
function mayHoldFileSystem({ content, partition }: Volume): boolean {
  return content.kind === "unknown" && !NO_FILE_SYSTEM.test(partition?.type ?? "");
}

function notKnown(volume: Volume, expected: string): Observation {
  const place = placeOf(volume);
  const type = volume.partition === null ? "" : ` on a partition of type ${volume.partition.type}`;
  return cannotTell(expected, `${place}: nothing known${type}`, `it is not known what ${place} holds`);
}

/** What is there, and was not looked into: said, so that nobody thinks that it was. */
function foreignOf(volumes: readonly Volume[]): string[] {
  return volumes.flatMap((volume) =>
    volume.content.kind === "foreign" && !/swap/.test(volume.content.what)
      ? [`${placeOf(volume)} (${volume.content.what})`]
      : [],
  );
}

function withNotes(observation: Observation, foreign: readonly string[]): Observation {
  if (foreign.length === 0) return observation;
  const note = `not looked into: ${foreign.join(", ")}`;
  return { ...observation, reason: observation.reason === undefined ? note : `${observation.reason}; ${note}` };
}

function volumeAt(path: string, volumes: readonly Volume[]): Volume | undefined {
  const [disk, name, ...more] = parseTreePath(path).map(formatName);
  if (more.length > 0) return undefined;
  return volumes.find((volume) => volume.disk === disk && volume.name === name);
}

function placeOf({ disk, name }: Volume): string {
  return `/${disk}/${name}`;
}

function listOf(volumes: readonly Volume[]): string {
  if (volumes.length === 0) return "no volumes";
  return volumes.map((volume) => `${placeOf(volume)}: ${volume.description}`).join("; ");
}

function describe(check: CheckOf<"filesystem">): string {
  const { volume, fileSystem, label, uuid, clean, minimumFreeBytes } = check;
  const parts = [
    fileSystem,
    label === null ? null : `label "${label}"`,
    uuid === null ? null : `uuid ${uuid}`,
    clean === null ? null : clean ? "clean" : "not clean",
    minimumFreeBytes === null ? null : `at least ${minimumFreeBytes} bytes free`,
  ].filter((part) => part !== null);
  const wanted = parts.length === 0 ? "" : `: ${parts.join(", ")}`;
  const which = volume === null ? "every file system that can be read here" : volume;
  return `${which} opens and its root lists${wanted}`;
}
