// Searches: files by name in one snapshot or in all of a machine, and text in the files of one snapshot. What is found is told at once;
// what cannot be read is counted, and never ends the search.

import {
  compileGlob,
  findFiles,
  findInSnapshots,
  formatName,
  formatTreePath,
  type ListedFile,
  listFiles,
  type MachineTree,
  parseTreePath,
  RepriseError,
  readFile,
  requireFile,
  type Snapshot,
  snapshotsOfMachine,
} from "../../core/index.js";
import type { ArgumentOf } from "./protocol.js";
import {
  MAX_FOUND_LINES,
  MAX_HITS,
  MAX_SEARCHED_BYTES,
  MAX_SEARCHED_TEXT,
  type SearchHit,
  type SearchSummary,
  searchTextFault,
} from "./searchProtocol.js";
import type { CallContext, Session } from "./session.js";
import { looksBinary, TextScanner } from "./textScanner.js";
import { milliseconds, resolvePlace } from "./treeAnswers.js";

const FAULTS = {
  empty: "is empty",
  long: `is longer than ${MAX_SEARCHED_TEXT} characters`,
  lines: "is more than one line",
};
const MAX_LINES_OF_FILE = 1000;
/** Between two lookups for an abort and for other calls. */
const TELL_EVERY = 200;

export async function findByName(
  session: Session,
  argument: ArgumentOf<"findFiles">,
  context: CallContext,
): Promise<SearchSummary> {
  const name = nameTest(argument.name);
  const found = new Found(context);
  if (argument.snapshot === null) await findInMachine(session, argument, name, found, context);
  else {
    const snapshot = await session.snapshot(argument.snapshot, context);
    const { tree, node } = await resolvePlace(session, { ...argument, snapshot: snapshot.sid }, context);
    for await (const file of findFiles(tree, node, { name }, context)) {
      if (file.problem !== null) found.unreadable++;
      else found.tell(file, [snapshot]);
      if (found.isFull) break;
    }
  }
  return found.summary();
}

async function findInMachine(
  session: Session,
  { machine, path }: ArgumentOf<"findFiles">,
  name: (name: string) => boolean,
  found: Found,
  context: CallContext,
): Promise<void> {
  const snapshots = snapshotsOfMachine(machine, await session.catalog(context));
  const onProblem = () => {
    found.unreadable++;
  };
  const open = (snapshot: Snapshot) => session.treeOf(snapshot, context);
  const options = { signal: context.signal, onProgress: context.onProgress, onProblem };
  const versions = await findInSnapshots(snapshots, open, parseTreePath(path), { name }, options);
  for (const { file, snapshots: having } of versions) {
    found.tell(file, having);
    if (found.isFull) break;
  }
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
  const found = new Found(context);
  const snapshot = await session.snapshot(argument.snapshot, context);
  const { tree, node } = await resolvePlace(session, { ...argument, snapshot: snapshot.sid }, context);
  let looked = 0;
  const select = (entry: { name: Uint8Array }) => name(formatName(entry.name));
  for await (const file of listFiles(tree, node, { signal: context.signal, recursive: true, select })) {
    if (file.problem !== null) found.unreadable++;
    if (file.kind !== "file" || file.problem !== null || file.forbidden) continue;
    await searchFile(tree, file, snapshot, new TextScanner(text, matchCase, found.linesLeft), found, context);
    const progress = { operation: "search", phase: "files", done: ++looked, unit: "objects" } as const;
    if (looked % TELL_EVERY === 1) context.onProgress({ ...progress, subject: formatTreePath(file.path) });
    if (found.isFull) break;
  }
  return found.summary();
}

async function searchFile(
  tree: MachineTree,
  file: ListedFile,
  snapshot: Snapshot,
  scanner: TextScanner,
  found: Found,
  { signal }: CallContext,
): Promise<void> {
  if ((file.sizeBytes ?? 0) > MAX_SEARCHED_BYTES) {
    found.tooLarge++;
    return;
  }
  try {
    const node = requireFile(await tree.resolve(file.path, { signal, followLast: false }));
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
    found.cannotRead(error);
  }
  if (scanner.lines.length > 0) found.tell(file, [snapshot], scanner.lines);
}

/** What was found so far, within its limits. */
class Found {
  readonly #context: CallContext;
  #hits = 0;
  #lines = 0;
  #cutFile = false;
  unreadable = 0;
  tooLarge = 0;
  binary = 0;

  constructor(context: CallContext) {
    this.#context = context;
  }

  get isFull(): boolean {
    return this.#hits >= MAX_HITS || this.#lines >= MAX_FOUND_LINES;
  }

  get linesLeft(): number {
    return Math.min(MAX_LINES_OF_FILE, MAX_FOUND_LINES - this.#lines);
  }

  /** `snapshots`: that have it like that, oldest first. */
  tell(file: ListedFile, snapshots: readonly Snapshot[], lines: SearchHit["lines"] = []): void {
    const [first, last] = [snapshots[0], snapshots.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#cutFile ||= lines.length >= MAX_LINES_OF_FILE;
    this.#hits++;
    this.#lines += lines.length;
    const { path, kind, sizeBytes, stat } = file;
    const hit: SearchHit = {
      ...{ path: formatTreePath(path), kind, sizeBytes, lines },
      modifiedAtMs: milliseconds(stat?.modifiedAtNs ?? null),
      ...{ snapshotId: last.sid, snapshotMs: last.timeMs, snapshots: snapshots.length, firstMs: first.timeMs },
    };
    this.#context.onEvent(hit);
  }

  /** Of one file; the storage's failures and the end of the call are thrown on. */
  cannotRead(error: unknown): void {
    if (!(error instanceof RepriseError) || error.family === "backend") throw error;
    this.unreadable++;
  }

  summary(): SearchSummary {
    const { unreadable, tooLarge, binary } = this;
    const complete = !this.isFull && !this.#cutFile;
    return { hits: this.#hits, lines: this.#lines, complete, unreadable, tooLarge, binary };
  }
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
