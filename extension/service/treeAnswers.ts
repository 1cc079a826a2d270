// What is in a snapshot: disks, volumes, folders and files as plain data. One damaged entry is an entry with a problem.

import {
  type FileNode,
  formatName,
  formatTreePath,
  inertLine,
  isAbort,
  isOurError,
  type ListedFile,
  listFiles,
  type MachineTree,
  parseTreePath,
  RepriseError,
  type TreeEntry,
  type TreeNode,
} from "../../core/index.js";
import { listingOf } from "./listing.js";
import { namePattern } from "./namePattern.js";
import { plainError } from "./plainError.js";
import {
  type ArgumentOf,
  type EntryData,
  type EntryKind,
  type EntryPage,
  MAX_PAGE,
  type NameData,
} from "./protocol.js";
import { type CallContext, count, type FolderListing, type Session } from "./session.js";
import { requireSnapshotId } from "./snapshotId.js";

/** Families of errors that speak of what is stored. */
const DAMAGE: readonly string[] = ["corrupt", "format"];
const WHOLE_ELSEWHERE = "another snapshot may have it whole (File Versions); verify --read-data lists all damage";
/** Inodes looked up at once. */
const LOOK_AHEAD = 64;

export interface Place {
  snapshot: string;
  path: string;
}

/** The node that a path of the protocol means. Links in the middle are followed; the last one as `followLast` says. */
export async function resolvePlace(
  session: Session,
  { snapshot, path }: Place,
  context: CallContext,
  followLast = true,
): Promise<{ tree: MachineTree; node: TreeNode; snapshot: string }> {
  const id = requireSnapshotId(snapshot);
  const { signal } = context;
  const names = parseTreePath(path);
  return await naming(session, { snapshot: id, path }, context, async () => {
    const tree = await session.tree(id, context);
    return { tree, node: await tree.resolve(names, { signal, followLast }), snapshot: id };
  });
}

/** Runs `read`; what is damaged is said of the place. A snapshot that somebody has forgotten is gone, not damaged. */
export async function naming<T>(
  session: Session,
  { snapshot, path }: Place,
  context: CallContext,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isOurError(error) || !DAMAGE.includes(error.family)) throw error;
    await session.requireStill(snapshot, context);
    if (error.data.path === path) throw error;
    const { family, code, message, data, hint = WHOLE_ELSEWHERE } = error;
    const subject = message.startsWith(path) ? message : `${path}: ${message}`;
    throw new RepriseError(family, code, subject, { data: { ...data, path }, hint, cause: error });
  }
}

export async function listEntries(
  session: Session,
  argument: ArgumentOf<"list">,
  context: CallContext,
): Promise<EntryPage> {
  const { tree, node, snapshot } = await resolvePlace(session, argument, context);
  const [from, limit] = [count(argument.offset), Math.min(count(argument.limit), MAX_PAGE)];
  const { filter = "" } = argument;
  if (!("stat" in node)) {
    const all = await topEntries(tree, node, context);
    const wanted = all.filter(({ name }) => namePattern(filter)(name));
    return { items: wanted.slice(from, from + limit), total: wanted.length, all: all.length };
  }
  const listing = await naming(session, argument, context, () => listingOf(session, snapshot, tree, node, context));
  const entries = filteredEntries(listing, filter);
  const items: EntryData[] = [];
  const end = Math.min(entries.length, from + limit);
  for (let at = from; at < end; at += LOOK_AHEAD) {
    context.signal.throwIfAborted();
    const part = entries.slice(at, Math.min(end, at + LOOK_AHEAD));
    items.push(...(await Promise.all(part.map((entry) => lookAt(tree, node, entry, context)))));
  }
  return { items, total: entries.length, all: listing.entries.length };
}

function filteredEntries({ entries }: FolderListing, filter: string): readonly TreeEntry[] {
  if (filter === "") return entries;
  const isWanted = namePattern(filter);
  return entries.filter(({ name }) => isWanted(formatName(name)));
}

export async function listNames(
  session: Session,
  argument: ArgumentOf<"names">,
  context: CallContext,
): Promise<NameData[]> {
  const { tree, node, snapshot } = await resolvePlace(session, argument, context);
  if (!("stat" in node)) {
    const all = await topEntries(tree, node, context);
    return all.map(({ name, path, kind }) => ({ name, path, kind }));
  }
  const { entries } = await naming(session, argument, context, () => listingOf(session, snapshot, tree, node, context));
  const openable = entries.filter(({ forbidden }) => !forbidden);
  return openable.map(({ name, kind }) => {
    return { name: formatName(name), path: formatTreePath([...node.path, name]), kind };
  });
}

