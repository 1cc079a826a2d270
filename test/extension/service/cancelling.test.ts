// A random walk over the service's calls, each cancelled at a random moment; and the end of its thread in the middle of calls.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { ServiceClient, ServiceError } from "../../../extension/service/client.js";
import type { Handle } from "../../../extension/service/protocol.js";
import { SPARSE_BYTES } from "../../files/machineDisk.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, SERVICE_SCRIPT, type StartedService, startService } from "../support/startService.js";

const ROUNDS = 40;
const LONGEST_MS = 120;
/** What is restored is there as a whole, or not at all. */
const WHOLE: Record<string, number> = { "data.bin": 3_000_000, "same.bin": 3_000_000, "sparse.bin": SPARSE_BYTES };
const DISK_BYTES = 32 * 1024 * 1024;
const MACHINE = "prod:vm/web1";

/** Numbers from 0 to below 1, the same for one seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("cancelling in the extension's service", () => {
  let sample: SampleRepository;
  let service: StartedService;
  let repository: Handle;
  let outFolders = 0;

  before(async () => {
    sample = await makeSampleRepository();
    service = startService();
    ({ handle: repository } = await service.open(sample.location, SAMPLE_PASSPHRASE));
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
  });

  type Options = { signal: AbortSignal };
  const calls = (): ((options: Options) => Promise<unknown>)[] => {
    const call = service.client.call.bind(service.client);
    const [first, , last] = sample.snapshots;
    const at = (path: string, snapshot: string = first) => ({ repository, snapshot, path });
    const page = { offset: 0, limit: 500 };
    const out = () => join(sample.folder, `out-${outFolders++}`);
    const sides = { before: { snapshot: first, path: "/" }, after: { snapshot: last, path: "/" } };
    return [
      (o) => call("catalog", { repository, refresh: true }, o),
      (o) => call("snapshots", { repository, machine: MACHINE, ...page }, o),
      (o) => call("list", { ...at("/sda/p2/etc", last), ...page }, o),
      (o) => call("names", at("/sda/p2/var/lib"), o),
      (o) => call("stat", at("/etc/hostname"), o),
      (o) => call("readFile", { ...at("/sda/p2/var/lib/data.bin"), maxBytes: 1e8 }, o),
      (o) => call("readRange", { ...at("/sda/p2/var/lib/sparse.bin"), offset: 0, length: 1e7 }, o),
      (o) => call("history", { repository, machine: MACHINE, path: "/etc/nginx/nginx.conf" }, o),
      (o) => call("compare", { repository, ...sides }, o),
      (o) => call("restoreFiles", { ...at("/sda/p2/var"), to: out(), existing: "refuse" }, o),
      (o) =>
        call(
          "restoreDisks",
          {
            ...{ repository, snapshot: first, disk: "sda", to: `${out()}.raw`, format: "raw" },
            ...{ replace: false, skipDamaged: false },
          },
          o,
        ),
      (o) => call("verify", { repository, snapshot: last, readData: true }, o),
      (o) => call("overview", { repository }, o),
    ];
  };

  it("leaves a service that answers, and nothing open or half written", async function () {
    this.timeout(180_000);
    const seed = Number(process.env.REPRISE_SEED ?? 20261122);
    const random = randomFrom(seed);
    const run = async (make: (options: Options) => Promise<unknown>, afterMs: number) => {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), afterMs);
      try {
        await make({ signal: abort.signal });
      } catch (error) {
        assert.ok((error as Error).name === "AbortError", `seed ${seed}: ${String(error)}`);
      } finally {
        clearTimeout(timer);
      }
    };
    const pick = () => calls()[Math.floor(random() * calls().length)] as (options: Options) => Promise<unknown>;
    for (const call of calls()) await run(call, 60_000);
    const handlesBefore = openHandles();
    for (let round = 0; round < ROUNDS; round++) {
      const several = Array.from({ length: 1 + Math.floor(random() * 4) }, () => run(pick(), random() * LONGEST_MS));
      await Promise.all(several);
    }
    const bytes = await service.client.call("readFile", {
      ...{ repository, snapshot: sample.snapshots[2], path: "/sda/p2/etc/hostname", maxBytes: 100 },
    });
    assert.equal(bytes.length, 5);
    await untilQuiet(() => openHandles() <= handlesBefore + 2, `seed ${seed}: ${handlesBefore} handles before`);
    assert.deepEqual(childProcesses(), []);
    const top = await readdir(sample.folder);
    for (const name of top.filter((each) => /^out-\d+$/.test(each))) {
      // with types: otherwise links are followed
      const entries = await readdir(join(sample.folder, name), { recursive: true, withFileTypes: true });
      for (const { name, parentPath } of entries.filter((entry) => entry.isFile()))
        assert.equal((await stat(join(parentPath, name))).size, WHOLE[name], `seed ${seed}: ${name}`);
    }
    for (const name of top.filter((each) => /^out-\d+\.raw$/.test(each)))
      assert.equal((await stat(join(sample.folder, name))).size, DISK_BYTES, `seed ${seed}: ${name}`);
    assert.equal(service.stopped.length, 0);
  });

  it("ends what waits when its thread is killed among calls, and the next use starts anew", async () => {
    const flag = join(sample.folder, "die");
    const script = `import { existsSync } from "node:fs";
import ${JSON.stringify(pathToFileURL(SERVICE_SCRIPT).href)};
setInterval(() => existsSync(${JSON.stringify(flag)}) && process.exit(9), 20).unref();`;
    const stopped: ServiceError[] = [];
    const client = new ServiceClient(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
      onWarning: () => {},
      onStopped: (error) => void stopped.push(error),
    });
    const argument = { location: sample.location, secret: SAMPLE_PASSPHRASE, cacheFolder: null, stateFolder: null };
    try {
      const { handle } = await client.call("openRepository", argument);
      const to = join(sample.folder, "killed.raw");
      const what = { snapshot: sample.snapshots[0], disk: "sda", to, format: "raw", replace: false } as const;
      const waiting: Promise<unknown>[] = [];
      setTimeout(() => void writeFile(flag, ""), 50);
      const ask = () => client.call("catalog", { repository: handle, refresh: true });
      waiting.push(client.call("restoreDisks", { repository: handle, ...what, skipDamaged: false }).catch(String));
      for (const endMs = Date.now() + 10_000; stopped.length === 0 && Date.now() < endMs; ) {
        const answer = await ask().catch((error: unknown) => error);
        if (answer instanceof Error) assert.ok(answer instanceof ServiceError && answer.code === "SERVICE_STOPPED");
      }
      await Promise.all(waiting);
      assert.equal(stopped.length, 1);
      await rm(flag);
      await failure(ask(), "SERVICE_HANDLE_CLOSED");
      const again = await client.call("openRepository", argument);
      assert.equal((await client.call("catalog", { repository: again.handle })).snapshots, 4);
    } finally {
      await client.close();
    }
  });

  it("hands over what was started just before its call was cancelled, so that it can be stopped", async () => {
    const abort = new AbortController();
    const late: number[] = [];
    const argument = { repository, snapshot: sample.snapshots[0] };
    const onLate = ({ server }: { server: number }) => void late.push(server);
    const call = service.client.call("startNbd", argument, { signal: abort.signal, onLate });
    // the answer comes while this thread does not listen
    for (const endMs = Date.now() + 5000; nbdSockets().length === 0 && Date.now() < endMs; );
    for (const endMs = Date.now() + 500; Date.now() < endMs; );
    abort.abort();
    await assert.rejects(call, { name: "AbortError" });
    for (const endMs = Date.now() + 10_000; late.length === 0 && Date.now() < endMs; await sleep(20));
    assert.equal(late.length, 1);
    await service.client.call("stopNbd", { server: late[0] ?? 0 });
    assert.deepEqual(nbdSockets(), []);
  });

  it("ends what runs before it goes, so that nothing half written is left", async () => {
    const other = startService();
    const { handle } = await other.open(sample.location, SAMPLE_PASSPHRASE);
    await other.client.call("startNbd", { repository: handle, snapshot: sample.snapshots[0] });
    const to = join(sample.folder, "closing.raw");
    const what = { snapshot: sample.snapshots[0], disk: "sda", to, format: "raw", replace: false } as const;
    const argument = { repository: handle, ...what, skipDamaged: false };
    const isWriting = Promise.withResolvers<void>();
    const restoring = other.client.call("restoreDisks", argument, { onProgress: () => isWriting.resolve() });
    const ended = assert.rejects(restoring, { code: "SERVICE_STOPPED" });
    await Promise.race([isWriting.promise, ended]);
    await other.client.close();
    await ended;
    assert.deepEqual(nbdSockets(), []);
    const left = (await readdir(sample.folder)).filter((name) => name.includes("closing"));
    for (const name of left) assert.equal((await stat(join(sample.folder, name))).size, DISK_BYTES, name);
  });

  it("goes on after a message that cannot be sent", async () => {
    const argument = { repository, machine: () => {} } as never;
    await assert.rejects(service.client.call("snapshots", argument), { name: "DataCloneError" });
    for (const nonsense of [undefined, null, 5, "x", [], { repository: {} }, { repository, path: 5, snapshot: [] }])
      for (const method of ["list", "stat", "names", "readFile", "history", "compare", "changes", "snapshots"] as const)
        await assert.rejects(service.client.call(method, nonsense as never), Error);
    assert.equal((await service.client.call("catalog", { repository })).machines.length, 2);
  });
});

/** Sockets of NBD servers that this process has open; the list of the system has those of others, too. */
function nbdSockets(): string[] {
  const own = new Set(readdirSync("/proc/self/fd").map(socketOf));
  const all = readFileSync("/proc/self/net/unix", "utf8").split("\n");
  return all.filter((line) => line.endsWith("/nbd.sock") && own.has(line.trim().split(/\s+/)[6]));
}

/** Its inode; undefined: no socket, or closed by now. */
function socketOf(fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined;
  }
}

function openHandles(): number {
  return readdirSync("/proc/self/fd").length;
}

function childProcesses(): string[] {
  const text = execFileSync("ps", ["-o", "pid=,comm=", "--ppid", String(process.pid)], { encoding: "utf8" });
  return text.split("\n").filter((line) => line.trim() !== "" && !/\bps$/.test(line));
}

async function untilQuiet(isQuiet: () => boolean, message: string): Promise<void> {
  for (const endMs = Date.now() + 10_000; !isQuiet(); await sleep(50))
    if (Date.now() > endMs) assert.fail(`${message}, ${openHandles()} now`);
}
