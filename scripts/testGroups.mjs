// Which test files share a process, and what may not run at the same time. A group is as small as it can be without
// paying too often for what a process pays once: its start, and the real servers that its tests share.

import fs from "node:fs";
import path from "node:path";
import { projectRoot } from "./setup.mjs";

/** Seconds of files on a machine with two busy cores, by `npm test -- --record`; what is not in here takes a second. */
const durationsFile = path.join(projectRoot, "scripts", "testDurations.json");
const groupSeconds = 25;
/** A group that shares a server is larger: the server takes up to 15 s to start. */
const sharedSeconds = 120;

/** The first rule that matches decides. `text`: the compiled file. `lock`: no two groups with the same one run at once. */
const rules = [
  // QEMU without KVM takes a core for itself and has to answer within a time
  { path: /^(hypervisor|restoreTest)\//, lock: "qemu", seconds: 1 },
  { text: /s3Server\.js|faultyPlaces\.js|campaign\/eight\.js/, together: "s3", seconds: sharedSeconds },
  { text: /sshServer\.js/, together: "ssh", seconds: sharedSeconds },
  // the kernel takes two mounted copies of one btrfs for one
  { text: /btrfsImages\.js/, lock: "btrfs", seconds: groupSeconds },
];

function testName(file) {
  return file.replace(/^build\/test\//, "").replace(/\.test\.js$/, "");
}

function ruleOf(file) {
  const text = fs.readFileSync(path.join(projectRoot, file), "utf8");
  const name = testName(file);
  return rules.find((rule) => (rule.path ? rule.path.test(name) : rule.text.test(text))) ?? { seconds: groupSeconds };
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
    const { together = "", lock = null, seconds: enough } = ruleOf(file);
    const seconds = durations[testName(file)] ?? 1;
    const key = lock ?? together;
    let group = open.get(key);
    if (group === undefined || group.seconds + seconds > enough) {
      group = { files: [], seconds: 0, lock };
      open.set(key, group);
      groups.push(group);
    }
    group.files.push(file);
    group.seconds += seconds;
  }
  // the longest first: what is left at the end is short
  return groups.sort((a, b) => b.seconds - a.seconds);
}