export async function statEntry(
  session: Session,
  argument: ArgumentOf<"stat">,
  context: CallContext,
): Promise<EntryData> {
  const { tree, node } = await resolvePlace(session, argument, context, false);
  if (node.kind === "root") return { ...nothing("/", "/"), kind: "disk" };
  if (!("stat" in node)) {
    const sizeBytes = tree.volumes.disks.find(({ name }) => name === node.disk)?.sizeBytes ?? null;
    return { ...nothing(node.disk, formatTreePath(node.path)), kind: "disk", sizeBytes };
  }
  const entry = await entryOf(node, context);
  if (entry.kind !== "symlink") return entry;
  return { ...entry, ...(await followLink(tree, node, context)) };
}

/** What is behind a link, as far as it is there: a link is opened as what it leads to. */
async function followLink(tree: MachineTree, link: FileNode, context: CallContext): Promise<Partial<EntryData>> {
  try {
    const node = await tree.resolve(link.path, { signal: context.signal });
    if (!("stat" in node)) return { targetKind: "disk" };
    const { kind, sizeBytes, modifiedAtNs } = node.stat;
    return { targetKind: kind, sizeBytes, modifiedAtMs: milliseconds(modifiedAtNs) };
  } catch (error) {
    return { targetKind: null, problem: plainError(problemOf(error)) };
  }
}

/** Disks and volumes: few, and each with what is known of it. */
async function topEntries(tree: MachineTree, node: TreeNode, context: CallContext): Promise<EntryData[]> {
  const entries: EntryData[] = [];
  for await (const file of listFiles(tree, node, { signal: context.signal })) entries.push(topEntry(file));
  return entries;
}

function topEntry({ path, kind, sizeBytes, volume, fileSystem, problem }: ListedFile): EntryData {
  const label = fileSystem?.label ? `"${formatName(new TextEncoder().encode(fileSystem.label))}"` : "";
  const what = fileSystem?.type ?? volume?.description ?? "";
  return {
    ...nothing(formatName(path.at(-1) ?? new Uint8Array()), formatTreePath(path)),
    kind,
    sizeBytes,
    description: inertLine(`${what} ${label}`.trim()),
    problem: problem === null ? null : plainError(problem),
  };
}

async function lookAt(
  tree: MachineTree,
  parent: FileNode,
  { name, id, forbidden }: TreeEntry,
  context: CallContext,
): Promise<EntryData> {
  const shown = nothing(formatName(name), formatTreePath([...parent.path, name]));
  try {
    if (id === null) return { ...shown, forbidden };
    return { ...(await entryOf(await tree.child(parent, { name, id }, context), context)), forbidden };
  } catch (error) {
    return { ...shown, forbidden, problem: plainError(problemOf(error)) };
  }
}

async function entryOf(node: FileNode, { signal }: CallContext): Promise<EntryData> {
  const { stat, path } = node;
  const target = stat.kind === "symlink" ? await node.fileSystem.readLink(node.node, { signal }) : null;
  return {
    ...nothing(formatName(path.at(-1) ?? new Uint8Array()), formatTreePath(path)),
    kind: node.kind === "volume" ? "volume" : stat.kind,
    description: stat.special === undefined ? "" : inertLine(stat.special),
    sizeBytes: stat.sizeBytes,
    modifiedAtMs: milliseconds(stat.modifiedAtNs),
    createdAtMs: milliseconds(stat.createdAtNs),
    mode: stat.mode,
    target: target === null ? null : formatName(target),
  };
}

function nothing(name: string, path: string): EntryData {
  const kind: EntryKind = "unreadable";
  return {
    ...{ name, path, kind, description: "", sizeBytes: null, modifiedAtMs: null, createdAtMs: null, mode: null },
    ...{ target: null, targetKind: null, forbidden: false, problem: null },
  };
}

export function milliseconds(ns: bigint | null): number | null {
  return ns === null ? null : Number(ns / 1_000_000n);
}

/** Of this entry alone. The end of the call, and a storage that does not answer, are not. */
function problemOf(error: unknown): unknown {
  if (isAbort(error) || (isOurError(error) && error.family === "backend")) throw error;
  return error;
}
