import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { folder, objectName } from "../../core/format/ids.js";
import { openWithKeyring } from "../../core/repository/openRepository.js";
import { WriterSession } from "../../core/repository/session.js";
import type { Backend } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { sampleDisk } from "../crash/crashed.js";
import { assertCode } from "../support/assertCode.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { listKeys } from "../support/listing.js";
import { TestRepository } from "../support/testRepository.js";

const DAY = 86_400_000;

describe("writer session", function () {
  this.timeout(30_000);
  const purpose = { purpose: "backup", group: "vm/web" };

  it("stops itself after 30 days: no pack and no commit", async () => {
    const made = await TestRepository.make({ encrypted: false });
    const session = await WriterSession.open(made.repository, { ...purpose, ...made.options });
    const manifest = await made.backUp("vm/other", { disk: sampleDisk(1) });
    made.environment.nowMs += 31 * DAY;
    const pack = { name: "x" as never, bytes: new Uint8Array(1), blobCount: 0, entries: new Uint8Array(0) };
    await assertCode(session.putPack(pack), "SESSION_TOO_OLD");
    await assertCode(session.commit({ ...manifest, sid: session.sid }), "SESSION_TOO_OLD");
    assert.equal(await session.abandon("too old"), "abandoned");
    assert.equal((await made.catalog()).snapshots.length, 1);
  });

  it("is decided when it could not begin, so that no collection waits for it", async () => {
    const made = await TestRepository.make();
    const faulty = new FaultyBackend(made.backend);
    const repository = await made.reopen({ backend: faulty });
    faulty.fail("list", { kind: "before", key: folder.packs });
    await assertCode(repository.backUp("vm/web", { disk: sampleDisk(1) }), "STORAGE_FAILED");
    faulty.assertAllReached();
    assert.deepEqual(await listKeys(made.backend, folder.sessions), []);
    assert.equal((await listKeys(made.backend, folder.snapshots)).length, 1, "VOID");
  });

  it("beats while it lives, and never after its end", async () => {
    const memory = new MemoryBackend();
    const made = await TestRepository.make({ backend: memory, encrypted: false });
    const beats: string[] = [];
    const slow = Object.assign(Object.create(memory) as Backend, {
      put: async (key: string, bytes: Uint8Array) => {
        if (key.startsWith(folder.sessions)) {
          beats.push(key);
          if (beats.length > 1) await wait(20);
        }
        await memory.put(key, bytes);
      },
      get: (...args: Parameters<Backend["get"]>) => memory.get(...args),
      stat: (...args: Parameters<Backend["stat"]>) => memory.stat(...args),
      putIfAbsent: (...args: Parameters<Backend["putIfAbsent"]>) => memory.putIfAbsent(...args),
      list: (...args: Parameters<Backend["list"]>) => memory.list(...args),
      delete: (...args: Parameters<Backend["delete"]>) => memory.delete(...args),
    });
    const environment = {
      now: made.environment.now,
      random: made.environment.random,
      host: "h",
      tool: made.environment.tool,
      heartbeatMs: 5,
    };
    const repository = openWithKeyring(slow, made.repository.config, null, { environment, cacheFolder: null });
    const session = await WriterSession.open(repository, { ...purpose, ...made.options });
    while (beats.length < 3) await wait(5);
    await session.abandon("test"); // a beat is on its way now
    const sent = beats.length;
    await wait(60);
    assert.equal(beats.length, sent);
    assert.ok(beats.every((key) => key === objectName.session(session.sid)));
    assert.deepEqual(await listKeys(memory, folder.sessions), []);
  });
});
