// One file inside the disks: that it is there (or is not), and what it holds.

import { createHash } from "node:crypto";
import { isOurError } from "../../errors.js";
import type { FileNode, MachineTree, TreeNode } from "../../files/machineTree.js";
import type { Volume } from "../../files/machineVolumes.js";
import { readFile, requireFile } from "../../files/readFile.js";
import { formatTreePath, parseTreePath } from "../../files/treePath.js";
import { formatName } from "../../filesystem/nameText.js";
import type { AttemptOptions, CheckContext, CheckFunction, CheckOf, Observation } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";

/** As much of a file as a pattern is looked for in. */
const MAX_TEXT_BYTES = 1024 * 1024;
/** Clocks may differ by this much before a file from after the snapshot is strange. */
const CLOCK_SLACK_MS = 60 * 60 * 1000;

export const checkFile: CheckFunction<"file"> = async (check, context, options) => {
  const expected = describe(check);
  if (context.disks === null) return cannotTell(expected, "", "the disks of the snapshot cannot be read in this test");
  const found = await findPath(check.path, context, options);
  if ("problem" in found) return cannotTell(expected, found.problem, `${check.path} cannot be looked for`);
  if (found.node === null) {
    if (found.unreadable.length === 0)
      return check.exists
        ? fails(expected, "no such file", `${check.path} is missing`)
        : holds(expected, "no such file");
    const observed = `not found, but could not look into ${found.unreadable.join(", ")}`;
    return cannotTell(expected, observed, "it may be in a file system that cannot be read");
  }
  const place = formatTreePath(found.node.path);
  if (!check.exists) return fails(expected, `${place} exists`, `${check.path} exists`);
  if (!asksForContent(check)) return holds(expected, `${place} exists`);
  return await lookAt(found.node, check, context, expected, options);
};

/** `node` null: it does not exist. `problem`: one cannot say. */
export async function findPath(
  path: string,
  { disks }: CheckContext,
  options: AttemptOptions,
): Promise<{ node: TreeNode | null; unreadable: readonly string[] } | { problem: string }> {
  if (disks === null) return { problem: "the disks cannot be read" };
  try {
    return { node: await disks.tree.resolve(parseTreePath(path), options), unreadable: [] };
  } catch (error) {
    if (isOurError(error, "FILE_NOT_FOUND") || isOurError(error, "FILE_KIND_WRONG")) {
      const { unreadable } = error.data;
      const refused = Array.isArray(unreadable) ? unreadable.map(String) : [];
      return { node: null, unreadable: [...refused, ...(await blindSpots(path, disks.tree))] };
    }
    if (isOurError(error) && (error.family === "usage" || error.family === "unsupported"))
      return { problem: error.message };
    throw error;
  }
}

/** Where a file that was not found could be all the same: in what is encrypted or foreign, or in a volume that is not there. */
async function blindSpots(path: string, tree: MachineTree): Promise<string[]> {
  const [disk, name] = parseTreePath(path).map(formatName);
  const volumes = await tree.volumes.volumes();
  if (disk !== undefined && tree.volumes.diskNames.includes(disk)) {
    const known = volumes.some((volume) => volume.disk === disk && volume.name === name);
    return known ? [] : [`/${disk}/${name ?? ""} (no such volume)`];
  }
  if (!volumes.some(({ content }) => content.kind === "filesystem")) return ["any file system: there is none"];
  const dark = volumes.filter(({ content, problem }) => content.kind === "foreign" || problem !== null);
  return dark.filter(({ description }) => !/swap/.test(description)).map(descriptionOf);
}

function descriptionOf({ disk, name, description }: Volume): string {
  return `/${disk}/${name} (${description})`;
}

function asksForContent({ sha256, minimumBytes, maximumBytes, newerThanMs, matches }: CheckOf<"file">): boolean {
  return [sha256, minimumBytes, maximumBytes, newerThanMs, matches].some((each) => each !== null);
}

