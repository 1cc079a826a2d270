// The command line on an S3 server that refuses: expired tokens, one verb that is not allowed, no space, no conditional puts,
// old listings, lost connections. Clear errors, nothing finished is lost, and no secret in any output.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import {
  type ChooseFault,
  type DeliveredRequest,
  type HttpAnswer,
  NO_FAULTS,
  type ProxiedRequest,
} from "../support/faultProxy/fault.js";
import { staleListings } from "../support/faultProxy/faultSchedule.js";
import { s3Error } from "../support/faultProxy/httpExchange.js";
import { HttpFaultProxy } from "../support/faultProxy/httpFaultProxy.js";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson } from "./runInProcess.js";

interface Refusal {
  exit: number;
  code: string;
  message: string;
  hint: string | null;
}

const TOKEN = "canary0TOKEN0canary0TOKEN0canary0TOKEN0canary";

describe("command line on S3 in trouble", function () {
  this.timeout(180_000);
  this.slow(20_000);
  let server: S3Server;
  let proxy: HttpFaultProxy;
  let folder: TemporaryFolder;
  let bucket: string;
  let env: Record<string, string>;
  let disk: string;
  let secrets: string[];
  let said = "";
  const environmentBefore = { ...process.env };

  before(async () => {
    server = await sharedS3Server();
    proxy = await HttpFaultProxy.start(server.endpoint);
    folder = await makeTemporaryFolder("cli-s3-trouble");
    bucket = await server.newBucket();
    // The SDK's credential chain reads the environment of the process, also in worker threads.
    Object.assign(process.env, server.environment());
    const passphrase = `canary ${randomBytes(8).toString("hex")}`;
    const keyFile = join(folder.path, "recovery-key.txt");
    env = { REPRISE_REPOSITORY: location("trouble"), REPRISE_PASSPHRASE: passphrase };
    await cliJson(["init", "--pack-size", "1M", "--recovery-key-file", keyFile], { env });
    const recoveryKey = (await readFile(keyFile, "utf8")).trim();
    // Opens the repository without the time that guessing passphrases shall take.
    env = { REPRISE_REPOSITORY: location("trouble"), REPRISE_RECOVERY_KEY: recoveryKey };
    secrets = [passphrase, recoveryKey, server.admin.secretAccessKey, TOKEN, "Signature="];
    disk = join(folder.path, "web1.img");
    await writeFile(disk, randomBytes(3_000_000));
    await cliJson(["backup", disk, "-g", "vm/web1"], { env });
  });
  afterEach(async () => {
    proxy.schedule(NO_FAULTS);
    const printed = secrets.find((secret) => said.includes(secret));
    assert.equal(
      printed,
      undefined,
      `a secret was printed: ${said.slice(said.indexOf(printed!) - 500).slice(0, 1000)}`,
    );
    assert.equal((await run("verify", "--read-data")).exit, 0, "what was finished is whole");
    const { snapshotId } = await cliJson<{ snapshotId: string }>(["backup", disk, "-g", "vm/web1"], { env });
    const to = join(folder.path, `${snapshotId}.raw`);
    await cliJson(["restore", snapshotId, "--to", to], { env });
    assert.ok((await readFile(to)).equals(await readFile(disk)), "the next backup works at once");
  });
  after(async () => {
    for (const name of [...Object.keys(server.environment()), "AWS_SESSION_TOKEN"]) {
      if (environmentBefore[name] === undefined) delete process.env[name];
      else process.env[name] = environmentBefore[name];
    }
    await proxy.close();
    await folder.remove();
  });

  function location(prefix: string): string {
    return `s3:${proxy.endpoint}/${bucket}/${prefix}?timeout=30`;
  }

  async function run(...args: string[]): Promise<Refusal> {
    const { code: exit, stdout, stderr } = await cli([...args, "--json"], { env: { ...env, REPRISE_DEBUG: "1" } });
    said += stdout + stderr;
    const { error } = JSON.parse(stdout) as { error?: Omit<Refusal, "exit"> };
    return { exit, code: error?.code ?? "", message: error?.message ?? "", hint: error?.hint ?? null };
  }

  async function runWith(choose: ChooseFault, ...args: string[]): Promise<Refusal> {
    proxy.schedule(choose);
    const refusal = await run(...args);
    proxy.schedule(NO_FAULTS);
    return refusal;
  }

  async function changeDisk(): Promise<void> {
    await writeFile(disk, randomBytes(3_000_000));
  }

  it("an expired token, from the beginning and in the middle of a backup", async () => {
    const answer = s3Error(400, "ExpiredToken");
    // Servers name the token that they refuse.
    const text = new TextDecoder().decode(answer.body).replace("<Message>", `<Message>The token ${TOKEN} has expired `);
    const body = new TextEncoder().encode(text);
    const telling = { status: 400, headers: ["Content-Length", String(body.length)], body };
    const tells: ChooseFault = () => ({ kind: "answer", from: async () => telling });
    const atOnce = await withToken(() => runWith(tells, "backup", disk, "-g", "vm/web1"));
    assert.deepEqual([atOnce.exit, atOnce.code], [2, "S3_TOKEN_EXPIRED"]);
    assert.match(atOnce.message, /The token \(hidden\) has expired/);
    assert.match(atOnce.hint ?? "", /new temporary credentials/);
    const expiresAt =
      (first: number): ChooseFault =>
      ({ number }) =>
        number < first ? { kind: "none" } : { kind: "refuse", status: 400, code: "ExpiredToken" };
    for (const first of [4, 8, 12]) {
      await changeDisk();
      const later = await runWith(expiresAt(first), "backup", disk, "-g", "vm/web1");
      assert.match(later.code, /^(S3_TOKEN_EXPIRED|COMMIT_UNCERTAIN)$/);
    }
    assert.equal((await runWith(expiresAt(10), "gc", "--fence-after", "0s")).code, "S3_TOKEN_EXPIRED");
  });

  /** With the token, so that the client knows what must not be repeated; the gateway would not take it. */
  async function withToken<T>(act: () => Promise<T>): Promise<T> {
    process.env.AWS_SESSION_TOKEN = TOKEN;
    try {
      return await act();
    } finally {
      delete process.env.AWS_SESSION_TOKEN;
    }
  }

  const isPut = ({ method }: ProxiedRequest) => method === "PUT";
  const isGet = ({ method, isList }: ProxiedRequest) => method === "GET" && !isList;
  const isDelete = ({ method }: ProxiedRequest) => method === "DELETE" || method === "POST";
  const verbs: [string, (request: ProxiedRequest) => boolean, string[][]][] = [
    ["s3:PutObject", isPut, [["backup", "DISK", "-g", "vm/web1"], ["gc"], ["prune", "--keep-last", "1", "--confirm"]]],
    ["s3:GetObject", isGet, [["backup", "DISK", "-g", "vm/web1"], ["gc"], ["verify"]]],
    ["s3:ListBucket", ({ isList }) => isList, [["backup", "DISK", "-g", "vm/web1"], ["gc"], ["snapshots"]]],
    ["s3:DeleteObject", isDelete, [["gc"]]],
  ];
  for (const [verb, matches, commands] of verbs) {
    it(`no permission for ${verb} only`, async () => {
      await changeDisk();
      await cliJson(["backup", disk, "-g", "vm/web1"], { env });
      for (const command of commands) {
        const args = command.map((word) => (word === "DISK" ? disk : word));
        const denied: ChooseFault = (request) =>
          matches(request) ? { kind: "refuse", status: 403, code: "AccessDenied" } : { kind: "none" };
        const refusal = await runWith(denied, ...args);
        assert.deepEqual([refusal.exit, refusal.code], [2, "STORAGE_ACCESS_DENIED"], `${args}: ${refusal.message}`);
        assert.ok(refusal.message.includes(verb), refusal.message);
        assert.ok(refusal.hint?.includes(`allow ${verb}`), String(refusal.hint));
      }
    });
  }

  it("a backup needs no permission to delete", async () => {
    const denied: ChooseFault = (request) =>
      isDelete(request) ? { kind: "refuse", status: 403, code: "AccessDenied" } : { kind: "none" };
    await changeDisk();
    assert.equal((await runWith(denied, "backup", disk, "-g", "vm/web1")).code, "");
  });

  for (const [status, code] of [
    [507, "InsufficientStorage"],
    [403, "QuotaExceeded"],
  ] as const) {
    it(`a server that is full (${status} ${code}) at a put of a backup, and of a gc`, async () => {
      // The announcement and packs. A commit without space is asked again for a minute and a half.
      for (const first of [1, 2, 3]) {
        await changeDisk();
        let puts = 0;
        const full: ChooseFault = (request) =>
          isPut(request) && ++puts >= first ? { kind: "refuse", status, code } : { kind: "none" };
        const refusal = await runWith(full, "backup", disk, "-g", "vm/web1");
        assert.deepEqual([refusal.exit, refusal.code], [2, "STORAGE_FULL"], refusal.message);
        assert.match(refusal.hint ?? "", /reprise prune and reprise gc/);
      }
      const full: ChooseFault = (request) => (isPut(request) ? { kind: "refuse", status, code } : { kind: "none" });
      assert.equal((await runWith(full, "gc")).code, "STORAGE_FULL");
    });
  }

  it("a storage that ignores If-None-Match takes backups, and gc refuses", async () => {
    const client = server.client();
    try {
      const unconditional = async ({ key, headers, body }: DeliveredRequest): Promise<HttpAnswer> => {
        const mark = headers[headers.findIndex((name) => name.toLowerCase() === "x-amz-meta-reprise-put") + 1]!;
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, Metadata: { "reprise-put": mark } }),
        );
        return { status: 200, headers: ["Content-Length", "0"], body: new Uint8Array() };
      };
      const forgetful: ChooseFault = ({ isConditional }) =>
        isConditional ? { kind: "answer", from: unconditional } : { kind: "none" };
      await changeDisk();
      assert.equal((await runWith(forgetful, "backup", disk, "-g", "vm/web1")).exit, 0);
      assert.equal((await runWith(forgetful, "verify", "--read-data")).exit, 0);
      const refused = await runWith(forgetful, "gc");
      assert.deepEqual([refused.exit, refused.code], [2, "GC_PROBE_FAILED"]);
      assert.match(refused.message, /a second conditional put of the same name was accepted/);
      assert.match(refused.hint ?? "", /backups and restores work here/);
    } finally {
      client.destroy();
    }
  });

  it("a storage that always lists what was there before takes backups, and gc refuses", async () => {
    await changeDisk();
    assert.equal((await runWith(staleListings, "backup", disk, "-g", "vm/web1")).exit, 0);
    const refused = await runWith(staleListings, "gc");
    assert.deepEqual([refused.exit, refused.code], [2, "GC_PROBE_FAILED"]);
    assert.match(refused.message, /a listing does not show an object that was just put/);
  });

  it("nobody notices a connection that is lost once, whichever request it hits", async () => {
    for (let k = 1, last = 1; k <= last; k += 3) {
      await changeDisk();
      const lost: ChooseFault = ({ number }) => {
        if (number !== k) return { kind: "none" };
        return k % 2 === 0 ? { kind: "reset" } : { kind: "lose answer" };
      };
      assert.equal((await runWith(lost, "backup", disk, "-g", "vm/web1")).exit, 0);
      last = Math.max(last, 12);
    }
  });
});
