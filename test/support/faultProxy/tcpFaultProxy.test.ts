// Each fault of the proxy between the SFTP backend and a real sshd: the faults happen, and the backend copes with them.

import assert from "node:assert/strict";
import type { Backend } from "../../../core/storage/backend.js";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { listKeys } from "../listing.js";
import { noise } from "../sampleBytes.js";
import { type SshServer, sshServer } from "../sshServer.js";
import { type TcpFault, TcpFaultProxy } from "./tcpFaultProxy.js";

const BYTES = noise(1, 200_000);

describe("fault proxy in front of an SSH server", function () {
  this.timeout(60_000);
  let server: SshServer;
  let proxy: TcpFaultProxy;
  let root: string;

  before(async () => {
    server = await sshServer();
  });
  beforeEach(async () => {
    proxy = await TcpFaultProxy.start(server.port);
    root = server.newRoot();
  });
  afterEach(() => proxy.close());

  function open(idleTimeoutMs?: number): Promise<Backend> {
    const location = server.location(root).replace(`:${server.port}/`, `:${proxy.port}/`);
    return openSftpBackend(location, { idleTimeoutMs });
  }

  async function work(backend: Backend): Promise<void> {
    await backend.put("packs/a", BYTES);
    assert.equal(await backend.putIfAbsent("snapshots/a", BYTES), "created");
    assert.equal(await backend.putIfAbsent("snapshots/a", BYTES), "exists");
    assert.deepEqual(await backend.get("packs/a"), BYTES);
    assert.deepEqual(await listKeys(backend), ["packs/a", "snapshots/a"]);
    await backend.delete("packs/a");
  }

  const survived: [string, TcpFault][] = [
    ["a line cut on the way up", { kind: "cut", direction: "up", afterBytes: 60_000 }],
    ["a line cut on the way down", { kind: "cut", direction: "down", afterBytes: 60_000 }],
    ["a stream that ends early", { kind: "truncate", afterBytes: 60_000 }],
    ["a slow line", { kind: "slow", everyMs: 1 }],
    ["bytes that arrive when the client has given up", { kind: "hold back", afterBytes: 60_000, ms: 500 }],
  ];
  for (const [name, fault] of survived) {
    it(`operations survive ${name}`, async () => {
      proxy.schedule((number) => (number === 1 ? fault : { kind: "none" }));
      const backend = await open();
      try {
        await work(backend);
      } finally {
        await backend.close();
      }
      assert.equal(proxy.counts.get(fault.kind), 1, "the fault happened");
    });
  }

  it("a line that falls silent ends in bounded time, and another one works", async () => {
    proxy.schedule((number) => (number === 1 ? { kind: "stall", afterBytes: 20_000 } : { kind: "none" }));
    const backend = await open(2500);
    try {
      const started = performance.now();
      await assert.rejects(work(backend), /did not answer/);
      assert.ok(performance.now() - started < 120_000);
      await backend.delete("snapshots/a");
      await work(backend);
    } finally {
      await backend.close();
    }
    assert.equal(proxy.counts.get("stall"), 1);
  });
});
