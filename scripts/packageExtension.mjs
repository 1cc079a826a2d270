// `npm run package [-- --out FILE]`: the editor extension as reprise-<version>.vsix, from freshly made bundles. A warning of vsce is
// a failure. `--no-build` takes the bundles as they are. Node 14.18 syntax up to the pinned Node: see setup.mjs.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { ensureNodeModules, pinnedNode, projectRoot, say } from "./setup.mjs";

const mostBytes = 5 * 1024 * 1024;

function optionOf(args, name) {
  const index = args.indexOf(name);
  return index === -1 ? undefined : args[index + 1];
}

/**
 * The page that the marketplace and the editor show. Its pictures stay out of the package, and without a repository's address
 * nobody could load them: then a copy without them is packed. The copy is this process's own: tests pack at the same time.
 */
function pagePath({ repository }) {
  const page = path.join(projectRoot, "extension", "README.md");
  if (repository !== undefined) return page;
  const copy = path.join(projectRoot, "build", `extensionPage-${process.pid}.md`);
  process.once("exit", () => fs.rmSync(copy, { force: true }));
  const text = fs.readFileSync(page, "utf8").replace(/^!\[.*\]\(.*\)\n\n/gm, "");
  fs.mkdirSync(path.dirname(copy), { recursive: true });
  fs.writeFileSync(copy, text);
  return copy;
}

/** vsce under the pinned Node; its output as text. */
function runVsce(manifest, out) {
  const links = manifest.repository === undefined ? ["--no-rewrite-relative-links", "--allow-missing-repository"] : [];
  const args = ["package", "--no-dependencies", ...links];
  const page = ["--readme-path", path.relative(projectRoot, pagePath(manifest)), "--out", out];
  const vsce = path.join(projectRoot, "node_modules", "@vscode", "vsce", "vsce");
  return spawnSync(pinnedNode, [vsce, ...args, ...page], { cwd: projectRoot, encoding: "utf8" });
}

function main(args) {
  if (!ensureNodeModules()) return 2;
  if (!args.includes("--no-build") && !build().bundled) return 1;
  const manifest = JSON.parse(fs.readFileSync(path.join(projectRoot, "package.json"), "utf8"));
  const out = path.resolve(optionOf(args, "--out") || path.join(projectRoot, `reprise-${manifest.version}.vsix`));
  const { status, stdout, stderr } = runVsce(manifest, out);
  process.stdout.write(`${stdout}${stderr}`);
  if (status !== 0) return 1;
  if (/\bWARNING\b/.test(`${stdout}${stderr}`)) {
    say("FAILED: vsce warns");
    return 1;
  }
  const { size } = fs.statSync(out);
  say(`${out}: ${(size / 1024 / 1024).toFixed(2)} MiB`);
  if (size <= mostBytes) return 0;
  say(`FAILED: larger than ${mostBytes} bytes`);
  return 1;
}

process.exitCode = main(process.argv.slice(2));
