// Folders with everything that file systems of Linux allow, and what they are, as text that can be compared.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { noise } from "./sampleBytes.js";

/** What may be asked of a name: none is text for sure. */
export const ODD_NAMES: readonly Uint8Array[] = [
  Buffer.from([0x66, 0xff, 0xfe, 0x80]),
  Buffer.from("new\nline"),
  Buffer.from("-rf"),
  Buffer.from(" space "),
  Buffer.from("back\\slash\\101"),
  Buffer.from("= # file: x"),
  Buffer.from("grüße-\u{1f600}"),
  Buffer.from("n".repeat(255)),
  Buffer.from("\u001b[31mred"),
];

export function joined(folder: string | Uint8Array, name: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(folder as Uint8Array), Buffer.from("/"), Buffer.from(name as Uint8Array)]);
}

/** A folder below `path` with one of everything; device nodes and owners only for root. */
export function makeOddFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  for (const name of ODD_NAMES) writeFileSync(joined(path, name), noise(name.length, 1000 + name.length));
  for (const name of ODD_NAMES.slice(0, 3)) mkdirSync(joined(path, Buffer.concat([name, Buffer.from(".d")])));
  writeFileSync(`${path}/empty`, "");
  writeFileSync(`${path}/setuid`, "#!");
  chmodSync(`${path}/setuid`, 0o6711);
  mkdirSync(`${path}/sticky`);
  chmodSync(`${path}/sticky`, 0o1777);
  writeFileSync(`${path}/large`, noise(7, 900_000));
  makeSparse(`${path}/sparse`);
  makeSparse(`${path}/hollow`, []);
  mkdirSync(`${path}/links`);
  linkSync(`${path}/large`, `${path}/links/hard`);
  linkSync(`${path}/large`, `${path}/another`);
  symlinkSync("../large", `${path}/links/relative`);
  symlinkSync("/etc/passwd", `${path}/links/absolute`);
  symlinkSync(Buffer.from([0x2e, 0xff, 0x0a]), `${path}/links/odd`);
  symlinkSync("nowhere", `${path}/links/dangling`);
  execFileSync("mkfifo", [`${path}/pipe`]);
  if (process.getuid?.() === 0) execFileSync("sh", ["-c", 'mknod "$0/null" c 1 3; mknod "$0/disk" b 259 70000', path]);
  let deep = path;
  for (let i = 0; i < 60; i++) {
    deep += `/level-${i}`;
    mkdirSync(deep);
  }
  writeFileSync(`${deep}/bottom`, "bottom");
  execFileSync("touch", ["-h", "-d", "1901-12-14 01:02:03.123456789 UTC", `${path}/empty`]);
  execFileSync("touch", ["-h", "-d", "2200-01-01 00:00:00.000000001 UTC", `${path}/setuid`]);
  execFileSync("touch", ["-h", "-d", "1969-12-31 23:59:59.5 UTC", `${path}/links/odd`]);
}

/** Whether attributes can be set here. */
export function setAttributes(path: string): boolean {
  try {
    const set = (name: string, value: string, file: string) =>
      execFileSync("setfattr", ["-h", "-n", name, "-v", value, `${path}/${file}`], { stdio: "ignore" });
    set("user.comment", "a short one", "large");
    set("user.binary", "0x00ff0a0d", "empty");
    set("user.long", `0x${"ab".repeat(3000)}`, "setuid");
    set("user.folder", "of a folder", "sticky");
    return true;
  } catch {
    return false;
  }
}

function makeSparse(path: string, places: readonly number[] = [0, 3_000_000, 5_242_880]): void {
  const fd = openSync(path, "w");
  for (const place of places) writeSync(fd, noise(place, 10_000), 0, 10_000, place);
  ftruncateSync(fd, 8_000_000);
  closeSync(fd);
}

/** All that matters of a folder and everything below it, a line each; hard links by their first name. */
export function describeFolder(top: string, { attributes = false, times = true } = {}): string[] {
  const lines: string[] = [];
  const linked = new Map<string, string>();
  const visit = (path: Buffer, shown: string) => {
    const stats = lstatSync(path, { bigint: true });
    const key = `${stats.dev}:${stats.ino}`;
    const first = linked.get(key) ?? shown;
    if (stats.nlink > 1n && !stats.isDirectory()) linked.set(key, first);
    lines.push([shown, kindText(stats, times), first === shown ? "" : `=${first}`, contentText(path, stats)].join(" "));
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(path, { encoding: "buffer" }).sort(Buffer.compare)) {
      visit(joined(path, name), `${shown}/${name.toString("latin1")}`);
    }
  };
  visit(Buffer.from(top), "");
  return attributes ? [...lines, ...attributeLines(top)] : lines;
}

function kindText(stats: BigIntStats, times: boolean): string {
  const kind = (stats.mode & 0o170000n).toString(8);
  const device = stats.isBlockDevice() || stats.isCharacterDevice() ? stats.rdev : "";
  const links = stats.isDirectory() ? "" : stats.nlink;
  return `${kind} ${(stats.mode & 0o7777n).toString(8)} ${stats.uid}:${stats.gid} ${times ? stats.mtimeNs : ""} ${links} ${device}`;
}

function contentText(path: Buffer, stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return readlinkSync(path, { encoding: "buffer" }).toString("hex");
  if (!stats.isFile()) return "";
  return `${stats.size} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

function attributeLines(top: string): string[] {
  const script = 'cd "$0" && getfattr -R -h -d -m user -e hex . 2>/dev/null';
  return execFileSync("sh", ["-c", script, top], { encoding: "latin1", maxBuffer: 1 << 26 }).split("\n");
}
