// Searches: files by name in one snapshot or in all of a machine, and text in the files of one snapshot. What is found is told at once;
// what cannot be read is counted, and never ends the search.

import {
  compileGlob,
  type FileNode,
  type FoundVersion,
  findFiles,
  findInSnapshots,
  formatName,
  formatTreePath,
  isOurError,
  type ListedFile,
  listFiles,
  parseTreePath,
  RepriseError,
  readFile,
  type Snapshot,
  snapshotsOfMachine,
} from "../../core/index.js";
import { FoundHits } from "./foundHits.js";
import type { ArgumentOf } from "./protocol.js";
import {
  type HitTimes,
  MAX_HITS,
  MAX_SEARCHED_BYTES,
  MAX_SEARCHED_TEXT,
  type SearchSummary,
  searchTextFault,
} from "./searchProtocol.js";
import type { CallContext, Session } from "./session.js";
import { looksBinary, TextScanner } from "./textScanner.js";
import { resolvePlace } from "./treeAnswers.js";

const FAULTS = {
  empty: "is empty",
  long: `is longer than ${MAX_SEARCHED_TEXT} characters`,
  lines: "is more than one line",
};
/** What cannot be read in one snapshot often cannot in all: it is counted once. More are not told apart. */
const MAX_UNREADABLE = 10_000;

export async function findByName(
  session: Session,
  argument: ArgumentOf<"findFiles">,
  context: CallContext,
): Promise<SearchSummary> {
  const name = nameTest(argument.name);
  if (argument.snapshot === null) return await findInMachine(session, argument, name, context);
  const found = new FoundHits(context);
  const snapshot = await session.snapshot(argument.snapshot, context);
  const { tree, node } = await resolvePlace(session, { ...argument, snapshot: snapshot.sid }, context);
  for await (const file of findFiles(tree, node, { name }, context)) {
    if (file.problem !== null) found.unreadable++;
    else found.tell(file, snapshot);
    if (found.isFull) break;
  }
  return found.summary();
}

/** The newest snapshot first: what is told at once is the newest version of each file. */
async function findInMachine(
  session: Session,
  { machine, path }: ArgumentOf<"findFiles">,
  name: (name: string) => boolean,
  context: CallContext,
): Promise<SearchSummary> {
  const found = new FoundHits(context);
  const snapshots = snapshotsOfMachine(machine, await session.catalog(context)).toReversed();
  const unreadable = new Set<string>();
  const told: FoundVersion[] = [];
  const { complete } = await findInSnapshots(
    snapshots,
    (snapshot) => session.treeOf(snapshot, context),
    parseTreePath(path),
    { name },
    {
      ...{ signal: context.signal, onProgress: context.onProgress, limit: MAX_HITS },
      onFound: (version) => {
        told.push(version);
        found.tell(version.file, snapshots[version.runs[0]?.from ?? 0] as Snapshot);
      },
      onProblem: (_snapshot, _problem, at) => {
        if (unreadable.size < MAX_UNREADABLE) unreadable.add(formatTreePath(at));
      },
    },
  );
  found.unreadable = unreadable.size;
  const times = complete ? told.map((version) => timesOf(snapshots, version)) : null;
  return { ...found.summary(), complete, times };
}

/** `snapshots`: the newest first. */
function timesOf(snapshots: readonly Snapshot[], { runs }: FoundVersion): HitTimes {
  const count = runs.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return { snapshots: count, firstMs: snapshots[runs.at(-1)?.to ?? 0]?.timeMs ?? 0 };
}

export async function searchText(
  session: Session,
  argument: ArgumentOf<"searchText">,
  context: CallContext,
): Promise<SearchSummary> {
  const { text, matchCase, files } = argument;
  const fault = searchTextFault(text);
  if (fault !== undefined) throw textInvalid(fault);
  const name = nameTest(files);
  const found = new FoundHits(context);
  const snapshot = await session.snapshot(argument.snapshot, context);
  const { tree, node } = await resolvePlace(session, { ...argument, snapshot: snapshot.sid }, context);
  let looked = 0;
  const select = (entry: { name: Uint8Array }) => name(formatName(entry.name));
  for await (const file of listFiles(tree, node, { signal: context.signal, recursive: true, select })) {
    if (file.problem !== null) found.unreadable++;
    if (file.kind !== "file" || file.node === null || file.forbidden) continue;
    const progress = { operation: "search", phase: "files", done: looked++, unit: "objects" } as const;
    context.onProgress({ ...progress, subject: formatTreePath(file.path) });
    await searchFile(file, file.node, snapshot, new TextScanner(text, matchCase, found.linesLeft), found, context);
    if (found.isFull) break;
  }
  return found.summary();
}

async function searchFile(
  file: ListedFile,
  node: FileNode,
  snapshot: Snapshot,
  scanner: TextScanner,
  found: FoundHits,
  { signal }: CallContext,
): Promise<void> {
  if ((file.sizeBytes ?? 0) > MAX_SEARCHED_BYTES) {
    found.tooLarge++;
    return;
  }
  try {
    let isFirst = true;
    for await (const piece of readFile(node, { signal })) {
      if (isFirst && looksBinary(piece)) {
        found.binary++;
        return;
      }
      isFirst = false;
      scanner.add(piece);
      if (scanner.isFull) break;
    }
    scanner.end();
  } catch (error) {
    // the storage's failures and the end of the call are not this file's
    if (!isOurError(error) || error.family === "backend") throw error;
    found.unreadable++;
  }
  if (scanner.lines.length > 0) found.tell(file, snapshot, scanner.lines);
}

/** FILE_PATTERN_INVALID. */
function nameTest(text: string): (name: string) => boolean {
  if (text === "") return () => true;
  if (/[*?[]/.test(text)) return compileGlob(text);
  const wanted = text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
}

function textInvalid(fault: keyof typeof FAULTS): RepriseError {
  return new RepriseError("usage", "SERVICE_VALUE_INVALID", `the text to look for ${FAULTS[fault]}`, {
    data: { maxLength: MAX_SEARCHED_TEXT },
  });
}
