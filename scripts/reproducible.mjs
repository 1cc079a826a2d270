// Whether the bundles are what their sources say: builds them twice, in two folders with different names and depths and at different
// times, and compares every byte. With a folder as its argument it also compares with the bundles there (dist/, or a checkout of a release's
// tag), so that anybody can check what a release runs. Needs node_modules of the same lock file.

import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { entryPoints } from "./entryPoints.mjs";
import { ensureNodeModules, isMain, pinnedNode, projectRoot, say } from "./setup.mjs";

/** Below the project: there node_modules can be linked file by file. */
const base = path.join(projectRoot, "build", "reproducible");

function copyOfSources(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: projectRoot, encoding: "utf8", maxBuffer: 1 << 26 });
  for (const file of listed.split("\0").filter((name) => name !== "")) {
    const from = path.join(projectRoot, file);
    if (!fs.existsSync(from) || /^(test|docs|bench)\//.test(file)) continue;
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.copyFileSync(from, path.join(folder, file));
  }
  execFileSync("cp", ["-al", path.join(projectRoot, "node_modules"), path.join(folder, "node_modules")]);
}

function digestsOf(folder) {
  const present = entryPoints.filter(({ source }) => fs.existsSync(path.join(projectRoot, source)));
  return new Map(
    present.map(({ bundle }) => {
      const bytes = fs.readFileSync(path.join(folder, bundle));
      return [bundle, crypto.createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

function buildIn(folder) {
  say(`building in ${path.relative(projectRoot, folder)}`);
  copyOfSources(folder);
  execFileSync(pinnedNode, ["scripts/build.mjs", "--bundles"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  return digestsOf(folder);
}

/** Answers the bundles that differ. */
function compare(one, other, where) {
  const different = [...one].filter(([bundle, digest]) => other.get(bundle) !== digest).map(([bundle]) => bundle);
  for (const bundle of different) say(`DIFFERS: ${bundle} (${where})`);
  return different;
}

function main() {
  const [given] = process.argv.slice(2);
  const first = buildIn(path.join(base, "one"));
  const second = buildIn(path.join(base, "another", "place"));
  const different = compare(first, second, "two builds");
  if (given !== undefined) different.push(...compare(first, digestsOf(path.resolve(given)), given));
  fs.rmSync(base, { recursive: true, force: true });
  for (const [bundle, digest] of first) console.log(`${digest}  ${bundle}`);
  say(different.length === 0 ? "the bundles are reproducible" : "the bundles are NOT reproducible");
  process.exitCode = different.length === 0 ? 0 : 1;
}

if (isMain(import.meta.url) && ensureNodeModules()) main();
