// The command line on a real S3 server, from init to gc, with worker threads that open their own clients.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson } from "./runInProcess.js";

interface TrafficDocument {
  requests: Record<string, number>;
  bytesUp: number;
  bytesDown: number;
}

describe("command line on S3, in a bucket with versions", function () {
  this.timeout(120_000);
  let server: S3Server;
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  let disk: string;
  const before_ = { ...process.env };
  const json = <T = Record<string, unknown>>(...args: string[]) => cliJson<T>(args, { env });

  before(async () => {
    server = await sharedS3Server();
    folder = await makeTemporaryFolder("cli-s3");
    // The SDK's credential chain reads the environment of the process, also in worker threads.
    Object.assign(process.env, server.environment());
    const location = server.location(server.freshName(), "machines/web");
    env = { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: "a long passphrase", REPRISE_CACHE_DIR: folder.path };
    disk = join(folder.path, "web1.img");
    await writeFile(disk, Buffer.concat([randomBytes(9_000_000), Buffer.alloc(5_000_000), randomBytes(700_000)]));
  });
  after(async () => {
    for (const name of Object.keys(server.environment())) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await folder.remove();
  });

  it("init needs a bucket, or --create-bucket", async () => {
    const refused = await cli(["init"], { env });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /there is no bucket[\s\S]*--create-bucket/);
    const made = await json<{ repository: string; warnings: unknown[] }>(
      "init",
      "--create-bucket",
      "--pack-size",
      "4M",
    );
    assert.equal(made.repository, env.REPRISE_REPOSITORY);
    const client = server.client();
    const Bucket = new URL(made.repository.slice("s3:".length)).pathname.split("/")[1];
    assert.equal((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
    client.destroy();
  });

  it("backs up, and says what that took", async () => {
    const first = await json<{ traffic: TrafficDocument; bytesStored: number }>("backup", disk, "-g", "vm/web1");
    assert.ok(first.traffic.bytesUp >= first.bytesStored);
    assert.ok((first.traffic.requests.PUT ?? 0) >= 5, "announcement, packs, index, snapshot");
    const again = await json<{ traffic: TrafficDocument; bytesNew: number }>("backup", disk, "-g", "vm/web1");
    assert.equal(again.bytesNew, 0);
    assert.equal(again.traffic.requests.PUT, 2, "announcement and snapshot");
    // six without versions; besides, whose version of the config and of the snapshot is the first
    assert.ok((again.traffic.requests.LIST ?? 0) <= 8, JSON.stringify(again.traffic));
    const text = await cli(["backup", disk, "-g", "vm/web1"], { env });
    assert.match(text.stdout + text.stderr, /network \d+ requests \(.*PUT 2\)/);
  });

  it("verifies and restores in worker threads", async () => {
    const report = await json<{ damaged?: unknown }>("verify", "--read-data");
    assert.ok(report);
    const to = join(folder.path, "restored.raw");
    await json("restore", "vm/web1@latest", "--to", to);
    assert.ok((await readFile(to)).equals(await readFile(disk)));
    const streamed = await cli(["restore", "vm/web1@latest", "--to", "-"], { env });
    assert.ok(Buffer.from(streamed.output).equals(await readFile(disk)));
  });

  it("forgets and collects", async () => {
    const snapshots = await json<{ snapshotId: string }[]>("snapshots");
    assert.equal(snapshots.length, 3);
    await json("forget", ...snapshots.map(({ snapshotId }) => snapshotId));
    const report = await json<{ deletedPacks: number }>("gc");
    assert.ok(report.deletedPacks >= 2, JSON.stringify(report));
    assert.deepEqual(await json("snapshots"), []);
  });

  it("refuses bucket options where there is no bucket", async () => {
    const local = { ...env, REPRISE_REPOSITORY: join(folder.path, "local") };
    assert.equal((await cli(["init", "--create-bucket"], { env: local })).code, 64);
    assert.equal((await cli(["init", "--object-lock", "3"], { env })).code, 64);
    assert.equal((await cli(["init", "--create-bucket", "--object-lock", "x"], { env })).code, 64);
  });
});
