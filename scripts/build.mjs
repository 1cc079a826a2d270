// Builds what changed: the WebAssembly kernels, build/ (every TypeScript file, for the tests) and dist/ (the bundles that
// users get). A stamp of names, sizes and times of all sources makes a second run free. Node 14.18 syntax: see setup.mjs.

import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { entryPoints } from "./entryPoints.mjs";
import { ensureNodeModules, isMain, pinnedNode, projectRoot, say, succeeds } from "./setup.mjs";

const sourceFolders = ["core", "cli", "extension", "action", "test", "bench", "schemas"];
const buildInputs = ["package-lock.json", "tsconfig.json", "scripts/build.mjs", "scripts/entryPoints.mjs"];
const kernelInputs = [
  "scripts/buildKernel.mjs",
  "scripts/buildRescue.mjs",
  "core/chunking/kernel",
  "rescue",
  "package-lock.json",
];
const outFolder = path.join(projectRoot, "build");

function inProject(relative) {
  return path.join(projectRoot, relative);
}

/** Every file below a path, in a fixed order; nothing when the path does not exist. */
function filesBelow(absolute) {
  if (!fs.existsSync(absolute)) return [];
  if (!fs.statSync(absolute).isDirectory()) return [absolute];
  const names = fs.readdirSync(absolute).filter((name) => name !== "node_modules");
  return [].concat(...names.sort().map((name) => filesBelow(path.join(absolute, name))));
}

/** Changes when a file below these paths is added, removed or written. */
function fingerprint(relativePaths) {
  const hash = crypto.createHash("sha256");
  for (const file of [].concat(...relativePaths.map((relative) => filesBelow(inProject(relative))))) {
    const { size, mtimeMs } = fs.statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function stampFile(name) {
  return path.join(outFolder, `.${name}-stamp`);
}

function isCurrent(name, print) {
  return fs.existsSync(stampFile(name)) && fs.readFileSync(stampFile(name), "utf8") === print;
}

function setStamp(name, print) {
  fs.mkdirSync(outFolder, { recursive: true });
  fs.writeFileSync(stampFile(name), print);
}

function buildKernels() {
  const script = "scripts/buildKernel.mjs";
  if (!fs.existsSync(inProject(script))) return true;
  const print = fingerprint(kernelInputs);
  const generated = [
    "core/chunking/scanKernel.generated.ts",
    "core/codec/lz4Wasm.generated.ts",
    "core/repository/rescueFiles.generated.ts",
  ];
  if (isCurrent("kernel", print) && generated.every((file) => fs.existsSync(inProject(file)))) return true;
  say("building the WebAssembly kernels and the rescue reader");
  if (!succeeds(pinnedNode, [script]) || !succeeds(pinnedNode, ["scripts/buildRescue.mjs"])) return false;
  setStamp("kernel", print);
  return true;
}

/** Type-checks everything and writes build/; also with type errors, so that tests of sound parts can run. */
function compile() {
  say("compiling TypeScript (tsc)");
  const sound = succeeds(pinnedNode, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]);
  removeStaleOutputs();
  return sound;
}

/** Deletes compiled files whose source is gone: a test that was removed must not go on passing. */
function removeStaleOutputs() {
  for (const file of filesBelow(outFolder)) {
    const match = /^(.*)\.js(\.map)?$/.exec(path.relative(outFolder, file));
    if (match !== null && !fs.existsSync(inProject(`${match[1]}.ts`))) fs.unlinkSync(file);
  }
}

/** `prefix`: of the bundles that are wanted. */
function bundle(prefix = "") {
  const wanted = entryPoints.filter((entry) => entry.bundle.startsWith(prefix));
  const present = wanted.filter((entry) => fs.existsSync(inProject(entry.source)));
  if (present.length > 0) say(`bundling ${present.map((entry) => entry.bundle).join(", ")}`);
  return present.every((entry) => {
    const flags = [
      "--bundle",
      "--sourcemap=external",
      "--log-level=warning",
      "--legal-comments=inline",
      ...entry.flags,
    ];
    if (
      !succeeds(inProject("node_modules/esbuild/bin/esbuild"), [entry.source, ...flags, `--outfile=${entry.bundle}`])
    ) {
      return false;
    }
    if (entry.executable) fs.chmodSync(inProject(entry.bundle), 0o755);
    return true;
  });
}

/** Builds what is not current. Returns whether the types are sound and whether every bundle was made. */
export function build() {
  if (!buildKernels()) return { typesSound: false, bundled: false };
  const print = fingerprint([...sourceFolders, ...buildInputs]);
  const bundlesExist = entryPoints.every(
    (entry) => !fs.existsSync(inProject(entry.source)) || fs.existsSync(inProject(entry.bundle)),
  );
  if (isCurrent("sources", print) && bundlesExist) return { typesSound: true, bundled: true };
  const typesSound = compile();
  const bundled = bundle();
  if (typesSound && bundled) setStamp("sources", print);
  return { typesSound, bundled };
}

/** What users get, without type check and tests; always anew. `--bundles`, or `--bundles=dist/action`. */
function buildBundlesOnly(option) {
  return buildKernels() && bundle(option.slice("--bundles=".length));
}

if (isMain(import.meta.url)) {
  const option = process.argv.find((argument) => argument.startsWith("--bundles"));
  if (!ensureNodeModules()) process.exitCode = 1;
  else if (option !== undefined) process.exitCode = buildBundlesOnly(option) ? 0 : 1;
  else {
    const built = build();
    process.exitCode = built.typesSound && built.bundled ? 0 : 1;
  }
}
