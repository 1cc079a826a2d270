// `npm run demo`: the main job on a real disk, through the command line as a user would: back up, change the disk, back up
// again, verify, prune, collect, restore, compare; restore once more with rescue.mjs alone; then start the machine from its
// backup and see that it works. Everything happens in a temporary folder that is removed at the end (`npm run demo -- --keep`
// leaves it).

import { execFile, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { cp, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "dist/cli/reprise.mjs");
const keep = process.argv.includes("--keep");
const rows = [];
const BOOTABLE = "bootable Linux guest";

const mib = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;

function say(text) {
  process.stdout.write(`${text}\n`);
}

/** Runs one step, prints it and remembers it for the table. */
async function step(name, work) {
  const started = performance.now();
  const { size = "", note = "" } = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  rows.push([name, size, `${seconds} s`, note]);
  say(`  ✓ ${name}${note ? `: ${note}` : ""}`);
}

async function reprise(place, ...args) {
  const env = {
    ...process.env,
    REPRISE_REPOSITORY: place.repository,
    REPRISE_PASSPHRASE: place.passphrase,
    REPRISE_CACHE_DIR: join(place.folder, "cache"),
  };
  const { stdout } = await run(process.execPath, [cli, ...args, "--json"], { env, maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

async function sha256(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

function has(tool) {
  return spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
}

/** A disk that boots where its tools are there; a file system in a file else; seeded bytes as the last resort. */
async function makeDisk(path) {
  try {
    await run(join(root, "test/fixtures/makeTinyGuest.sh"), [path], { maxBuffer: 1 << 24 });
    return BOOTABLE;
  } catch (error) {
    say(
      `  (no bootable guest: ${String(error.stderr ?? error.message)
        .trim()
        .split("\n")
        .at(-1)})`,
    );
  }
  await writeFile(path, "");
  const handle = await open(path, "r+");
  await handle.truncate(192 * 1048576);
  if (has("mke2fs")) {
    await handle.close();
    await run("mke2fs", ["-q", "-F", "-t", "ext4", "-d", join(root, "docs"), path]);
    return "ext4 file system, not bootable";
  }
  await handle.write(randomBytes(16 * 1048576), 0, 16 * 1048576, 1048576);
  await handle.close();
  return "random data in a sparse file (install e2fsprogs for a file system)";
}

/** What a day of use does: a log that grew, and a few pages of a database. */
async function useDisk(path) {
  const note = [];
  if (has("debugfs")) {
    const log = `${path}.log`;
    await writeFile(
      log,
      Array.from({ length: 20000 }, (_, i) => `line ${i} ${randomBytes(8).toString("hex")}\n`).join(""),
    );
    for (const image of [`${path}?offset=10485760`, path]) {
      const { stderr } = await run("debugfs", ["-w", "-R", `write ${log} app.log`, image]).catch((error) => error);
      if (/bad magic|offset|open/i.test(String(stderr).replace(/^debugfs .*$/m, ""))) continue;
      note.push("wrote a log file into its file system");
      break;
    }
  }
  const handle = await open(path, "r+");
  const { size } = await handle.stat();
  for (let page = 0; page < 32; page++) {
    await handle.write(randomBytes(8192), 0, 8192, size - 8 * 1048576 + page * 65536);
  }
  await handle.close();
  note.push("changed 32 pages of 8 KiB");
  return note.join(", ");
}

async function rescue(place, target) {
  const alone = join(place.folder, "alone");
  await cp(place.repository, alone, { recursive: true });
  const env = { PATH: process.env.PATH, REPRISE_PASSPHRASE: place.passphrase };
  await run(process.execPath, [join(alone, "rescue.mjs"), "restore", "vm/demo@latest", "--to", target], {
    env,
    cwd: alone,
  });
}

async function story(place) {
  const disk = join(place.folder, "demo.raw");
  await step("make a disk", async () => ({ note: await makeDisk(disk), size: mib((await stat(disk)).size) }));
  place.boots = rows[0][3] === BOOTABLE && has("qemu-system-x86_64");
  await step("init, encrypted", async () => {
    const { repositoryId } = await reprise(place, "init");
    return { note: `repository ${String(repositoryId).slice(0, 8)}` };
  });
  const backups = [];
  const backup = async () => {
    const result = await reprise(place, "backup", disk, "--group", "vm/demo");
    backups.push(result);
    return {
      size: mib(result.bytesStored),
      note: `read ${mib(result.bytesRead)}, new ${mib(result.bytesNew)}, ${result.chunksNew} new chunks`,
    };
  };
  await step("first backup", backup);
  await step("a day of use", async () => ({ note: await useDisk(disk) }));
  const digest = await sha256(disk);
  await step("second backup", backup);
  await step("verify every byte", async () => {
    const report = await reprise(place, "verify", "--read-data");
    if (report.ok !== true) throw new Error(`verify found damage: ${JSON.stringify(report)}`);
    return { size: mib(report.packs.bytesRead), note: "no damage" };
  });
  await step("prune to the last, gc", async () => {
    await reprise(place, "prune", "--keep-last", "1");
    const report = await reprise(place, "gc", "--max-unused", "0");
    const { snapshots } = await reprise(place, "stats");
    return { size: `−${mib(report.deletedBytes)}`, note: `${snapshots} snapshot left` };
  });
  await step("restore and compare", async () => {
    const target = join(place.folder, "restored.raw");
    await reprise(place, "restore", "vm/demo@latest", "--to", target);
    return compare(target, digest);
  });
  await step("restore with rescue.mjs alone", async () => {
    const target = join(place.folder, "rescued.raw");
    await rescue(place, target);
    return compare(target, digest);
  });
  if (place.boots) await step("restore test", () => testRestore(place));
  else rows.push(["restore test", "", "", "left out: the disk does not boot, or qemu-system-x86_64 is missing"]);
  return backups;
}

const restoreTest = `apiVersion: reprise/v1
kind: RestoreTest
metadata: {name: demo}
spec:
  machine: vm/demo
  objectives: {rto: 10m, rpo: 1h}
  hardware: {memory: 256MiB}
  ready: {serial: FIXTURE-READY}
  checks:
    - agent
    - {type: http, path: /cgi-bin/health}
    - {type: file, path: /app.log, minimum-size: 100KiB}
    - screenshot
`;

/** Starts the machine from its backup, in isolation, and asks it whether it works. */
async function testRestore(place) {
  const spec = join(place.folder, "demo.yaml");
  await writeFile(spec, restoreTest);
  const { machines } = await reprise(place, "test", spec, "--report", join(place.folder, "report"));
  const [{ result, times, checks }] = machines;
  if (result.outcome !== "passed") throw new Error(`restore test ${result.outcome}: ${result.reason}`);
  const seconds = (times.rto[0].totalMs / 1000).toFixed(1);
  return { note: `booted in isolation and served after ${seconds} s; ${checks.length} checks passed` };
}

async function compare(path, expected) {
  const actual = await sha256(path);
  if (actual !== expected) throw new Error(`restored disk differs: ${actual} instead of ${expected}`);
  return { size: mib((await stat(path)).size), note: `equal, SHA-256 ${actual.slice(0, 16)}…` };
}

function table() {
  const head = ["step", "size", "time", "what happened"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => [...row[i]].length)));
  const line = (cells) =>
    cells
      .map((cell, i) => cell + " ".repeat(widths[i] - [...cell].length))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), "reprise-demo-"));
  const place = { folder, repository: join(folder, "repository"), passphrase: randomBytes(12).toString("base64url") };
  await mkdir(place.repository);
  say("Reprise: back up a machine's disk, change it, back it up again, and get it back.\n");
  try {
    const [first, second] = await story(place);
    const share = ((100 * second.bytesStored) / first.bytesStored).toFixed(1);
    say(`\n${table()}\n`);
    say(
      `The second backup stored ${mib(second.bytesStored)}, ${share} % of the first one's ${mib(first.bytesStored)}.`,
    );
    say("Both restores are equal to the disk, byte for byte.");
    say(
      (await readFile(join(place.repository, "RESCUE.md"), "utf8")).includes("rescue")
        ? "The repository can be read without Reprise: see RESCUE.md in it."
        : "",
    );
    if (second.bytesStored > first.bytesStored / 2) throw new Error("the second backup was not small");
  } finally {
    if (keep) say(`left in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  process.stderr.write(`demo failed: ${error.stderr || error.stack || error}\n`);
  process.exitCode = 1;
});
