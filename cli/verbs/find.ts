import {
  compileGlob,
  type FileQuery,
  type FoundVersion,
  findFiles,
  findInSnapshots,
  type ListedFile,
  type MachineTree,
  openSnapshotTree,
  parseIsoInstant,
  parseTreePath,
  type Snapshot,
  snapshotsHaving,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { fileDocument } from "../fileDocument.js";
import { parseSize } from "../given/amounts.js";
import { parseFilePlace, parseMachinePlace } from "../given/filePlace.js";
import { type Given, usageError, wrongValue } from "../given/given.js";
import { openMachine, openTree, resolvePlace } from "../openTree.js";
import { fileName, longListing } from "../output/fileText.js";
import { type Line, styled } from "../output/text.js";
import { countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

const KINDS: Record<string, ListedFile["kind"]> = {
  f: "file",
  d: "directory",
  l: "symlink",
  c: "character-device",
  b: "block-device",
  p: "fifo",
  s: "socket",
};

export const findVerb: Verb = {
  name: "find",
  summary: "find files inside a snapshot, or inside all snapshots of a machine",
  details: [
    "Everything below the path is looked at; all conditions must hold. Names and paths are compared as they are shown, --path both from the root of the tree and from that of the volume.",
  ],
  operands: [
    {
      name: "<place:/path>",
      description: "SNAPSHOT:/path, as in vm/web1@latest:/etc; with --all-snapshots MACHINE:/path, as in vm/web1:/etc",
      completes: "place",
    },
  ],
  options: [
    { flags: "--name <glob>", description: "name, as in '*.conf'", completes: "nothing" },
    { flags: "--path <glob>", description: "whole path, as in '/etc/*/default'", completes: "nothing" },
    {
      flags: "--size <size>",
      description: "files of this size; +10M: larger, -1K: smaller; several times",
      many: true,
      completes: "nothing",
    },
    {
      flags: "--newer <time>",
      description: "modified after a time (2026-11-21, 2026-11-21T02:00:00Z), or after a file of the snapshot (:/path)",
      completes: "nothing",
    },
    {
      flags: "--type <kind>",
      description: "f, d, l, c, b, p or s, as in find(1); several times",
      many: true,
      choices: Object.keys(KINDS),
    },
    { flags: "--all-snapshots", description: "every snapshot of the machine: each version of each file once" },
    { flags: "-l, --long", description: "mode, owner, size and time of each" },
  ],
  examples: [
    { command: "reprise find vm/web1@latest:/etc --name '*.conf'", meaning: "in the newest snapshot" },
    { command: "reprise find vm/web1:/home --name 'report*' --all-snapshots", meaning: "whenever it was there" },
    { command: "reprise find 3f2a9c01:/ --type f --size +1G -l", meaning: "what is large" },
  ],
  run: async (context, given) =>
    given.flag("allSnapshots") ? await findInAll(context, given) : await findInOne(context, given),
};

async function findInOne(context: Context, given: Given): Promise<Answer> {
  const place = parseFilePlace(given.operand(0));
  const { snapshot, tree } = await openTree(context, place.snapshot);
  const query = await readQuery(context, given, tree);
  const node = await resolvePlace(context, tree, place);
  const { json } = context.settings;
  const long = given.flag("long");
  const kept: ListedFile[] = [];
  for await (const file of findFiles(tree, node, query, context.options)) {
    if (file.problem !== null) warn(context, file);
    // a table needs all rows, and so does the one document; names go out as they are found
    else if (json || long) kept.push(file);
    else await context.writeLines([fileName(file, true)]);
  }
  const document = { ...snapshotReference(snapshot), files: json ? kept.map(fileDocument) : [] };
  return { document, lines: json || !long ? [] : longListing(kept, true) };
}

async function findInAll(context: Context, given: Given): Promise<Answer> {
  if (given.text("newer")?.startsWith(":/"))
    throw usageError("--newer with a file needs one snapshot", "give a time, or leave --all-snapshots out");
  const place = parseMachinePlace(given.operand(0));
  const query = await readQuery(context, given, null);
  const { snapshots, fetcher } = await openMachine(context, place.machine);
  const { versions } = await findInSnapshots(
    snapshots,
    (snapshot) => openSnapshotTree(snapshot, fetcher, context.options),
    place.path,
    query,
    { ...context.options, onProblem: (_, problem) => warn(context, { problem }) },
  );
  return {
    document: {
      machine: place.machine,
      snapshots: snapshots.length,
      found: versions.map((version) => foundDocument(snapshots, version)),
    },
    lines: versions.map((version) => foundLine(snapshots, version)),
    summary: [`${countText(versions.length, "version")} in ${countText(snapshots.length, "snapshot")}`],
  };
}

function foundDocument(searched: readonly Snapshot[], version: FoundVersion): Record<string, unknown> {
  return { ...fileDocument(version.file), snapshots: snapshotsHaving(searched, version).map(snapshotReference) };
}

function foundLine(searched: readonly Snapshot[], version: FoundVersion): Line {
  const snapshots = snapshotsHaving(searched, version);
  const times = [snapshots[0], snapshots.at(-1)].map((snapshot) => snapshot?.manifest.time ?? "");
  const when = times[0] === times[1] ? times[0] : `${times[0]} … ${times[1]}`;
  return [...fileName(version.file, true), styled("dim", `  ${when} (${countText(snapshots.length, "snapshot")})`)];
}

async function readQuery(context: Context, given: Given, tree: MachineTree | null): Promise<FileQuery> {
  const query: FileQuery = {};
  const [name, path, newer] = [given.text("name"), given.text("path"), given.text("newer")];
  if (name !== undefined) query.name = compileGlob(name);
  if (path !== undefined) query.path = compileGlob(path);
  const sizes = given.texts("size");
  if (sizes.length > 0) query.sizeBytes = readSizes(sizes);
  if (newer !== undefined) query.newerThanNs = await readNewer(context, newer, tree);
  const kinds = given.texts("type");
  if (kinds.length > 0) query.kinds = new Set(kinds.map((letter) => KINDS[letter] as ListedFile["kind"]));
  return query;
}

function readSizes(texts: readonly string[]): { from: number; to: number } {
  const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
  for (const text of texts) {
    const bytes = parseSize(text.replace(/^[+-]/, ""), "--size");
    if (!text.startsWith("-")) range.from = Math.max(range.from, text.startsWith("+") ? bytes + 1 : bytes);
    if (!text.startsWith("+")) range.to = Math.min(range.to, text.startsWith("-") ? bytes - 1 : bytes);
  }
  return range;
}

async function readNewer(context: Context, text: string, tree: MachineTree | null): Promise<bigint> {
  if (text.startsWith(":/") && tree !== null) {
    const node = await tree.resolve(parseTreePath(text.slice(1)), context.options);
    const modified = "stat" in node ? node.stat.modifiedAtNs : null;
    if (modified === null) throw usageError(`--newer: ${text.slice(1)} has no time`);
    return modified;
  }
  const milliseconds = parseIsoInstant(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (milliseconds === undefined) throw wrongValue("--newer", text, "a time such as 2026-11-21T02:00:00Z, or :/path");
  return BigInt(milliseconds) * 1_000_000n;
}

function warn(context: Context, { problem }: Pick<ListedFile, "problem">): void {
  if (problem !== null) context.onWarning({ code: problem.code, message: problem.message, data: problem.data });
}
