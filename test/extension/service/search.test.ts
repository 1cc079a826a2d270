import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import type { SearchHit } from "../../../extension/service/searchProtocol.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, type StartedService, startService } from "../support/startService.js";

describe("searches in backups", () => {
  let sample: SampleRepository;
  let service: StartedService;
  let info: RepositoryInfo;
  let newest: string;

  before(async () => {
    sample = await makeSampleRepository();
    service = startService();
    info = await service.open(sample.location, SAMPLE_PASSPHRASE);
    newest = sample.snapshots[2];
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
  });

  const find = async (name: string, snapshot: string | null, path = "/", machine = "prod:vm/web1") => {
    const hits: SearchHit[] = [];
    const onEvent = (hit: unknown) => void hits.push(hit as SearchHit);
    const argument = { repository: info.handle, machine, snapshot, path, name };
    const summary = await service.client.call("findFiles", argument, { onEvent });
    return { hits, summary };
  };
  const search = async (text: string, files = "", path = "/", matchCase = false) => {
    const hits: SearchHit[] = [];
    const onEvent = (hit: unknown) => void hits.push(hit as SearchHit);
    const argument = { repository: info.handle, snapshot: newest, path, text, matchCase, files };
    const summary = await service.client.call("searchText", argument, { onEvent });
    return { hits, summary };
  };

  it("find files by a part of their names, or by a pattern", async () => {
    const { hits, summary } = await find("NGINX", newest);
    assert.deepEqual(hits.map(({ path }) => path).sort(), ["/sda/p2/etc/nginx", "/sda/p2/etc/nginx/nginx.conf"]);
    assert.deepEqual([summary.hits, summary.complete], [2, true]);
    const { hits: byPattern } = await find("*.conf", newest, "/etc");
    assert.ok(byPattern.some(({ path }) => path.endsWith("/added.conf")));
    assert.ok(byPattern.every(({ path }) => path.startsWith("/sda/p2/etc/") && path.endsWith(".conf")));
  });

  it("find in all snapshots what the newest one has not any more", async () => {
    const { hits, summary } = await find("nginx.conf", null);
    assert.deepEqual(
      hits.map(({ snapshotId }) => snapshotId),
      [newest, sample.snapshots[1]],
    );
    const page = { repository: info.handle, machine: "prod:vm/web1", offset: 0, limit: 10 };
    const [last, , first] = (await service.client.call("snapshots", page)).items;
    assert.deepEqual(summary.times, [
      { snapshots: 1, firstMs: last?.timeMs },
      { snapshots: 2, firstMs: first?.timeMs },
    ]);
    assert.equal((await find("nginx.conf", newest)).summary.times, null);
    const { hits: removed } = await find("removed", null);
    for (const { snapshotId } of removed) assert.notEqual(snapshotId, newest);
  });

  it("count once what cannot be read in every snapshot", async () => {
    const path = join(sample.folder, "sda.img");
    const disk = await open(path, "r+");
    // the size of a block in the superblock
    await disk.write(new Uint8Array([0xff]), 0, 1, 1024 + 24);
    for (let day = 0; day < 3; day++) {
      await disk.write(new Uint8Array([day]), 0, 1, 1_000_000);
      await sample.reprise("backup", path, "--name", "sda", "--group", "vm/broken", "--format", "raw");
    }
    await disk.close();
    await service.client.call("catalog", { repository: info.handle, refresh: true });
    const { summary } = await find("x", null, "/", "vm/broken");
    assert.deepEqual([summary.hits, summary.unreadable], [0, 1]);
  });

  it("find lines of text with their places", async () => {
    const { hits, summary } = await search("worker_processes");
    assert.deepEqual(
      hits.map(({ path, lines }) => [path, lines.map(({ line, column, length }) => [line, column, length])]),
      [["/sda/p2/etc/nginx/nginx.conf", [[0, 0, 16]]]],
    );
    assert.deepEqual([summary.hits, summary.lines, summary.complete], [1, 1, true]);
    assert.deepEqual((await search("worker_processes", "*.txt")).hits, []);
    assert.deepEqual((await search("WORKER_processes", "", "/", true)).hits, []);
    assert.equal((await search("WORKER_processes")).hits.length, 1);
  });

  it("go on where a machine's author is hostile", async () => {
    const { summary } = await find("*", sample.odd, "/", "vm/odd");
    assert.ok(summary.hits > 0);
    const argument = { repository: info.handle, snapshot: sample.odd, path: "/", matchCase: false, files: "" };
    await service.client.call("searchText", { ...argument, text: "e" });
  });

  it("refuse what cannot be looked for", async () => {
    await assert.rejects(search(""), { code: "SERVICE_VALUE_INVALID", message: "the text to look for is empty" });
    await assert.rejects(search("two\nlines"), { message: "the text to look for is more than one line" });
    await assert.rejects(search("e".repeat(1001)), { message: "the text to look for is longer than 1000 characters" });
    await failure(find("[", newest), "FILE_PATTERN_INVALID");
    await failure(find("x", newest, "/not/there"), "FILE_NOT_FOUND");
    await failure(find("x", "0".repeat(32)), "SNAPSHOT_NOT_FOUND");
  });

  it("end when they are cancelled", async () => {
    const abort = new AbortController();
    const argument = { repository: info.handle, machine: "prod:vm/web1", snapshot: null, path: "/", name: "*" };
    const call = service.client.call("findFiles", argument, { signal: abort.signal });
    abort.abort();
    await assert.rejects(call, { name: "AbortError" });
    assert.equal((await find("hostname", newest)).hits.length, 1);
  });
});
