// `npm run story`: packages the extension, installs it in a real VS Code in a browser, and goes through the whole story with real
// backups of a machine that really boots (test/extension/editor/story.test.ts). When all of it went well, its pictures replace
// those in docs/images; `npm run story -- --out FOLDER` puts them elsewhere.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { projectRoot, say } from "./setup.mjs";

const { values } = parseArgs({ options: { out: { type: "string" } } });
const images = path.join(projectRoot, "docs", "images");
const out = path.resolve(values.out ?? images);

/** Only what the story makes: other pictures in the folder are not ours. */
const isOurs = (name) => /^\d\d-[a-z0-9-]+\.png$/.test(name);

/** In docs/images those of earlier runs that no step makes any more go, too; in a folder of somebody's nothing is removed. */
function replacePictures(from) {
  fs.mkdirSync(out, { recursive: true });
  if (out === images) for (const name of fs.readdirSync(out).filter(isOurs)) fs.rmSync(path.join(out, name));
  const names = fs.readdirSync(from).filter(isOurs).sort();
  for (const name of names) fs.copyFileSync(path.join(from, name), path.join(out, name));
  return names;
}

const shots = fs.mkdtempSync(path.join(os.tmpdir(), "reprise-pictures-"));
try {
  say("a repository of three machines and two weeks, then VS Code in a browser: three to six minutes");
  const test = [path.join(projectRoot, "scripts", "test.mjs"), "extension/editor/story", "--reporter", "spec"];
  const env = { ...process.env, REPRISE_SCREENSHOTS: shots };
  const { status } = spawnSync(process.execPath, test, { cwd: projectRoot, env, stdio: "inherit" });
  if (status === 0) {
    const names = replacePictures(shots);
    const bytes = names.reduce((sum, name) => sum + fs.statSync(path.join(out, name)).size, 0);
    say(`${names.length} pictures, ${(bytes / 1024 / 1024).toFixed(2)} MiB, in ${path.relative(process.cwd(), out)}`);
  }
  process.exitCode = status ?? 1;
} finally {
  fs.rmSync(shots, { recursive: true, force: true });
}
