// A qemu-nbd child that serves one image file over a socket in a private folder. It must not outlive us: it ends with
// its last connection and we hold one from the start, so even kill -9 of our process ends it (setpriv, where present, covers the
// moment before that connection). All that kill -9 can leave is an empty folder reprise-nbd-*, swept up by a later start.

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, rm, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAbort, isOurError } from "../errors.js";
import { NbdClient } from "../nbd/client.js";
import { deathSignalWrapper } from "../platform/deathSignal.js";
import { collectErrorOutput, firstLine, requireTool, toolEnvironment, toolFailed } from "../platform/tool.js";
import type { ImageFormat } from "./imageFormat.js";
import { sourceFailed } from "./sourceErrors.js";

export interface QemuNbdOptions {
  /** Absolute. The caller has checked the image's foreign files. */
  imagePath: string;
  format: ImageFormat;
  writable: boolean;
  /** Follow backing files. Otherwise they are cut off, even when one appeared after the check. */
  allowBackingFiles?: boolean;
  signal?: AbortSignal;
}

export interface QemuNbd {
  readonly socketPath: string;
  readonly exportName: string;
  readonly sizeBytes: number;
  readonly pid: number;
  /** The connection that keeps the server alive; also usable for requests. */
  readonly keeper: NbdClient;
  /**
   * Ends the server after its other clients have left, or without waiting for them after a moment, and removes the
   * socket. True when it ended by itself with all data flushed. May be called twice.
   */
  stop(): Promise<boolean>;
}

const exportName = "";
const folderPrefix = "reprise-nbd-";
const abandonedAfterMs = 10 * 60_000;
/** More clients than this wait in line for ever; every worker takes one. */
const maxClients = 64;
const startTimeoutMs = 20_000;
const politeMs = 2_000;
/** Closing a written image flushes it, which can take long. */
const terminateMs = { reading: 5_000, writing: 120_000 };
/** Longest path that fits a unix socket address on every system. */
const maxSocketPathBytes = 100;

/**
 * TOOL_MISSING, TOOL_FAILED, SOURCE_IN_USE (locked by a running VM), SOURCE_OPEN_FAILED with what qemu-nbd said. For the
 * main thread: the server ends with the thread that started it. Workers connect to its socket.
 */
export async function startQemuNbd(options: QemuNbdOptions): Promise<QemuNbd> {
  options.signal?.throwIfAborted();
  const program = await requireTool("qemu-nbd");
  const fileDriver = (await stat(options.imagePath)).isBlockDevice() ? "host_device" : "file";
  const wrapper = await deathSignalWrapper("TERM");
  const folder = await makePrivateFolder();
  const socketPath = join(folder, "s");
  const command = [...wrapper, program, ...serverArguments(options, fileDriver, socketPath)];
  // Its own session: Ctrl-C in a terminal is ours to handle, and the server must still answer while we wind up.
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    env: toolEnvironment(),
  });
  const server = new ServerProcess(child, folder, options.writable);
  try {
    const keeper = await waitForServer(server, socketPath, options);
    return new RunningServer(server, socketPath, keeper);
  } catch (error) {
    await server.end(0);
    throw error;
  }
}

function serverArguments(options: QemuNbdOptions, fileDriver: string, socketPath: string): string[] {
  const access = options.writable ? ["--discard=unmap", "--detect-zeroes=off"] : ["--read-only"];
  // Spelt out as JSON, so that no character of a path means anything and no other driver can be guessed.
  const node: Record<string, unknown> = {
    driver: options.format,
    file: { driver: fileDriver, filename: options.imagePath },
  };
  if (options.writable) node.discard = "unmap";
  const canHaveBacking = options.format === "qcow2" || options.format === "vmdk";
  if (canHaveBacking && options.allowBackingFiles !== true) node.backing = null;
  const shared = `--shared=${maxClients}`;
  return [...access, shared, "--cache=writeback", `--socket=${socketPath}`, `json:${JSON.stringify(node)}`];
}

async function makePrivateFolder(): Promise<string> {
  const base = Buffer.byteLength(tmpdir()) + 24 <= maxSocketPathBytes ? tmpdir() : "/tmp";
  await sweepFolders(base);
  return await mkdtemp(join(base, folderPrefix));
}

