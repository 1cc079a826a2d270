// Puts the editor that the extension is tested in into .cache/editor: code-server, VS Code's own server and workbench, one exact
// version from npm, with what its post-install script would bring and nothing compiled (docs/adr/0060). A second call finds it.
// Node 14.18 syntax: see setup.mjs.

import fs from "node:fs";
import path from "node:path";
import { ensureDebianPackages, isMain, pinnedNode, projectRoot, say, succeeds } from "./setup.mjs";

const version = "4.139.1";
const editorFolder = path.join(projectRoot, ".cache", "editor");
const stamp = "installed";

function isInstalled() {
  const file = path.join(editorFolder, stamp);
  return fs.existsSync(file) && fs.readFileSync(file, "utf8").trim() === version;
}

/** npm under the pinned Node, which is the major version that code-server asks for. */
function npmInstall(folder, args) {
  const flags = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts", "--omit=dev"];
  const env = { ...process.env, PATH: `${path.dirname(pinnedNode)}${path.delimiter}${process.env.PATH}` };
  return succeeds("npm", ["install", ...flags, ...args], { cwd: folder, env });
}

/** The server, its own dependencies and those of its built-in extensions: three places, as in its postinstall.sh. */
function install(folder) {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), '{ "name": "editor", "private": true }\n');
  if (!npmInstall(folder, [`code-server@${version}`])) return false;
  const editor = path.join(folder, "node_modules", "code-server", "lib", "vscode");
  return npmInstall(editor, []) && npmInstall(path.join(editor, "extensions"), []);
}

/** Two runs at once make two folders; the last one stays. */
function replaceEditor() {
  const fresh = `${editorFolder}.${process.pid}`;
  const old = `${fresh}.old`;
  try {
    if (!install(fresh)) return false;
    fs.writeFileSync(path.join(fresh, stamp), `${version}\n`);
    if (fs.existsSync(editorFolder)) fs.renameSync(editorFolder, old);
    fs.renameSync(fresh, editorFolder);
    return true;
  } finally {
    for (const folder of [fresh, old]) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Makes the editor and a browser available. What is missing is named, and the tests that need it are skipped; with CI=true the
 * answer is false instead.
 */
export function ensureEditor() {
  const hasBrowser = ensureDebianPackages("editor");
  if (isInstalled()) return hasBrowser;
  say(`installing code-server ${version} for the tests of the extension (600 MB, once)`);
  if (replaceEditor()) return hasBrowser;
  say(`code-server ${version} could not be installed from npm: see above; the tests that need an editor are skipped`);
  return process.env.CI !== "true";
}

/** Whether a test run with these arguments comes to tests that need an editor. */
export function needsEditor(args) {
  const takeValue = ["--grep", "--reporter", "--jobs"];
  const filters = args.filter((arg, i) => !arg.startsWith("--") && !takeValue.includes(args[i - 1]));
  const wanted = (filter) => /^(test\/)?extension(\/editor(\/|$)|\/?$)/.test(filter);
  return filters.length === 0 || filters.some(wanted);
}

if (isMain(import.meta.url)) process.exitCode = ensureEditor() ? 0 : 1;
