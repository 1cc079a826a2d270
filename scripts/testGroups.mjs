// Which test files share a process, and what may not run at the same time. A group is as small as it can be without
// paying too often for what a process pays once: its start, and the real servers that its tests share.

import fs from "node:fs";
import path from "node:path";
import { projectRoot } from "./setup.mjs";

/** Seconds of files on a machine with two busy cores, by `npm test -- --record`; what is not in here takes a second. */
const durationsFile = path.join(projectRoot, "scripts", "testDurations.json");
const groupSeconds = 25;
/** A group that shares a server is larger: the server takes up to 15 s to start. So is one that packs the extension first. */
const sharedSeconds = 120;

const [editor, guests] = ["extension/support/editorServer.js", "fixtures/guests.js"];

/**
 * The first rule that matches decides. `uses`: modules below test/ that the file imports all, itself or through others below
 * test/. `locks`: no two groups with the same one run at once. `together`: they share a process as long as it is not too long.
 * `tries`: how often a file may be run until it passes; in a window of somebody else's, a list may close under a click.
 */
const rules = [
  // a machine that an editor starts
  { uses: [editor, guests], locks: ["editor", "qemu"], tries: 2, seconds: groupSeconds },
  // QEMU without KVM takes a core for itself and has to answer within a time
  {
    folders: /^(action|hypervisor|restoreTest|cli\/restoreTest|extension)/,
    uses: [guests],
    locks: ["qemu"],
    seconds: groupSeconds,
  },
  // an editor and a browser: a gigabyte, and all of the time that a core has
  { uses: [editor], locks: ["editor"], tries: 2, seconds: sharedSeconds },
  { uses: ["support/s3Server.js"], together: "s3", seconds: sharedSeconds },
  { uses: ["support/sshServer.js"], together: "ssh", seconds: sharedSeconds },
  // the kernel takes two mounted copies of one btrfs for one
  { uses: ["filesystem/btrfs/btrfsImages.js"], locks: ["btrfs"], seconds: groupSeconds },
];

const compiled = path.join(projectRoot, "build", "test");
const importedBy = new Map();

function testName(file) {
  return file.replace(/^build\/test\//, "").replace(/\.test\.js$/, "");
}

/** Absolute paths of what a compiled module imports from below test/. */
function importsOf(module) {
  if (!importedBy.has(module)) {
    const text = fs.existsSync(module) ? fs.readFileSync(module, "utf8") : "";
    const found = Array.from(text.matchAll(/from "(\.{1,2}\/[^"]+)"/g), ([, to]) => path.resolve(module, "..", to));
    importedBy.set(
      module,
      found.filter((to) => to.startsWith(compiled + path.sep)),
    );
  }
  return importedBy.get(module);
}

/** Names below test/ of all modules that a test is made of. */
function modulesOf(file) {
  const seen = new Set([path.join(projectRoot, file)]);
  for (const module of seen) for (const imported of importsOf(module)) seen.add(imported);
  return new Set(Array.from(seen, (module) => path.relative(compiled, module)));
}

function ruleOf(file) {
  const modules = modulesOf(file);
  const fits = ({ folders, uses }) =>
    (folders === undefined || folders.test(testName(file))) && uses.every((module) => modules.has(module));
  return rules.find(fits) ?? { seconds: groupSeconds };
}

export function readDurations() {
  return fs.existsSync(durationsFile) ? JSON.parse(fs.readFileSync(durationsFile, "utf8")) : {};
}

/** Replaces what is known of these files (a map from path to milliseconds); of other files that exist it stays. */
export function recordDurations(measuredMs) {
  const exists = ([name]) => fs.existsSync(path.join(projectRoot, "test", `${name}.test.ts`));
  const known = new Map(Object.entries(readDurations()).filter(exists));
  for (const [file, ms] of measuredMs) known.set(testName(file), Math.round(ms / 1000));
  const worthKnowing = [...known].filter(([, seconds]) => seconds > 1).sort(([a], [b]) => (a < b ? -1 : 1));
  fs.writeFileSync(durationsFile, `${JSON.stringify(Object.fromEntries(worthKnowing), null, 2)}\n`);
}

/** Files in the order given, cut where a group has enough; files that share a server come together first. */
export function makeGroups(files) {
  const durations = readDurations();
  const open = new Map();
  const groups = [];
  for (const file of files) {
    const { together = "", locks = [], tries = 1, seconds: enough } = ruleOf(file);
    const seconds = durations[testName(file)] ?? 1;
    const key = [...locks, together].join(" ");
    let group = open.get(key);
    if (group === undefined || group.seconds + seconds > enough) {
      group = { files: [], seconds: 0, locks, tries };
      open.set(key, group);
      groups.push(group);
    }
    group.files.push(file);
    group.seconds += seconds;
  }
  // the longest first: what is left at the end is short
  return groups.sort((a, b) => b.seconds - a.seconds);
}
