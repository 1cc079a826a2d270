// A probe is worth what it catches: each broken promise here is one that a real storage has been seen to break.

import assert from "node:assert/strict";
import { isAbort, isOurError } from "../../core/errors.js";
import type { Backend, ByteRange, ObjectInfo } from "../../core/storage/backend.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { type ProbeCheckName, probeBackend } from "../../core/storage/probe.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { listKeys } from "../support/listing.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

const RANDOM = "0123456789abcdef0123456789abcdef";
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

class IgnoresCondition extends MemoryBackend {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    await this.put(key, bytes);
    return "created";
  }
}

class ReplacesThenRefuses extends MemoryBackend {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const exists = this.snapshotState().has(key);
    await this.put(key, bytes);
    return exists ? "exists" : "created";
  }
}

class ChecksThenWrites extends MemoryBackend {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    if (this.snapshotState().has(key)) return "exists";
    await turn();
    await this.put(key, bytes);
    return "created";
  }
}

class MixesWinners extends MemoryBackend {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const outcome = await super.putIfAbsent(key, bytes);
    if (outcome === "exists" && key.endsWith("race")) await this.put(key, bytes);
    return outcome;
  }
}

class ListsLate extends MemoryBackend {
  override async *list(): AsyncIterable<ObjectInfo> {}
}

class ListsWrongSizes extends MemoryBackend {
  override async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const info of super.list(prefix)) yield { ...info, sizeBytes: info.sizeBytes + 1 };
  }
}

class ListsDeleted extends MemoryBackend {
  readonly #deleted = new Map<string, ObjectInfo>();
  override async delete(key: string): Promise<void> {
    this.#deleted.set(key, await this.stat(key));
    await super.delete(key);
  }
  override async *list(prefix: string): AsyncIterable<ObjectInfo> {
    yield* super.list(prefix);
    yield* this.#deleted.values();
  }
}

class CachesGets extends MemoryBackend {
  readonly #cache = new Map<string, Uint8Array>();
  override async put(key: string, bytes: Uint8Array): Promise<void> {
    await super.put(key, bytes);
    if (!this.#cache.has(key)) this.#cache.set(key, bytes.slice());
  }
  override async get(key: string, options?: { range?: ByteRange }): Promise<Uint8Array> {
    return options?.range === undefined ? this.#cache.get(key)! : await super.get(key, options);
  }
}

class IgnoresRanges extends MemoryBackend {
  override get(key: string): Promise<Uint8Array> {
    return super.get(key);
  }
}

class SuffixFromStart extends MemoryBackend {
  override get(key: string, options: { range?: ByteRange } = {}): Promise<Uint8Array> {
    const { range } = options;
    return super.get(key, range && range.offset < 0 ? { range: { offset: 0, length: -range.offset } } : options);
  }
}

describe("probe", () => {
  it("finds nothing wrong with memory and a local folder, and leaves nothing behind", async () => {
    const folder = await makeTemporaryFolder("probe");
    for (const backend of [new MemoryBackend(), await openLocalBackend(folder.path)]) {
      await backend.put("config", new Uint8Array(1));
      const result = await probeBackend(backend, RANDOM);
      assert.deepEqual(
        result.checks.filter(({ ok }) => !ok),
        [],
      );
      assert.equal(result.ok, true);
      assert.equal(result.checks.length, 7);
      assert.deepEqual(await listKeys(backend), ["config"]);
    }
    await folder.remove();
  });

  const liars: [string, () => Backend, ProbeCheckName[]][] = [
    ["ignores the condition", () => new IgnoresCondition(), ["put-if-absent", "put-if-absent-race"]],
    ["refuses, yet replaces", () => new ReplacesThenRefuses(), ["put-if-absent", "put-if-absent-race"]],
    ["checks first and writes later", () => new ChecksThenWrites(), ["put-if-absent-race"]],
    ["keeps a loser's bytes", () => new MixesWinners(), ["put-if-absent-race"]],
    ["lists late", () => new ListsLate(), ["list-after-put"]],
    ["lists wrong sizes", () => new ListsWrongSizes(), ["list-after-put"]],
    ["lists what was deleted", () => new ListsDeleted(), ["list-after-delete"]],
    ["answers get from a cache", () => new CachesGets(), ["get-after-overwrite"]],
    ["ignores ranges", () => new IgnoresRanges(), ["range"]],
    ["takes a suffix for a start", () => new SuffixFromStart(), ["range"]],
  ];
  for (const [name, make, expected] of liars) {
    it(`notices a storage that ${name}`, async () => {
      const backend = make();
      const result = await probeBackend(backend, RANDOM);
      assert.deepEqual(
        result.checks.filter(({ ok }) => !ok).map((check) => check.name),
        expected,
      );
      assert.equal(result.ok, false);
    });
  }

  it("reports errors of the storage as failed checks", async () => {
    const memory = new MemoryBackend();
    const backend = new FaultyBackend(memory)
      .fail("putIfAbsent", { kind: "before", times: 2 })
      .fail("get", { kind: "flip", key: /read$/ })
      .fail("get", { kind: "short", key: /range$/ })
      .fail("list", { kind: "after", skip: 1 });
    const result = await probeBackend(backend, RANDOM);
    const failed = result.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    const expected = ["put-if-absent", "put-if-absent-race", "get-after-put", "range", "list-after-delete"];
    assert.deepEqual(failed, expected);
    assert.match(result.checks[0]!.detail, /failed on order/);
    assert.deepEqual(await listKeys(memory), []);
    backend.assertAllReached();
  });

  it("passes an abort on, after removing what it made", async () => {
    const memory = new MemoryBackend();
    const controller = new AbortController();
    const backend = new FaultyBackend(memory);
    const get = backend.get.bind(backend);
    backend.get = async (key, options) => {
      if (key.endsWith("race")) controller.abort();
      return await get(key, options);
    };
    await assert.rejects(probeBackend(backend, RANDOM, { signal: controller.signal }), isAbort);
    assert.deepEqual(await listKeys(memory), []);
    await assert.rejects(probeBackend(backend, RANDOM, { signal: AbortSignal.abort() }), isAbort);
  });

  it("needs a random name", async () => {
    for (const bad of ["", "xyz", "0123", "../0123456789abcdef"]) {
      await assert.rejects(probeBackend(new MemoryBackend(), bad), (error) => isOurError(error, "PROBE_NAME_INVALID"));
    }
  });
});
