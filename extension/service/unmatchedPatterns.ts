// Patterns of gates that match no file: of a policy in the top folder of a git work tree, whose files are listed here. No program is
// started.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { compileRules, type GateConfig, pathOf, unmatchedPatterns } from "../../core/index.js";

type Listed = Parameters<typeof pathOf>[0];

/** With more files, nothing is said. */
const MAX_FILES = 20_000;
/** While somebody types, the files stay what they are. */
const KEPT_MS = 10_000;

let kept: { folder: string; atMs: number; files: Promise<Listed[] | null> } | undefined;

/** Empty also where it cannot be known. */
export async function unmatchedInFolder(
  folder: string,
  gates: readonly GateConfig[],
  signal: AbortSignal,
): Promise<{ pattern: string; line: number }[]> {
  if (gates.length === 0 || !(await isTopOfWorkTree(folder))) return [];
  const files = await listed(folder);
  signal.throwIfAborted();
  if (files === null) return [];
  const paths = files.map(pathOf);
  return gates.flatMap((gate) =>
    unmatchedPatterns(compileRules(gate).rules, paths).map(({ pattern, line }) => ({ pattern, line })),
  );
}

async function isTopOfWorkTree(folder: string): Promise<boolean> {
  return await stat(join(folder, ".git")).then(
    () => true,
    () => false,
  );
}

function listed(folder: string): Promise<Listed[] | null> {
  if (kept?.folder === folder && Date.now() - kept.atMs < KEPT_MS) return kept.files;
  kept = { folder, atMs: Date.now(), files: walk(folder) };
  return kept.files;
}

/** Null: there are too many. Folders that git or npm own are left out. */
async function walk(top: string): Promise<Listed[] | null> {
  const found: Listed[] = [];
  const folders = [""];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const entries = await readdir(join(top, at), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory() && [".git", "node_modules"].includes(entry.name)) continue;
      if (entry.isDirectory()) folders.push(path);
      else found.push({ path, kind: entry.isSymbolicLink() ? "link" : "file" });
    }
    if (found.length + folders.length > MAX_FILES) return null;
  }
  return found;
}
