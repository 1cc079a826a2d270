// One real S3 server (Ceph's object gateway) for all tests of this process: started when the first test asks for it, ended
// after the last one, or by its watcher when this process is killed. Each test takes buckets of its own.

import { execFile, execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { inProject } from "./projectRoot.js";

export interface S3User {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface S3ServerOptions {
  /** bluestore keeps objects on disk; memory is faster and holds 8 GiB. Default: memstore. */
  store?: "memstore" | "bluestore";
}

const run = promisify(execFile);
const script = inProject("test", "fixtures", "cephGateway.sh");

export class S3Server {
  /** `http://127.0.0.1:PORT`; the same after killGateway and resume. */
  readonly endpoint: string;
  readonly region: string;
  /** Owns every bucket made here. */
  readonly admin: S3User;
  /** A second user, who may do nothing but what a bucket policy allows. */
  readonly runner: S3User;
  readonly #folder: string;
  #buckets = 0;
  #stopped = false;

  constructor(folder: string, settings: Record<string, string>) {
    this.#folder = folder;
    this.endpoint = settings.S3_ENDPOINT!;
    this.region = settings.S3_REGION!;
    this.admin = { accessKeyId: settings.S3_ACCESS_KEY!, secretAccessKey: settings.S3_SECRET_KEY! };
    this.runner = { accessKeyId: settings.S3_RUNNER_ACCESS_KEY!, secretAccessKey: settings.S3_RUNNER_SECRET_KEY! };
  }

  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    const folder = await mkdtemp(join(tmpdir(), "reprise-ceph-"));
    const args = ["start", folder, "--owner", String(process.pid), "--store", options.store ?? "memstore"];
    try {
      const { stdout } = await run(script, args);
      const server = new S3Server(folder, readSettings(stdout));
      process.once("exit", () => server.stop());
      return server;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A client of the SDK as `user`, for what the product does not do: policies, versions, foreign objects. */
  client(user: S3User = this.admin): S3Client {
    return new S3Client({
      endpoint: this.endpoint,
      region: this.region,
      forcePathStyle: true,
      credentials: user,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }

  /** The name of a bucket that nobody has used. It does not exist yet. */
  freshName(): string {
    return `test-${process.pid}-${++this.#buckets}`;
  }

  /** A fresh, empty bucket of the admin. It goes with the server. */
  async newBucket(): Promise<string> {
    const name = this.freshName();
    const client = this.client();
    try {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    } finally {
      client.destroy();
    }
    return name;
  }

  /** What a user writes to name a repository in `bucket`. */
  location(bucket: string, prefix = ""): string {
    return `s3:${this.endpoint}/${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  }

  /** Environment variables that make the SDK's credential chain find `user`, and no file of this machine. */
  environment(user: S3User = this.admin): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: user.accessKeyId,
      AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
      AWS_REGION: this.region,
      AWS_CONFIG_FILE: join(this.#folder, "no-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(this.#folder, "no-credentials"),
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  /** SIGKILL for the gateway: connections break, what was acknowledged stays. */
  async killGateway(): Promise<void> {
    await run(script, ["kill-gateway", this.#folder]);
  }

  /** Brings back what does not run, at the same endpoint. */
  async resume(): Promise<void> {
    await run(script, ["resume", this.#folder]);
  }

  /** Ends the daemons and removes their files. May be called twice; synchronous, so that it works while a process ends. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    execFileSync(script, ["stop", this.#folder], { stdio: "ignore" });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function readSettings(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

let shared: Promise<S3Server> | undefined;

/** The server that all tests of this process share. The first call takes about 15 s: give the hook 120 s. */
export function sharedS3Server(): Promise<S3Server> {
  // once more: a port that was free may be taken by the time that a daemon asks for it
  shared ??= S3Server.start().catch(() => S3Server.start());
  return shared;
}

// Outside of every `describe`, this is a hook of the whole run. Not everything that imports this file runs under mocha.
if (typeof globalThis.after === "function") {
  globalThis.after(async function stopSharedS3Server() {
    this.timeout(60_000);
    const server = await shared?.catch(() => undefined);
    server?.stop();
  });
}
