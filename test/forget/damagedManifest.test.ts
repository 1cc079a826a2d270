// A manifest that only the local cache can still read must not decide what may go, and an older day must not pass for the
// latest one.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  backUp,
  collectGarbage,
  DEFAULT_CHUNKER,
  initRepository,
  loadCatalog,
  openBackend,
  planRepositoryPrune,
  type Repository,
  resolveSnapshot,
  systemEnvironment,
} from "../../core/index.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";

const options = { onWarning: () => {} };

describe("a damaged manifest with a warm cache", function () {
  this.timeout(60_000);
  let folder: string;
  let repository: Repository;
  let newest: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "reprise-manifest-"));
    const backend = await openBackend(join(folder, "repository"), { create: true });
    const environment = systemEnvironment("test");
    const rescue = { program: new Uint8Array(0), text: new Uint8Array(0) };
    const cacheFolder = join(folder, "cache");
    const init = { passphrase: null, chunker: DEFAULT_CHUNKER, environment, cacheFolder, rescue };
    ({ repository } = await initRepository(backend, init));
    await backUpNoise(repository, 1);
    newest = await backUpNoise(repository, 2);
    await loadCatalog(repository, options);
    const path = join(folder, "repository", "snapshots", newest);
    const bytes = await readFile(path);
    bytes[70] = (bytes[70] as number) ^ 1;
    await writeFile(path, bytes);
  });

  after(async () => {
    await repository.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("is still shown from the cache", async () => {
    const catalog = await loadCatalog(repository, options);
    assert.equal(catalog.snapshots.length, 2);
  });

  it("is unreadable for whoever decides what may go", async () => {
    const catalog = await loadCatalog(repository, { ...options, fresh: true });
    assert.deepEqual(
      catalog.unreadable.map(({ sid }) => sid),
      [newest],
    );
    const scope = { group: null, namespace: null, keep: { last: 1 }, timeZone: "UTC", nowMs: Date.now() };
    await assertCode((async () => planRepositoryPrune(catalog, scope))(), "PRUNE_SNAPSHOT_UNREADABLE");
    await assertCode((async () => resolveSnapshot("vm/a@latest", catalog))(), "SNAPSHOT_UNCERTAIN");
    await assertCode((async () => resolveSnapshot("vm/a~1", catalog))(), "SNAPSHOT_UNCERTAIN");
  });

  it("stops gc before anything is deleted", async () => {
    const packs = await readdir(join(folder, "repository", "packs"), { recursive: true });
    const request = { dryRun: false, fenceAfterMs: 0, maxUnused: 0 };
    await assertCode(collectGarbage(repository, request, options), "GC_SNAPSHOT_UNREADABLE");
    assert.deepEqual(await readdir(join(folder, "repository", "packs"), { recursive: true }), packs);
  });
});

async function backUpNoise(repository: Repository, seed: number): Promise<string> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield noise(seed, 300_000);
  }
  const disk = { kind: "stream" as const, name: "disk", stream: stream() };
  const codec = { codec: "zstd" as const, level: 3 };
  const machine = { group: "vm/a", namespace: "", notes: "", tags: [], protected: false };
  const request = { ...machine, disks: [disk], files: [], codec, dryRun: false, lanes: 0 };
  const { manifest } = await backUp(repository, request, options);
  return manifest?.sid ?? "";
}
