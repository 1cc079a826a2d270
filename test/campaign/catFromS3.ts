// `cat` of one small file out of a real Debian disk in a repository on an S3 server: what comes over the wire, counted
// between the command line and Ceph's gateway, protocol and all.

import { mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { S3Server } from "../support/s3Server.js";
import { type Campaign, type CampaignOptions, printTable } from "./campaign.js";
import { CommandLine } from "./commandLine.js";
import { debianDisk } from "./debianDisk.js";

export const catFromS3Campaign: Campaign = {
  summary: "cat /etc/hostname of a 4 GiB Debian disk in a repository on Ceph S3: under 2 MiB over the wire",
  defaultCount: 3,
  run: runCatFromS3,
};

const MAX_BYTES = 2 * 1024 * 1024;
const EXPECTED = "shop\n";
const PATH = "/etc/hostname";

/** `count`: how often the file is read with a warm cache. */
async function runCatFromS3({ folder, count }: CampaignOptions): Promise<string[]> {
  const disk = await debianDisk();
  const server = await S3Server.start();
  const meter = await ByteMeter.open(new URL(server.endpoint));
  try {
    const location = `s3:${meter.endpoint}/${await server.newBucket()}/repository`;
    const cli = new CommandLine(folder, location, server.environment());
    await cli.json("init");
    await cli.json("backup", "--group", "vm/shop", "--name", `disk=${disk}`, "--format", "raw");
    console.log(`backed up: ${meter.take().sentBytes} bytes sent`);
    const violations: string[] = [];
    const rows: (string | number)[][] = [];
    const read = async (what: string): Promise<void> => {
      meter.take();
      const { code, stdout, stderr, ms } = await cli.run("cat", `vm/shop@latest:${PATH}`);
      const { receivedBytes, connections } = meter.take();
      rows.push([what, receivedBytes, connections, Math.round(ms)]);
      if (code !== 0 || stdout !== EXPECTED) violations.push(`${what}: code ${code}, ${stdout}${stderr}`);
      if (receivedBytes >= MAX_BYTES) violations.push(`${what}: ${receivedBytes} bytes`);
    };
    await rm(join(folder, "cache"), { recursive: true, force: true });
    await mkdir(join(folder, "cache"));
    await read("without a cache");
    for (let i = 0; i < count; i++) await read("with a cache");
    printTable([`cat ${PATH}`, "bytes received", "connections", "ms"], rows);
    return violations;
  } finally {
    await meter.close();
    server.stop();
  }
}

interface Metered {
  sentBytes: number;
  receivedBytes: number;
  connections: number;
}

/** Passes connections on and counts. Addresses stay as they are: signed requests name the meter as their host. */
class ByteMeter {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #count: Metered;

  private constructor(server: Server, sockets: Set<Socket>, count: Metered) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.endpoint = `http://127.0.0.1:${address.port}`;
    this.#server = server;
    this.#sockets = sockets;
    this.#count = count;
  }

  static async open({ hostname, port }: URL): Promise<ByteMeter> {
    const count: Metered = { sentBytes: 0, receivedBytes: 0, connections: 0 };
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      count.connections++;
      for (const [from, to, direction] of [
        [client, upstream, "sentBytes"],
        [upstream, client, "receivedBytes"],
      ] as const) {
        sockets.add(from);
        from.on("data", (part) => (count[direction] += part.length));
        from.on("error", () => to.destroy());
        from.on("close", () => sockets.delete(from));
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ByteMeter(server, sockets, count);
  }

  /** Since the last time. */
  take(): Metered {
    const taken = { ...this.#count };
    Object.assign(this.#count, { sentBytes: 0, receivedBytes: 0, connections: 0 });
    return taken;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
