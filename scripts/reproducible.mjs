// Whether the bundles are what their sources say: builds them twice, in two folders with different names and depths and at different
// times, and compares every byte. With a folder as its argument it also compares with the bundles there (the project itself, or a
// checkout of a release's tag), so that anybody can check what a release runs; `--only=dist/action` looks at some of them. Needs
// node_modules of the same lock file.

import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { entryPoints } from "./entryPoints.mjs";
import { ensureNodeModules, isMain, pinnedNode, projectRoot, say } from "./setup.mjs";

/** Below the project: there node_modules can be linked file by file. */
const base = path.join(projectRoot, ".cache", "reproducible");

/** Copies what belongs to the project, which may be changing: the second build has the first one's sources. */
function copySources(from, listed, folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const file of listed) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.copyFileSync(path.join(from, file), path.join(folder, file));
  }
  execFileSync("cp", ["-al", path.join(projectRoot, "node_modules"), path.join(folder, "node_modules")]);
}

function sourceFiles() {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", args, { cwd: projectRoot, encoding: "utf8", maxBuffer: 1 << 26 }).split("\0");
  const isSource = (file) => file !== "" && !/^(test|docs|bench)\//.test(file);
  const isFile = (file) => fs.statSync(path.join(projectRoot, file), { throwIfNoEntry: false })?.isFile() === true;
  return listed.filter((file) => isSource(file) && isFile(file));
}

function digestsOf(folder, prefix) {
  const wanted = entryPoints.filter(({ bundle }) => bundle.startsWith(prefix));
  const present = wanted.filter(({ bundle }) => fs.existsSync(path.join(folder, bundle)));
  return new Map(
    present.map(({ bundle }) => {
      const bytes = fs.readFileSync(path.join(folder, bundle));
      return [bundle, crypto.createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

function buildIn(folder, prefix) {
  say(`building in ${path.relative(projectRoot, folder)}`);
  const args = ["scripts/build.mjs", `--bundles=${prefix}`];
  execFileSync(pinnedNode, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  return digestsOf(folder, prefix);
}

/** Answers the bundles that differ. */
function compare(one, other, where) {
  const different = [...one].filter(([bundle, digest]) => other.get(bundle) !== digest).map(([bundle]) => bundle);
  for (const bundle of different) say(`DIFFERS: ${bundle} (${where})`);
  return different;
}

function buildTwice(prefix) {
  const [one, another] = [path.join(base, "one"), path.join(base, "another", "place")];
  try {
    const listed = sourceFiles();
    copySources(projectRoot, listed, one);
    copySources(one, listed, another);
    return [buildIn(one, prefix), buildIn(another, prefix)];
  } finally {
    fs.rmSync(base, { recursive: true, force: true });
  }
}

function main() {
  const given = process.argv.slice(2);
  const only = given.find((argument) => argument.startsWith("--only="))?.slice("--only=".length) ?? "";
  const folder = given.find((argument) => !argument.startsWith("--"));
  const [first, second] = buildTwice(only);
  const different = compare(first, second, "two builds");
  if (folder !== undefined) different.push(...compare(first, digestsOf(path.resolve(folder), only), folder));
  for (const [bundle, digest] of first) console.log(`${digest}  ${bundle}`);
  const sound = first.size > 0 && different.length === 0;
  say(sound ? "the bundles are reproducible" : "the bundles are NOT reproducible");
  process.exitCode = sound ? 0 : 1;
}

if (isMain(import.meta.url) && ensureNodeModules()) main();
