import {
  diffTrees,
  type FileDifference,
  formatTreePath,
  isOurError,
  type MachineTree,
  parseTreePath,
  type RepriseError,
  readFile,
  type TreeNode,
  type TreePath,
  unifiedDiff,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { timeText } from "../fileDocument.js";
import type { Given } from "../given/given.js";
import { type OpenedTree, openTrees } from "../openTree.js";
import { type Line, styled } from "../output/text.js";
import { countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

type Change = FileDifference["change"];

const MARKS: Record<Change, Line> = {
  added: styled("green", "+"),
  removed: styled("red", "-"),
  changed: styled("bold", "M"),
  metadata: "m",
  unreadable: styled("red", "!"),
};
const MAX_SHOWN_BYTES = 4 * 1024 * 1024;
const TEXT_FORM = "binary, too large or too different to be shown";

export const diffVerb: Verb = {
  name: "diff",
  summary: "show which files differ between two snapshots",
  details: [
    "+ added, - removed, M changed (contents, link target, kind), m only mode, owner, time or attributes. Contents decide, not times. What the snapshots have in common is not read.",
  ],
  operands: [
    { name: "<before>", description: "a snapshot, as in vm/web1~1", completes: "snapshot" },
    { name: "<after>", description: "a snapshot, as in vm/web1@latest", completes: "snapshot" },
  ],
  options: [
    { flags: "--path <path>", description: "only this folder or file, as in /etc", completes: "nothing" },
    { flags: "--content", description: "what changed in text files, in the form that patch reads" },
  ],
  examples: [
    { command: "reprise diff vm/web1~1 vm/web1@latest --path /etc", meaning: "what somebody changed since yesterday" },
    { command: "reprise diff vm/web1~7 vm/web1~6 --path /etc --content", meaning: "line by line" },
  ],
  run: runDiff,
};

async function runDiff(context: Context, given: Given): Promise<Answer> {
  const path = parseTreePath(given.text("path") ?? "/");
  const [before, after] = (await openTrees(context, given.operands)) as [OpenedTree, OpenedTree];
  const start = await findStart(before.tree, after.tree, path, context);
  const content = given.flag("content");
  const { json } = context.settings;
  const counts: Record<Change, number> = { added: 0, removed: 0, changed: 0, metadata: 0, unreadable: 0 };
  const documents: Record<string, unknown>[] = [];
  for await (const difference of diffTrees(before.tree, after.tree, start, context.options)) {
    counts[difference.change]++;
    const { problem } = difference;
    if (problem !== null) context.onWarning({ code: problem.code, message: problem.message, data: problem.data });
    const diff = content ? await contentDiff(difference, context) : undefined;
    if (json) documents.push(differenceDocument(difference, diff));
    else await print(context, difference, diff);
  }
  return {
    document: {
      ...{ before: snapshotReference(before.snapshot), after: snapshotReference(after.snapshot) },
      ...{ path: formatTreePath(path), counts, differences: documents },
    },
    lines: [],
    summary: content ? [] : [summaryOf(counts)],
  };
}

/** The path in both snapshots; in one of them it may be missing. */
async function findStart(
  before: MachineTree,
  after: MachineTree,
  path: TreePath,
  { options }: Context,
): Promise<{ before: TreeNode | null; after: TreeNode | null; path: TreePath }> {
  const missing: RepriseError[] = [];
  const resolve = async (tree: MachineTree) => {
    try {
      return await tree.resolve(path, { ...options, followLast: false });
    } catch (error) {
      if (!isOurError(error, "FILE_NOT_FOUND")) throw error;
      missing.push(error);
      return null;
    }
  };
  const found = { before: await resolve(before), after: await resolve(after) };
  if (found.before === null && found.after === null) throw missing[0];
  return { ...found, path: (found.after ?? found.before)?.path ?? path };
}

/** Undefined: nothing to compare line by line; null: no text. */
async function contentDiff(
  { path, change, before, after }: FileDifference,
  context: Context,
): Promise<Uint8Array | null | undefined> {
  if (change === "metadata" || change === "unreadable") return undefined;
  const sides = [before, after].filter((side) => side !== null);
  if (sides.length === 0 || sides.some(({ stat }) => stat.kind !== "file")) return undefined;
  if (sides.some(({ stat }) => stat.sizeBytes > MAX_SHOWN_BYTES)) return null;
  const text = formatTreePath(path);
  const read = async (side: FileDifference["before"], prefix: string) => {
    if (side === null) return { name: "/dev/null", bytes: new Uint8Array(0) };
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile(side, context.options)) pieces.push(piece);
    return { name: prefix + text, bytes: Buffer.concat(pieces) };
  };
  return unifiedDiff(await read(before, "a"), await read(after, "b"));
}

async function print(context: Context, difference: FileDifference, diff: Uint8Array | null | undefined): Promise<void> {
  if (diff === undefined || diff === null) await context.writeLines([lineOf(difference, diff)]);
  // a terminal would obey what stands in the files
  else if (context.io.stdout.isTTY) await context.writeLines(linesOf(diff));
  else await context.writeData(diff);
}

function lineOf({ path, change, before, after, metadata, problem }: FileDifference, diff: null | undefined): Line {
  const mark = MARKS[change];
  const kinds = [before?.stat.kind, after?.stat.kind];
  const becomes = change === "changed" && kinds[0] !== kinds[1] ? [`${kinds[0]} became ${kinds[1]}`] : [];
  const remarks = [
    ...becomes,
    ...metadata,
    ...(diff === null ? [TEXT_FORM] : []),
    ...(problem === null ? [] : [problem.message]),
  ];
  const name = `${formatTreePath(path)}${kinds[1] === "directory" || kinds[0] === "directory" ? "/" : ""}`;
  const tail = remarks.length === 0 ? [] : ["  ", styled("dim", remarks.join(", "))];
  return [...(Array.isArray(mark) ? mark : [mark]), " ", name, ...tail];
}

function linesOf(diff: Uint8Array): Line[] {
  const lines = new TextDecoder().decode(diff).replace(/\n$/, "").split("\n");
  return lines.map((line) => {
    // tabs are escaped like other controls, and would make texts unreadable
    const text = line.replaceAll("\t", "    ");
    if (line.startsWith("+")) return styled("green", text);
    return line.startsWith("-") ? styled("red", text) : text;
  });
}

function differenceDocument(
  { path, change, before, after, metadata, problem }: FileDifference,
  diff: Uint8Array | null | undefined,
): Record<string, unknown> {
  return {
    ...{ path: formatTreePath(path), change, metadata },
    before: sideDocument(before),
    after: sideDocument(after),
    ...(diff === undefined ? {} : { diff: diff === null ? null : new TextDecoder().decode(diff) }),
    ...(problem === null ? {} : { problem: { code: problem.code, message: problem.message } }),
  };
}

function sideDocument(side: FileDifference["before"]): Record<string, unknown> | null {
  if (side === null) return null;
  const { kind, sizeBytes, mode, uid, gid, modifiedAtNs } = side.stat;
  const modeText = mode === null ? null : mode.toString(8).padStart(4, "0");
  return { kind, sizeBytes, mode: modeText, uid, gid, modifiedAt: timeText(modifiedAtNs) };
}

function summaryOf({ added, removed, changed, metadata, unreadable }: Record<Change, number>): Line {
  const parts = [`${added} added`, `${removed} removed`, `${changed} changed`, `${metadata} with other metadata only`];
  if (unreadable > 0) parts.push(`${countText(unreadable, "place")} could not be compared`);
  return parts.join(", ");
}
