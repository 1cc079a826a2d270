// Files and trees at a commit, read from git's object store: no checkout, no filters, no line ending conversion, sizes checked first.

import { RepriseError } from "../errors.js";
import { gitFailed } from "./gitErrors.js";
import { runGitChecked } from "./gitProcess.js";
import type { GitRepository } from "./gitRepository.js";
import { pathFromBytes } from "./pathBytes.js";

export interface TreeEntry {
  /** From the top, with `/`. */
  path: string;
  kind: "file" | "link" | "submodule" | "folder";
  id: string;
  /** Null: not a file, or not asked for. */
  sizeBytes: number | null;
}

interface Options {
  signal?: AbortSignal;
}

const MAX_TREE_BYTES = 64 * 1024 * 1024;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * A file's bytes; null: there is nothing of that name. GIT_FILE_UNREADABLE for a link, folder or submodule, and for more than `maxBytes`.
 */
export async function readFileAt(
  repository: GitRepository,
  commit: string,
  path: string,
  options: Options & { maxBytes: number },
): Promise<Uint8Array | null> {
  const entries = await lsTree(repository, commit, ["-l"], ["--", path], options);
  const entry = entries.find((each) => each.path === path);
  if (entry === undefined) return null;
  if (entry.kind !== "file") throw unreadable(path, commit, `is a ${entry.kind}, not a file`);
  if ((entry.sizeBytes ?? 0) > options.maxBytes)
    throw unreadable(path, commit, `has ${entry.sizeBytes} bytes, more than ${options.maxBytes}`);
  return await readBlob(repository, entry.id, options);
}

/**
 * All files below, in the order of their names as bytes. GIT_OUTPUT_TOO_LARGE above some hundred thousand files. `withSizes`, the
 * default, makes a clone without blobs fetch every one of them.
 */
export async function listTree(
  repository: GitRepository,
  commit: string,
  { signal, withSizes = true }: Options & { withSizes?: boolean } = {},
): Promise<TreeEntry[]> {
  return await lsTree(repository, commit, withSizes ? ["-r", "-l"] : ["-r"], [], { signal });
}

/** GIT_OUTPUT_TOO_LARGE, GIT_FAILED when it is not there. */
export async function readBlob(
  { folder }: GitRepository,
  id: string,
  { signal, maxBytes }: Options & { maxBytes: number },
): Promise<Uint8Array> {
  return await runGitChecked(folder, ["cat-file", "blob", id], { signal, maxOutputBytes: maxBytes });
}

/** Several at once, in their order; `maxBytes` counts all of them. GIT_FAILED when one is missing, GIT_OUTPUT_TOO_LARGE. */
export async function readBlobs(
  { folder }: GitRepository,
  ids: readonly string[],
  { signal, maxBytes }: Options & { maxBytes: number },
): Promise<Uint8Array[]> {
  if (ids.length === 0) return [];
  const input = new TextEncoder().encode(ids.map((id) => `${id}\n`).join(""));
  const maxOutputBytes = maxBytes + ids.length * 100;
  const output = await runGitChecked(folder, ["cat-file", "--batch"], { signal, input, maxOutputBytes });
  const blobs: Uint8Array[] = [];
  let at = 0;
  for (const id of ids) {
    const end = output.indexOf(0x0a, at);
    const [found, type, size] = new TextDecoder().decode(output.subarray(at, Math.max(at, end))).split(" ");
    const sizeBytes = Number(size);
    if (found !== id || type !== "blob" || !Number.isSafeInteger(sizeBytes))
      throw gitFailed("cat-file", `no blob ${id}`);
    blobs.push(output.subarray(end + 1, end + 1 + sizeBytes));
    at = end + 1 + sizeBytes + 1;
  }
  return blobs;
}

async function lsTree(
  { folder }: GitRepository,
  commit: string,
  options: readonly string[],
  paths: readonly string[],
  { signal }: Options,
): Promise<TreeEntry[]> {
  const args = ["ls-tree", "-z", "--full-tree", ...options, "--end-of-options", commit, ...paths];
  const output = await runGitChecked(folder, args, { signal, maxOutputBytes: MAX_TREE_BYTES });
  return splitAtZero(output).map(decodeEntry);
}

/** Parts that end with a zero byte each. */
export function splitAtZero(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    if (end < 0) throw gitFailed("output", "ends in the middle of a name");
    parts.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return parts;
}

const KINDS: Record<string, TreeEntry["kind"]> = {
  "100644": "file",
  "100755": "file",
  "100664": "file",
  "120000": "link",
  "160000": "submodule",
  "040000": "folder",
};

/** `mode SP type SP id TAB path`, or with `SP+ size` before the tab */
function decodeEntry(bytes: Uint8Array): TreeEntry {
  const tab = bytes.indexOf(TAB);
  const words = new TextDecoder().decode(bytes.subarray(0, Math.max(0, tab))).split(/ +/);
  const [mode = "", , id = "", size = "-"] = words;
  const kind = KINDS[mode];
  if (tab < 0 || kind === undefined || bytes[mode.length] !== SPACE)
    throw gitFailed("ls-tree", "an answer of no known form");
  return { path: pathFromBytes(bytes.subarray(tab + 1)), kind, id, sizeBytes: size === "-" ? null : Number(size) };
}

function unreadable(path: string, commit: string, what: string): RepriseError {
  return new RepriseError("unsupported", "GIT_FILE_UNREADABLE", `${path} at commit ${commit.slice(0, 12)} ${what}`, {
    data: { path, commit },
  });
}
