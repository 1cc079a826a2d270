// The folder that holds package.json, from wherever the compiled test lies. Tests find fixtures, goldens and scripts
// through it: only TypeScript files have a copy under build/.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

function findUp(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("no package.json above the tests");
  return findUp(parent);
}

export const projectRoot = findUp(import.meta.dirname);

/** An absolute path from one relative to the project's root. */
export function inProject(...parts: string[]): string {
  return join(projectRoot, ...parts);
}
