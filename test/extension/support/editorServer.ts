// A real editor for tests: code-server with folders of its own on a free port of this machine, the packaged extension in it, and
// no marketplace. scripts/installEditor.mjs brings it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import type { OwnMachine } from "./ownMachine.js";

const run = promisify(execFile);
const entry = inProject(".cache", "editor", "node_modules", "code-server", "out", "node", "entry.js");
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const THIS_MACHINE: Pick<OwnMachine, "inside" | "command"> = {
  inside: (path) => path,
  command: (program, args) => [program, args],
};
const START_MS = 120_000;
const END_MS = 8000;

/** Without what distracts: no welcome, no experiments, nothing from the network. */
const QUIET_SETTINGS = {
  "workbench.startupEditor": "none",
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.colorTheme": "Default Dark Modern",
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  // tooltips and copies of the rows above would lie over the rows that are clicked next
  "workbench.hover.delay": 600_000,
  "workbench.tree.enableStickyScroll": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
};

export interface EditorOptions {
  /** The packaged extension. */
  vsix: string;
  /** Packed ones of somebody else. */
  otherExtensions?: readonly string[];
  settings?: Record<string, unknown>;
  /** Settings of the machine that the extension runs on; the editor keeps them apart. */
  machineSettings?: Record<string, unknown>;
  /** The extension host gets it, too. */
  env?: Record<string, string>;
  args?: readonly string[];
  /** Ask whether a workspace is trusted. Default: every one is. */
  withTrust?: boolean;
  /** Where the editor runs. Default: this machine. */
  machine?: OwnMachine;
}

export interface EditorServer {
  url: string;
  port: number;
  /** Where the extension was installed to. */
  extensionFolder: string;
  /** What the editor keeps: settings, what extensions store, logs. */
  userFolder: string;
  log(): string;
  stop(): Promise<void>;
}

export function browserPath(): string | undefined {
  return browsers.find((path) => existsSync(path));
}

/** Skips the test or suite when there is no editor or browser here; with CI=true a skipped test is a failed run. */
export function needsEditor(context: Mocha.Context): void {
  if (existsSync(entry) && browserPath() !== undefined) return;
  process.stdout.write(
    "      no editor: node scripts/installEditor.mjs brings code-server; chromium is a Debian package\n",
  );
  context.skip();
}

export async function startEditor(options: EditorOptions): Promise<EditorServer> {
  const { path: home, remove } = await homeOf(options);
  try {
    return await startIn(home, remove, options);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function homeOf({ machine }: EditorOptions): Promise<TemporaryFolder> {
  if (machine === undefined) return await makeTemporaryFolder("editor");
  const path = join(machine.folder, "ops");
  await mkdir(path);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

async function startIn(home: string, remove: () => Promise<void>, options: EditorOptions): Promise<EditorServer> {
  const [user, extensions] = [join(home, "editor"), join(home, "extensions")];
  await writeSettings(user, options);
  await mkdir(extensions);
  const { inside, command } = options.machine ?? THIS_MACHINE;
  const env = environmentIn(inside(home), options.env);
  const own = { "user-data-dir": user, "extensions-dir": extensions, config: join(home, "config.yaml") };
  const folders = Object.entries(own).flatMap(([name, path]) => [`--${name}`, inside(path)]);
  for (const vsix of [options.vsix, ...(options.otherExtensions ?? [])]) {
    const [installer, words] = command(process.execPath, [entry, ...folders, "--install-extension", vsix]);
    await run(installer, words, { env, timeout: START_MS });
  }
  const port = await freePort();
  const quiet = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--ignore-last-opened"];
  const trust = options.withTrust ? [] : ["--disable-workspace-trust"];
  const args = [entry, ...folders, "--bind-addr", `127.0.0.1:${port}`, ...quiet, ...trust, ...(options.args ?? [])];
  const [program, given] = command(process.execPath, args);
  const child = spawn(program, given, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => output.push(String(piece)));
  const stop = async () => {
    await endGroup(child);
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    await remove();
  };
  const url = `http://127.0.0.1:${port}`;
  await untilHealthy(url, child, output).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const extensionFolder = await installedFolder(extensions);
  return { url, port, extensionFolder, userFolder: user, log: () => output.join(""), stop };
}

async function writeSettings(user: string, { settings, machineSettings }: EditorOptions): Promise<void> {
  const files = [
    ["User", { ...QUIET_SETTINGS, ...settings }],
    ["Machine", machineSettings ?? {}],
  ] as const;
  for (const [folder, content] of files) {
    await mkdir(join(user, folder), { recursive: true });
    await writeFile(join(user, folder, "settings.json"), JSON.stringify(content, null, 2));
  }
}

function environmentIn(home: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const own = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), XDG_DATA_HOME: join(home, "data") };
  const { VSCODE_IPC_HOOK_CLI: _, ...inherited } = process.env;
  return { ...inherited, ...own, XDG_CACHE_HOME: join(home, "cache"), EXTENSIONS_GALLERY: "{}", ...more };
}

async function installedFolder(extensions: string): Promise<string> {
  const name = (await readdir(extensions)).find((each) => each.startsWith("reprise.reprise-"));
  if (name === undefined) throw new Error("the extension was not installed");
  return join(extensions, name);
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function untilHealthy(url: string, child: ChildProcess, output: readonly string[]): Promise<void> {
  const endsAtMs = Date.now() + START_MS;
  while (Date.now() < endsAtMs) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`code-server did not come up:\n${output.join("")}`);
}

/** The whole process group, which is our own. */
async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {}
  };
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.signalCode === null) {
    kill("SIGTERM");
    await Promise.race([ended, sleep(END_MS, undefined, { ref: false })]);
  }
  kill("SIGKILL");
  for (const stream of [child.stdout, child.stderr]) stream?.destroy();
}
