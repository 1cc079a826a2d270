// The one S3 server of a run: Ceph's object gateway as the tests have it, in memory, started when a tool first asks for it
// and ended with the run (by its watcher when this process is killed).

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createS3Bucket } from "../../core/storage/s3/s3Bucket.js";
import type { S3Credentials } from "../../core/storage/s3/s3Connection.js";
import { projectRoot } from "../disks.js";
import { execute } from "../measure.js";

const script = join(projectRoot, "test", "fixtures", "cephGateway.sh");
const daemons = ["gateway", "store", "monitor"];
/** Of /proc/PID/stat, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export class Gateway {
  readonly credentials: S3Credentials;
  readonly #folder: string;
  readonly #settings: Map<string, string>;
  #buckets = 0;

  private constructor(folder: string, output: string) {
    this.#folder = folder;
    const lines = output.split("\n").filter((line) => line.startsWith("S3_"));
    this.#settings = new Map(lines.map((line) => line.split("=", 2) as [string, string]));
    this.credentials = { accessKeyId: this.#setting("S3_ACCESS_KEY"), secretAccessKey: this.#setting("S3_SECRET_KEY") };
  }

  static async start(): Promise<Gateway> {
    const folder = await mkdtemp(join(tmpdir(), "reprise-bench-ceph-"));
    try {
      return new Gateway(
        folder,
        await execute({ program: script, args: ["start", folder, "--owner", `${process.pid}`] }),
      );
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A fresh bucket, and a place in it that Reprise and restic name alike: `s3:http://127.0.0.1:PORT/BUCKET/repository`. */
  async newPlace(): Promise<string> {
    const bucket = `${this.#setting("S3_ENDPOINT")}/bench-${++this.#buckets}`;
    await createS3Bucket(`s3:${bucket}`, { objectLock: false }, this.credentials);
    return `s3:${bucket}/repository`;
  }

  /** For a child process; no file of this machine is asked. */
  get environment(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: this.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
      AWS_REGION: this.#setting("S3_REGION"),
      AWS_CONFIG_FILE: join(this.#folder, "no-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(this.#folder, "no-credentials"),
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  /** Processor time of its daemons since they started. */
  async cpuSeconds(): Promise<number> {
    const times = daemons.map(async (daemon) => {
      const pid = (await readFile(join(this.#folder, `${daemon}.pid`), "utf8")).trim();
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      // utime and stime are fields 14 and 15; the name before field 3 may hold blanks
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    });
    return (await Promise.all(times)).reduce((sum, seconds) => sum + seconds, 0);
  }

  async stop(): Promise<void> {
    await execute({ program: script, args: ["stop", this.#folder] });
    await rm(this.#folder, { recursive: true, force: true });
  }

  #setting(name: string): string {
    const value = this.#settings.get(name);
    if (value === undefined) throw new Error(`the S3 server does not say its ${name}`);
    return value;
  }
}

let started: Promise<Gateway> | undefined;

/** The same for all who ask. */
export function benchGateway(): Promise<Gateway> {
  started ??= Gateway.start();
  return started;
}

export async function stopBenchGateway(): Promise<void> {
  const gateway = await started?.catch(() => undefined);
  started = undefined;
  await gateway?.stop();
}
