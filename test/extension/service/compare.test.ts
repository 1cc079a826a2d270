import assert from "node:assert/strict";
import { ALL_CHANGES, type ChangeData, type ChangeFilter } from "../../../extension/service/compareProtocol.js";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, type StartedService, startService } from "../support/startService.js";

const everything: ChangeFilter = { text: "", kinds: ALL_CHANGES };

describe("comparing snapshots in the extension's service", () => {
  let sample: SampleRepository;
  let service: StartedService;
  let info: RepositoryInfo;
  const pair = (from: number, to: number, path = "/") => {
    const side = (index: number) => ({ snapshot: sample.snapshots[index] as string, path });
    return { repository: info.handle, before: side(from), after: side(to) };
  };
  const changes = (folder: string, filter = everything, range = { offset: 0, limit: 100 }) =>
    service.client.call("changes", { ...pair(0, 2), folder, filter, ...range });
  const lines = (items: readonly ChangeData[]) =>
    items.map(({ name, isFolder, change }) => `${change ?? "·"} ${name}${isFolder ? "/" : ""}`);

  before(async () => {
    sample = await makeSampleRepository();
    service = startService();
    info = await service.open(sample.location, SAMPLE_PASSPHRASE);
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
  });

  it("finds nothing between two states that are the same", async () => {
    const same = await service.client.call("compare", pair(0, 1));
    assert.deepEqual(Object.values(same.counts), [0, 0, 0, 0, 0]);
    assert.deepEqual([same.complete, same.addedBytes, same.removedBytes], [true, 0, 0]);
  });

  it("counts what differs, by folder", async () => {
    const told: number[] = [];
    const onProgress = ({ done }: { done: number }) => void told.push(done);
    const { counts, path, complete } = await service.client.call("compare", pair(0, 2), { onProgress });
    assert.deepEqual([path, complete], ["/", true]);
    const listed = (await sample.reprise("diff", sample.snapshots[0], sample.snapshots[2])).counts;
    assert.deepEqual(counts, listed);
    assert.ok(told.length > 0);
    const [disk] = (await changes("/")).items;
    assert.deepEqual([disk?.path, disk?.isFolder, disk?.change], ["/sda", true, null]);
    assert.deepEqual(disk?.counts, counts);
    const etc = (await changes("/sda/p2/etc")).items;
    assert.ok(lines(etc).includes("removed removed.conf"), lines(etc).join());
    assert.ok(lines(etc).includes("metadata mode.conf"));
    assert.equal(etc[0]?.isFolder, true);
    const gone = etc.find(({ name }) => name === "removed.conf");
    assert.deepEqual([gone?.after, gone?.before?.path], [null, "/sda/p2/etc/removed.conf"]);
    assert.equal(gone?.removedBytes, "gone tomorrow\n".length);
    const link = etc.find(({ name }) => name === "becomes-link");
    assert.deepEqual([link?.before?.kind, link?.after?.kind], ["file", "symlink"]);
  });

  it("shows what a filter wants, with the folders that lead there", async () => {
    const removed = await changes("/sda/p2", { text: "ETC/REM", kinds: ["removed"] });
    assert.deepEqual(lines(removed.items), ["· etc/"]);
    assert.deepEqual(removed.items[0]?.counts, { added: 0, removed: 1, changed: 0, metadata: 0, unreadable: 0 });
    assert.deepEqual((await changes("/", { text: "", kinds: [] })).items, []);
    assert.deepEqual((await changes("/sda/nothing")).items, []);
    const all = await changes("/sda/p2/etc");
    const page = await changes("/sda/p2/etc", everything, { offset: 1, limit: 1 });
    assert.deepEqual([page.items, page.total], [[all.items[1]], all.total]);
  });

  it("compares one folder only, also one that is on one side only", async () => {
    const inner = await service.client.call("compare", pair(0, 2, "/sda/p2/etc/nginx"));
    assert.equal(inner.path, "/sda/p2/etc/nginx");
    const total = Object.values(inner.counts).reduce((sum, count) => sum + count, 0);
    assert.ok(
      total > 0 && total < Object.values((await changes("/")).items[0]?.counts ?? {}).reduce((a, b) => a + b, 0),
    );
    const gone = await service.client.call("compare", pair(0, 2, "/sda/p2/etc/removed.conf"));
    assert.equal(gone.counts.removed, 1);
    await failure(service.client.call("compare", pair(0, 2, "/sda/p2/none")), "FILE_NOT_FOUND");
    const nowhere = { ...pair(0, 2), before: { snapshot: "0".repeat(32), path: "/" } };
    await failure(service.client.call("compare", nowhere), "SNAPSHOT_NOT_FOUND");
  });

  it("names hostile files without obeying them", async () => {
    const side = (snapshot: string, path: string) => ({ snapshot, path });
    const odd = {
      repository: info.handle,
      before: side(sample.snapshots[0], "/sda/p2/home"),
      after: side(sample.odd, "/sda/fs"),
    };
    const { counts } = await service.client.call("compare", odd);
    assert.ok(counts.added > 0);
    const filter = everything;
    const { items } = await service.client.call("changes", {
      ...odd,
      folder: "/sda/fs",
      filter,
      offset: 0,
      limit: 500,
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what may not be there
    for (const { name } of items) assert.doesNotMatch(name, /[\u0000-\u001f\u007f\u202e]/);
  });

  it("is cancelled", async () => {
    const abort = new AbortController();
    const running = service.client.call("compare", pair(1, 2), { signal: abort.signal });
    abort.abort();
    await assert.rejects(running, { name: "AbortError" });
    assert.ok((await service.client.call("compare", pair(1, 2))).complete);
  });

  it("finds the same file in another snapshot", async () => {
    const at = (path: string, other: string) =>
      service.client.call("counterpart", { repository: info.handle, snapshot: sample.snapshots[0], path, other });
    assert.equal((await at("/sda/p2/etc/hostname", sample.snapshots[2]))?.path, "/sda/p2/etc/hostname");
    assert.equal((await at("/etc/hostname", sample.snapshots[2]))?.path, "/sda/p2/etc/hostname");
    assert.equal(await at("/sda/p2/etc/removed.conf", sample.snapshots[2]), null);
    assert.equal(await at("/sda/p2/etc/hostname", sample.odd), null);
    await failure(at("/sda/p2/none", sample.odd), "FILE_NOT_FOUND");
  });
});
