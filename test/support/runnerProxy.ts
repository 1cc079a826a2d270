// Debian's HAProxy in front of the S3 server, with the configuration that `init --print-policy haproxy` prints, as an operator would
// run it. It asks the server from an address of its own, so that a policy can tell it from everybody else on this machine.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type HaproxyOptions, haproxyConfig } from "../../core/roles/haproxyConfig.js";

/** Where the proxy's requests come from. */
export const PROXY_ADDRESS = "127.0.0.2";

export class RunnerProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(endpoint: string, child: ChildProcess, folder: string) {
    this.endpoint = endpoint;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(options: HaproxyOptions): Promise<RunnerProxy> {
    const folder = mkdtempSync(join(tmpdir(), "reprise-haproxy-"));
    const port = await freePort();
    const file = join(folder, "haproxy.cfg");
    const printed = haproxyConfig(options)
      .replace("bind :8333", `bind 127.0.0.1:${port}`)
      .replace(/^( *server storage .*)$/m, `$1 source ${PROXY_ADDRESS}`);
    writeFileSync(file, `global\n    nbthread 1\n${printed}`);
    const child = spawn("haproxy", ["-db", "-f", file], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    let said = "";
    child.stderr?.on("data", (text) => {
      said += text;
    });
    process.once("exit", () => child.kill("SIGKILL"));
    for (let tries = 0; !(await answers(port)); tries++) {
      if (child.exitCode !== null || tries > 200) throw new Error(`haproxy does not listen: ${said}`);
      await sleep(50);
    }
    // what it says of a configuration that it takes, but not as it is meant
    if (/warning/i.test(said)) throw new Error(`haproxy warns: ${said}`);
    return new RunnerProxy(`http://127.0.0.1:${port}`, child, folder);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const [event] = await Promise.race([
    once(socket, "connect").then(() => ["connect"]),
    once(socket, "error").then(() => ["error"]),
  ]).catch(() => ["error"]);
  socket.destroy();
  return event === "connect";
}