async function lookAt(
  node: TreeNode,
  check: CheckOf<"file">,
  context: CheckContext,
  expected: string,
  options: AttemptOptions,
): Promise<Observation> {
  const place = formatTreePath(node.path);
  if (!("stat" in node) || node.stat.kind !== "file") return fails(expected, place, `${place} is no plain file`);
  const file = requireFile(node);
  const { sizeBytes } = file.stat;
  const seen = [`${place}: ${sizeBytes} bytes`];
  const tooSmall = check.minimumBytes !== null && sizeBytes < check.minimumBytes;
  if (tooSmall) return fails(expected, seen.join(), `it has fewer than ${check.minimumBytes} bytes`);
  const tooLarge = check.maximumBytes !== null && sizeBytes > check.maximumBytes;
  if (tooLarge) return fails(expected, seen.join(), `it has more than ${check.maximumBytes} bytes`);
  const age = check.newerThanMs === null ? null : judgeAge(file, check.newerThanMs, context, expected, seen);
  if (age !== null) return age;
  return await lookInside(file, check, expected, seen, options);
}

/** Null: as it should be. */
function judgeAge(
  { stat }: FileNode,
  newerThanMs: number,
  { snapshot }: CheckContext,
  expected: string,
  seen: string[],
): Observation | null {
  if (stat.modifiedAtNs === null) return cannotTell(expected, seen.join(), "its time of change is not known");
  const modifiedAtMs = Number(stat.modifiedAtNs / 1_000_000n);
  const date = new Date(modifiedAtMs);
  seen.push(`changed ${Number.isNaN(date.getTime()) ? `${modifiedAtMs} ms after 1970` : date.toISOString()}`);
  if (modifiedAtMs < snapshot.timeMs - newerThanMs) return fails(expected, seen.join(", "), "it is too old");
  const endedAtMs = Date.parse(snapshot.manifest.finishedAt);
  if (modifiedAtMs > Math.max(endedAtMs, snapshot.timeMs) + CLOCK_SLACK_MS)
    return cannotTell(expected, seen.join(", "), "by its time it was written after the snapshot: a clock was wrong");
  return null;
}

async function lookInside(
  file: FileNode,
  check: CheckOf<"file">,
  expected: string,
  seen: string[],
  options: AttemptOptions,
): Promise<Observation> {
  if (check.sha256 !== null) {
    const digest = await digestOf(file, options);
    seen.push(`sha256 ${digest}`);
    if (digest !== check.sha256.toLowerCase()) return fails(expected, seen.join(", "), "its content is another");
  }
  if (check.matches !== null && !check.matches.test(await headText(file, MAX_TEXT_BYTES, options))) {
    if (file.stat.sizeBytes > MAX_TEXT_BYTES)
      return cannotTell(expected, seen.join(", "), `nothing matches in its first ${MAX_TEXT_BYTES} bytes`);
    return fails(expected, seen.join(", "), `nothing in it matches ${check.matches}`);
  }
  return holds(expected, seen.join(", "));
}

async function digestOf(file: FileNode, options: AttemptOptions): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of readFile(file, options)) {
    options.signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest("hex");
}

/** The first `maxBytes` bytes as text; what is not UTF-8 becomes U+FFFD. */
export async function headText(file: FileNode, maxBytes: number, options: AttemptOptions): Promise<string> {
  const head = new Uint8Array(Math.min(maxBytes, file.stat.sizeBytes));
  const length = head.length === 0 ? 0 : await file.fileSystem.read(file.node, head, 0, options);
  return new TextDecoder().decode(head.subarray(0, length));
}

function describe(check: CheckOf<"file">): string {
  if (!check.exists) return `${check.path} does not exist`;
  const parts = [
    check.sha256 === null ? null : `sha256 ${check.sha256}`,
    check.minimumBytes === null ? null : `at least ${check.minimumBytes} bytes`,
    check.maximumBytes === null ? null : `at most ${check.maximumBytes} bytes`,
    check.newerThanMs === null ? null : `written at most ${check.newerThanMs} ms before the snapshot`,
    check.matches === null ? null : `matching ${check.matches}`,
  ].filter((part) => part !== null);
  return [`${check.path} exists`, ...parts].join(", ");
}