/** Removes what killed processes left. A folder that is empty and old belongs to nobody: a server has its socket in it. */
async function sweepFolders(base: string): Promise<void> {
  const names = (await readdir(base)).filter((name) => name.startsWith(folderPrefix));
  for (const name of names) {
    const path = join(base, name);
    const stats = await stat(path).catch(() => undefined);
    const isOld = stats !== undefined && Date.now() - stats.mtimeMs > abandonedAfterMs;
    // Fails, as it should, for a folder that is not empty or not ours.
    if (isOld) await rmdir(path).catch(() => undefined);
  }
}

async function waitForServer(server: ServerProcess, socketPath: string, options: QemuNbdOptions): Promise<NbdClient> {
  const deadlineMs = performance.now() + startTimeoutMs;
  for (;;) {
    try {
      return await NbdClient.connect(
        { socketPath },
        { exportName, signal: options.signal, blockSizes: !options.writable },
      );
    } catch (error) {
      if (isAbort(error) || options.signal?.aborted) throw error;
      const errno = isOurError(error, "NBD_FAILED") ? error.data.errno : undefined;
      // a server that cannot open its image resets who is already waiting at its socket, and ends then
      const notYet = errno === "ENOENT" || errno === "ECONNREFUSED" || errno === "ECONNRESET";
      if (server.ended) throw openFailed(options, await server.lastWords());
      if (!notYet) throw error;
      if (performance.now() > deadlineMs)
        throw toolFailed("qemu-nbd", "did not open its socket in time", { cause: error });
    }
    await Promise.race([sleep(10, undefined, { signal: options.signal }), server.exited]);
  }
}

function openFailed(options: QemuNbdOptions, words: string): Error {
  const data = { path: options.imagePath, format: options.format, stderr: words };
  if (/Failed to get .*lock/.test(words)) {
    const hint = "stop the virtual machine that uses it, or back it up through its hypervisor";
    return sourceFailed("SOURCE_IN_USE", `${options.imagePath} is in use by another program`, {
      data,
      hint,
      retry: "later",
    });
  }
  return sourceFailed("SOURCE_OPEN_FAILED", `qemu-nbd cannot open ${options.imagePath}: ${firstLine(words)}`, { data });
}

/** The child and its folder, and the promise that both are gone in the end. */
class ServerProcess {
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #terminateMs: number;
  readonly #stderr: () => string;
  #ending: Promise<boolean> | undefined;

  constructor(child: ChildProcess, folder: string, writable: boolean) {
    this.#child = child;
    this.#folder = folder;
    this.#terminateMs = writable ? terminateMs.writing : terminateMs.reading;
    this.#stderr = collectErrorOutput(child);
    this.exited = new Promise((resolve) => {
      child.once("close", () => resolve());
      child.once("error", () => resolve());
    });
    liveServers.add(this);
    if (liveServers.size === 1) process.on("exit", killLiveServers);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get ended(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async lastWords(): Promise<string> {
    await this.exited;
    return this.#stderr();
  }

  /** Waits, then asks, then kills. True when the process ended on its own terms. */
  end(politeWaitMs: number): Promise<boolean> {
    this.#ending ??= this.#end(politeWaitMs);
    return this.#ending;
  }

  /** For the exit of our own process: nothing may be awaited there. */
  killNow(): void {
    if (!this.ended) this.#child.kill("SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(politeWaitMs: number): Promise<boolean> {
    await this.#exitWithin(politeWaitMs);
    if (!this.ended) this.#child.kill("SIGTERM");
    await this.#exitWithin(this.#terminateMs);
    if (!this.ended) this.#child.kill("SIGKILL");
    await this.exited;
    liveServers.delete(this);
    if (liveServers.size === 0) process.off("exit", killLiveServers);
    await rm(this.#folder, { recursive: true, force: true });
    return this.#child.exitCode === 0;
  }

  async #exitWithin(waitMs: number): Promise<void> {
    const timer = new AbortController();
    const late = sleep(waitMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.exited, late]);
    timer.abort();
  }
}

class RunningServer implements QemuNbd {
  readonly exportName = exportName;
  readonly sizeBytes: number;
  readonly pid: number;
  readonly socketPath: string;
  readonly keeper: NbdClient;
  readonly #server: ServerProcess;

  constructor(server: ServerProcess, socketPath: string, keeper: NbdClient) {
    this.#server = server;
    this.socketPath = socketPath;
    this.keeper = keeper;
    this.sizeBytes = keeper.sizeBytes;
    this.pid = server.pid;
  }

  async stop(): Promise<boolean> {
    await this.keeper.close();
    return await this.#server.end(politeMs);
  }
}

const liveServers = new Set<ServerProcess>();

function killLiveServers(): void {
  for (const server of liveServers) server.killNow();
}
