// Servers with fewer abilities than OpenSSH's, the probe, and the layout that a local folder shares.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "../../../core/storage/backend.js";
import { openLocalBackend } from "../../../core/storage/localBackend.js";
import { openBackend } from "../../../core/storage/openBackend.js";
import { probeBackend } from "../../../core/storage/probe.js";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { pattern } from "../../conformance/contract.js";
import { assertCode } from "../../support/assertCode.js";
import { listKeys } from "../../support/listing.js";
import { lineWithout } from "../../support/sftpLines.js";
import { type SshServer, sshServer } from "../../support/sshServer.js";

const probed = async (backend: Backend) => {
  const { checks } = await probeBackend(backend, randomBytes(8).toString("hex"));
  return checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
};

describe("SFTP servers", function () {
  this.timeout(60_000);
  let server: SshServer;
  let root: string;
  before(async () => {
    server = await sshServer();
  });
  beforeEach(() => {
    root = server.newRoot();
  });

  for (const transport of ["ssh2", "ssh"] as const) {
    it(`pass the probe over ${transport}`, async () => {
      const backend = await openBackend(server.location(root, { transport }));
      try {
        assert.deepEqual(await probed(backend), []);
        assert.deepEqual(await listKeys(backend), []);
      } finally {
        await backend.close();
      }
    });
  }

  it("without hard links pass it, too, when their rename replaces nothing", async () => {
    const openLine = async () => lineWithout("hardlink@openssh.com");
    const backend = await openSftpBackend(`sftp://h${root}`, { openLine });
    try {
      assert.deepEqual(await probed(backend), []);
      assert.equal(await backend.putIfAbsent("a/b", pattern(10, 1)), "created");
      assert.equal(await backend.putIfAbsent("a/b", pattern(11, 1)), "exists");
      assert.deepEqual(readdirSync(join(root, "tmp")), []);
    } finally {
      await backend.close();
    }
  });

  it("without any extension hold objects; what they cannot do is said", async () => {
    const names = ["hardlink", "posix-rename", "fsync", "statvfs", "limits"].map((name) => `${name}@openssh.com`);
    const backend = await openSftpBackend(`sftp://h${root}`, { openLine: async () => lineWithout(...names) });
    try {
      await backend.put("packs/a", pattern(300_000, 1));
      assert.deepEqual(await backend.get("packs/a"), pattern(300_000, 1));
      await assertCode(backend.put("packs/a", pattern(10, 2)), "STORAGE_FAILED");
      assert.deepEqual(await backend.get("packs/a"), pattern(300_000, 1));
      const failed = await probed(backend);
      assert.equal(failed.length, 1, failed.join("\n"));
      assert.match(failed[0]!, /get-after-overwrite.*posix-rename/);
    } finally {
      await backend.close();
    }
  });

  it("hold a folder that a local repository can be, in turns", async () => {
    const remote = await openBackend(server.location(root));
    const local = await openLocalBackend(root);
    try {
      await remote.put("packs/0a/x", pattern(100, 1));
      await local.put("packs/0a/y", pattern(200, 2));
      assert.equal(await local.putIfAbsent("packs/0a/x", pattern(1, 1)), "exists");
      assert.equal(await remote.putIfAbsent("packs/0a/y", pattern(1, 1)), "exists");
      assert.deepEqual(await local.get("packs/0a/x"), pattern(100, 1));
      assert.deepEqual(await remote.get("packs/0a/y"), pattern(200, 2));
      assert.deepEqual(await listKeys(remote), await listKeys(local));
      const into = new Uint8Array(500);
      const got = await remote.get("packs/0a/y", { into });
      assert.equal(got.buffer, into.buffer);
      assert.deepEqual(got, pattern(200, 2));
    } finally {
      await remote.close();
    }
  });

  it("count requests and contents", async () => {
    const backend = await openBackend(server.location(root));
    try {
      const opening = backend.traffic?.();
      assert.ok(opening !== undefined && (opening.requests.lstat ?? 0) > 0);
      assert.deepEqual([opening.bytesUp, opening.bytesDown, opening.retries], [0, 0, 0]);
      await backend.put("a", pattern(1_000_000, 1));
      await backend.get("a", { range: { offset: 10, length: 300_000 } });
      const { requests, bytesUp, bytesDown } = backend.traffic?.() ?? opening;
      assert.deepEqual([bytesUp, bytesDown], [1_000_000, 300_000]);
      assert.equal(requests.write, 4, "of 255 KiB");
      assert.equal(requests.read, 2);
      assert.equal(requests["posix-rename"], 1);
    } finally {
      await backend.close();
    }
  });

  it("are shown without the options of their location", async () => {
    const location = server.location(root);
    const backend = await openBackend(location);
    try {
      assert.equal(backend.location, location.replace(/\?.*/, ""));
    } finally {
      await backend.close();
    }
  });
});
