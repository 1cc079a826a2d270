// `npm run test|demo|story|bench|bench-editor|campaign`: brings what is missing, builds what changed, then runs the thing under the
// pinned Node. Node 14.18 syntax: see setup.mjs.

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { ensureEditor, needsEditor } from "./installEditor.mjs";
import { ensureDebianPackages, ensureNodeModules, pinnedNode, projectRoot, say } from "./setup.mjs";

/** What each command starts. Type errors are printed and stop none of them: the test runner counts them. */
const scripts = new Map([
  ["test", "scripts/test.mjs"],
  ["demo", "scripts/demo.mjs"],
  ["story", "scripts/story.mjs"],
  ["bench", "build/bench/main.js"],
  ["campaign", "build/test/campaign/main.js"],
  ["bench-editor", "build/test/extension/bench/main.js"],
]);

function startUnderPinnedNode(script, args, env) {
  const folder = path.dirname(pinnedNode);
  const child = spawn(pinnedNode, ["--enable-source-maps", script, ...args], {
    cwd: projectRoot,
    stdio: "inherit",
    env: { ...process.env, ...env, PATH: `${folder}${path.delimiter}${process.env.PATH}:/usr/sbin:/sbin` },
  });
  // Ctrl-C reaches the child by itself (same process group); we only wait for how it ends.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.exitCode = code === null ? (signal === "SIGINT" ? 130 : 1) : code;
  });
}

function main([name, ...args]) {
  const script = scripts.get(name);
  if (script === undefined) {
    say(`usage: node scripts/run.mjs ${Array.from(scripts.keys()).join("|")} [arguments]`);
    return 64;
  }
  if (!ensureNodeModules() || !ensureDebianPackages(name)) return 2;
  const isInEditor = ["story", "bench-editor"].includes(name) || (name === "test" && needsEditor(args));
  if (isInEditor && !ensureEditor()) return 2;
  const built = build();
  if (!built.bundled) {
    say("the build failed: see above");
    if (name !== "test") return 1;
  }
  if (!fs.existsSync(path.join(projectRoot, script))) {
    say(`${name}: ${script} does not exist`);
    return 2;
  }
  const failures = (built.typesSound ? 0 : 1) + (built.bundled ? 0 : 1);
  startUnderPinnedNode(script, args, { REPRISE_BUILD_FAILURES: String(failures) });
  return 0;
}

process.exitCode = main(process.argv.slice(2));
