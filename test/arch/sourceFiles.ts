// Finds the project's TypeScript files and what each of them imports, by text: Biome keeps every import in a form that
// these patterns see, and a dynamic import that they cannot read is reported as one.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { projectRoot } from "../support/projectRoot.js";

export interface SourceFile {
  /** From the project's root, with `/`. */
  path: string;
  text: string;
}

export interface Import {
  from: string;
  /** A project path for a relative import, else the specifier as written (`node:fs`, `commander`). */
  to: string;
  relative: boolean;
}

const codeFolders = ["core", "cli", "extension", "action", "test", "bench"];

function listFiles(folder: string): string[] {
  if (!existsSync(join(projectRoot, folder))) return [];
  return readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name).slice(projectRoot.length + 1))
    .sort();
}

/** Every TypeScript file that people write; generated ones and the AssemblyScript kernel are not among them. */
export function readSourceFiles(): SourceFile[] {
  return codeFolders
    .flatMap(listFiles)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".generated.ts"))
    .filter((path) => !path.startsWith("core/chunking/kernel/"))
    .map((path) => ({ path, text: readFileSync(join(projectRoot, path), "utf8") }));
}

const patterns = [
  /^(?:import|export)\b[^;"']*?\bfrom\s+["']([^"']+)["']/gm,
  /^import\s+["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*[,)]/g,
];

function resolve(from: string, specifier: string): Import {
  if (!specifier.startsWith(".")) return { from, to: specifier, relative: false };
  const to = posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
  return { from, to, relative: true };
}

export function importsOf({ path, text }: SourceFile): Import[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const found = patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
  return [...new Set(found)].map((specifier) => resolve(path, specifier));
}

/** Dynamic imports whose target is not a plain string: nobody can check those. */
export function unreadableImports({ path, text }: SourceFile): string[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  return [...code.matchAll(/\bimport\(\s*(?!["'])[^)]*\)/g)].map((match) => `${path}: ${match[0]}`);
}

/** The package that a bare specifier names: `@scope/name/deep` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
