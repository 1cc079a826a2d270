// Brings what Reprise needs to build and to test: the npm packages of package-lock.json (among them `node`, which pins
// the runtime of every script) and the Debian packages of scripts/debianPackages.mjs. This file, build.mjs and run.mjs
// start under the system's own Node, so they keep to what Node 14.18 knows.

import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { debianToolsFor } from "./debianPackages.mjs";

export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
/** The pinned Node: everything but these few start-up files runs under it. */
export const pinnedNode = path.join(projectRoot, "node_modules", ".bin", "node");

const stampPath = path.join(projectRoot, "node_modules", ".reprise-stamp");

export function say(line) {
  process.stdout.write(`reprise: ${line}\n`);
}

/** True when this file was started by name and not imported. */
export function isMain(moduleUrl) {
  if (process.argv[1] === undefined) return false;
  return fs.realpathSync(process.argv[1]) === fs.realpathSync(fileURLToPath(moduleUrl));
}

/** Runs a program to its end with our terminal; true when it ended with 0. */
export function succeeds(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: projectRoot, stdio: "inherit", ...options });
  if (result.error) say(`cannot start ${program}: ${result.error.message}`);
  return result.status === 0;
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

function lockStamp() {
  const lock = fs.readFileSync(path.join(projectRoot, "package-lock.json"));
  return `${crypto.createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
}

function pinnedNodeWorks() {
  return spawnSync(pinnedNode, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Compares the lock with the one npm leaves in node_modules: true when every package there is the wanted one. */
function installedMatchesLock() {
  const hidden = path.join(projectRoot, "node_modules", ".package-lock.json");
  if (!fs.existsSync(hidden)) return false;
  const installed = readJson(hidden).packages;
  const wanted = readJson(path.join(projectRoot, "package-lock.json")).packages;
  for (const name of Object.keys(wanted)) {
    if (name === "") continue;
    const found = installed[name];
    if (found === undefined && wanted[name].optional) continue;
    if (found === undefined || found.version !== wanted[name].version) return false;
    if (wanted[name].integrity && found.integrity !== wanted[name].integrity) return false;
  }
  return true;
}

/** npm may be told not to run install scripts (npm 11 asks first, for one); then the two that matter run here. */
function runMissedInstallScripts() {
  const missed = [];
  if (!pinnedNodeWorks()) missed.push(["node", "installArchSpecificPackage.js"]);
  const esbuild = path.join(projectRoot, "node_modules", "esbuild");
  const version = spawnSync(path.join(esbuild, "bin", "esbuild"), ["--version"], { encoding: "utf8" });
  if ((version.stdout || "").trim() !== readJson(path.join(esbuild, "package.json")).version) {
    missed.push(["esbuild", "install.js"]);
  }
  for (const [name, script] of missed) {
    const folder = path.join(projectRoot, "node_modules", name);
    if (!succeeds(process.execPath, [script], { cwd: folder })) return false;
  }
  return true;
}

/** npm before 7 cannot read our package-lock.json: then npm 9, the last that starts under Node 14, does the work. */
function npmCi() {
  const version = spawnSync("npm", ["--version"], { cwd: projectRoot, encoding: "utf8" }).stdout || "";
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  if (Number.parseInt(version, 10) >= 7) return succeeds("npm", args);
  say(`npm ${version.trim()} is too old: using npm 9`);
  return succeeds("npx", ["--package", "npm@9", "npm", ...args]);
}

/** Makes node_modules what package-lock.json says; returns false when that failed. */
export function ensureNodeModules() {
  const stamp = lockStamp();
  if (fs.existsSync(stampPath) && fs.readFileSync(stampPath, "utf8") === stamp && fs.existsSync(pinnedNode))
    return true;
  if (!installedMatchesLock() || !pinnedNodeWorks()) {
    say("installing npm packages (npm ci)");
    if (!npmCi()) {
      say("npm ci failed: see above");
      return false;
    }
  }
  if (!runMissedInstallScripts() || !pinnedNodeWorks()) {
    say("the `node` package did not bring its binary: see above");
    return false;
  }
  fs.writeFileSync(stampPath, stamp);
  return true;
}

function isOnPath(tool) {
  if (path.isAbsolute(tool)) return fs.existsSync(tool);
  const folders = (process.env.PATH || "").split(path.delimiter).concat("/usr/sbin", "/sbin");
  return folders.some((folder) => folder !== "" && fs.existsSync(path.join(folder, tool)));
}

function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return succeeds("apt-get", ["-qq", "-o", "Dpkg::Use-Pty=0", ...args], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/**
 * Makes the Debian tools of one command available: installs what is missing when we are root, else names it and goes
 * on. Returns false when something is missing that must not be: with CI=true.
 */
export function ensureDebianPackages(command) {
  const missing = () => debianToolsFor(command).filter(({ tool }) => !isOnPath(tool));
  const packagesOf = (tools) => Array.from(new Set(tools.map((entry) => entry.package))).join(" ");
  let absent = missing();
  if (absent.length === 0) return true;
  const isRoot = typeof process.getuid === "function" && process.getuid() === 0;
  if (isRoot && isOnPath("apt-get")) {
    say(`installing Debian packages: ${packagesOf(absent)}`);
    aptGet(["update"]);
    aptGet(["install", "-y", "--no-install-recommends", ...packagesOf(absent).split(" ")]);
    absent = missing();
    if (absent.length === 0) return true;
  }
  say(`missing: ${absent.map((entry) => entry.tool).join(" ")}; as root: apt-get install ${packagesOf(absent)}`);
  return process.env.CI !== "true";
}

if (isMain(import.meta.url)) {
  const ok = ensureNodeModules() && ensureDebianPackages("test");
  if (ok) say("ready: npm test, npm run demo, npm run story");
  process.exitCode = ok ? 0 : 1;
}
