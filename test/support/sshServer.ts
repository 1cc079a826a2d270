// One real OpenSSH server for all tests of this process: started when the first test asks for it, ended with the process
// (or by its watcher when the process is killed). Each test takes folders of its own.

import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inProject } from "./projectRoot.js";

const run = promisify(execFile);
const script = inProject("test", "fixtures", "sshServer.sh");

export interface LocationOptions {
  transport?: "ssh2" | "ssh";
  /** Default: the right fingerprint. */
  hostKey?: string | null;
  /** Default: the key that is let in. */
  identity?: string | null;
  knownHosts?: string;
  connections?: number;
  user?: string;
}

export class SshServer {
  readonly port: number;
  readonly user: string;
  /** Of the host key, `SHA256:…`. */
  readonly fingerprint: string;
  readonly folder: string;
  #roots = 0;
  #stopped = false;

  constructor(folder: string, settings: Record<string, string>) {
    this.folder = folder;
    this.port = Number(settings.SFTP_PORT);
    this.user = settings.SFTP_USER!;
    this.fingerprint = settings.SFTP_FINGERPRINT!;
  }

  static async start(): Promise<SshServer> {
    const folder = mkdtempSync(join(tmpdir(), "reprise-sshd-"));
    try {
      const { stdout } = await run(script, ["start", folder, String(process.pid)]);
      const server = new SshServer(folder, Object.fromEntries(stdout.trim().split("\n").map(settingOf)));
      process.once("exit", () => server.stop());
      return server;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A file that the server's keys are in: hostKey.pub, clientKey (let in), strangerKey (not), lockedKey (`key phrase`). */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** A fresh, empty folder on the "server". */
  newRoot(): string {
    const root = join(this.folder, `root-${++this.#roots}`);
    mkdirSync(root);
    return root;
  }

  /** What a user writes to name a repository in `root`. */
  location(root: string, options: LocationOptions = {}): string {
    const { hostKey = this.fingerprint, identity = this.file("clientKey"), user = this.user } = options;
    const query = [
      ...(options.transport ? [`transport=${options.transport}`] : []),
      ...(hostKey === null ? [] : [`host-key=${hostKey}`]),
      ...(identity === null ? [] : [`identity=${identity}`]),
      ...(options.knownHosts ? [`known-hosts=${options.knownHosts}`] : []),
      ...(options.connections ? [`connections=${options.connections}`] : []),
    ];
    return `sftp://${user}@127.0.0.1:${this.port}${root}?${query.join("&")}`;
  }

  /** Drops every connection, as a broken network does. */
  async cut(): Promise<void> {
    await run(script, ["cut", this.folder]);
  }

  /** Nobody listens any more. */
  async down(): Promise<void> {
    await run(script, ["down", this.folder]);
  }

  async up(): Promise<void> {
    await run(script, ["up", this.folder]);
  }

  /** Ends the server and removes its files. May be called twice; synchronous, so that it works while a process ends. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    try {
      execFileSync(script, ["stop", this.folder], { stdio: "ignore" });
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

let started: Promise<SshServer> | undefined;

/** The server of this process. A missing sshd fails the test with what to install. */
export function sshServer(): Promise<SshServer> {
  // once more: a port that was free may be taken by the time that sshd asks for it
  started ??= SshServer.start().catch(() => SshServer.start());
  return started;
}

function settingOf(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}
