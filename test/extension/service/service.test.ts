import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { ServiceClient, type ServiceError } from "../../../extension/service/client.js";
import type { Handle, RepositoryInfo } from "../../../extension/service/protocol.js";
import { SPARSE_BYTES, TEXTS } from "../../files/machineDisk.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, type StartedService, startService } from "../support/startService.js";

const secret = SAMPLE_PASSPHRASE;
const nobody = 4711 as Handle;

describe("the extension's service", () => {
  let sample: SampleRepository;
  let service: StartedService;
  let info: RepositoryInfo;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  const place = (path: string, snapshot = sample.snapshots[0]) => ({ repository: info.handle, snapshot, path });
  const all = { offset: 0, limit: 500 };

  before(async () => {
    sample = await makeSampleRepository();
    service = startService();
    info = await service.open(sample.location, secret);
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
  });

  it("opens with the right secret only, and tells a wrong one from none", async () => {
    assert.equal(info.encrypted, true);
    assert.match(info.repositoryId, /^[0-9a-f]{32}$/);
    const wrong = await failure(service.open(sample.location, "no"), "PASSPHRASE_WRONG");
    assert.equal(wrong.family, "key");
    await failure(service.open(sample.location, null), "PASSPHRASE_MISSING");
    await failure(service.open(`${sample.location}/nothing`, secret), "STORAGE_NOT_FOUND");
    await failure(service.open("gopher://x", secret), "STORAGE_SCHEME_UNSUPPORTED");
  });

  it("lists machines, and snapshots newest first in pages", async () => {
    await sample.reprise("protect", sample.snapshots[0]);
    const { machines, snapshots, unreadable } = await service.client.call("catalog", {
      repository: info.handle,
      refresh: true,
    });
    assert.deepEqual(
      machines.map(({ machine, snapshots }) => [machine, snapshots]),
      [
        ["prod:vm/web1", 3],
        ["vm/odd", 1],
      ],
    );
    assert.deepEqual([snapshots, unreadable], [4, []]);
    assert.equal(machines[0]?.newest.snapshotId, sample.snapshots[2]);
    const page = (offset: number, limit: number) =>
      service.client.call("snapshots", { repository: info.handle, machine: "prod:vm/web1", offset, limit });
    const first = await page(0, 2);
    const rest = await page(2, 2);
    assert.equal(first.total, 3);
    const ids = [...first.items, ...rest.items].map(({ snapshotId }) => snapshotId);
    assert.deepEqual(ids, sample.snapshots.toReversed());
    const [oldest] = rest.items;
    assert.deepEqual([oldest?.protected, oldest?.encrypted, oldest?.sizeBytes], [true, true, 32 * 1024 * 1024]);
    assert.ok(oldest.newBytes > 3_000_000 && oldest.newBytes < 30_000_000);
    assert.deepEqual((await page(-1, Number.NaN)).items, []);
    await failure(
      service.client.call("snapshots", { ...all, repository: info.handle, machine: "vm/none" }),
      "MACHINE_NOT_FOUND",
    );
  });

  it("knows the snapshot before each, of its machine", async () => {
    const idBefore = async (snapshot: string) => {
      const found = await service.client.call("snapshotBefore", { repository: info.handle, snapshot });
      return found?.snapshotId ?? null;
    };
    const [first = "", second = "", third = ""] = sample.snapshots;
    assert.deepEqual(await Promise.all([third, second, first].map(idBefore)), [second, first, null]);
    const odd = { repository: info.handle, machine: "vm/odd", offset: 0, limit: 1 };
    const [only] = (await service.client.call("snapshots", odd)).items;
    assert.equal(await idBefore(only?.snapshotId ?? ""), null);
    await failure(idBefore("0".repeat(32)), "SNAPSHOT_NOT_FOUND");
  });

  it("walks from the disks to a file", async () => {
    const list = (path: string) => service.client.call("list", { ...place(path), ...all });
    const disks = await list("/");
    assert.deepEqual(
      disks.items.map(({ name, kind, path }) => [name, kind, path]),
      [["sda", "disk", "/sda"]],
    );
    const volumes = await list("/sda");
    assert.deepEqual(
      volumes.items.map(({ path, kind }) => [path, kind]),
      [
        ["/sda/p1", "volume"],
        ["/sda/p2", "volume"],
      ],
    );
    assert.match(volumes.items[1]?.description ?? "", /^ext4 "root"$/);
    const top = await list("/sda/p2");
    const names = top.items.map(({ name }) => name);
    assert.deepEqual(names, ["etc", "home", "lost+found", "var", "broken", "web"]);
    const hostname = await service.client.call("stat", place("/sda/p2/etc/hostname"));
    assert.deepEqual([hostname.kind, hostname.sizeBytes], ["file", 5]);
    assert.equal(hostname.modifiedAtMs, Date.parse("2026-01-02T03:04:05Z"));
    const bytes = await service.client.call("readFile", { ...place("/sda/p2/etc/hostname"), maxBytes: 100 });
    assert.equal(text(bytes), TEXTS["etc/hostname"]);
    await failure(list("/sda/p2/etc/hostname"), "FILE_KIND_WRONG");
    await failure(list("/sda/p2/nothing"), "FILE_NOT_FOUND");
    await failure(list("/sda/p9"), "FILE_NOT_FOUND");
  });

  it("pages a folder, and gives all names of it", async () => {
    const path = "/sda/p2/etc";
    const names = await service.client.call("names", place(path));
    assert.deepEqual(names[0], { name: "nginx", path: `${path}/nginx`, kind: "directory" });
    const paged: string[] = [];
    for (let offset = 0; offset < names.length; offset += 2) {
      const { items, total } = await service.client.call("list", { ...place(path), offset, limit: 2 });
      assert.equal(total, names.length);
      paged.push(...items.map(({ name }) => name));
    }
    assert.deepEqual(
      paged,
      names.map(({ name }) => name),
    );
  });

  it("says what links lead to, also when that is nothing", async () => {
    const stat = (path: string) => service.client.call("stat", place(path));
    const folder = await stat("/sda/p2/web");
    assert.deepEqual([folder.kind, folder.target, folder.targetKind], ["symlink", "/etc/nginx", "directory"]);
    const file = await stat("/sda/p2/etc/nginx/current");
    assert.deepEqual([file.targetKind, file.sizeBytes], ["file", TEXTS["etc/nginx/sites/default"]?.length]);
    const broken = await stat("/sda/p2/broken");
    assert.deepEqual([broken.targetKind, broken.problem?.code], [null, "FILE_NOT_FOUND"]);
    const through = await service.client.call("readFile", { ...place("/sda/p2/web/current"), maxBytes: 100 });
    assert.equal(text(through), TEXTS["etc/nginx/sites/default"]);
  });

  it("reads windows of a large file, and refuses all of it before reading", async () => {
    const path = "/sda/p2/var/lib/sparse.bin";
    const window = await service.client.call("readRange", { ...place(path), offset: 1024 * 1024 - 2, length: 8 });
    assert.equal(window.sizeBytes, SPARSE_BYTES);
    assert.equal(text(window.bytes), "\0\0ssssss");
    const end = await service.client.call("readRange", { ...place(path), offset: SPARSE_BYTES - 3, length: 100 });
    assert.equal(end.bytes.length, 3);
    const beyond = await service.client.call("readRange", { ...place(path), offset: 1e15, length: 100 });
    assert.equal(beyond.bytes.length, 0);
    const { data } = await failure(
      service.client.call("readFile", { ...place(path), maxBytes: 1000 }),
      "SERVICE_FILE_TOO_LARGE",
    );
    assert.equal(data.sizeBytes, SPARSE_BYTES);
    const whole = await service.client.call("readFile", { ...place(path), maxBytes: SPARSE_BYTES });
    assert.equal(whole.length, SPARSE_BYTES);
    await failure(service.client.call("readFile", { ...place("/sda/p2/etc"), maxBytes: 1000 }), "FILE_KIND_WRONG");
  });

  it("keeps names that are no text, as text that finds them", async () => {
    const { items } = await service.client.call("list", { ...place("/sda/p2/home/old"), ...all });
    const paths = items.map(({ path }) => path);
    assert.ok(paths.includes("/sda/p2/home/old/bad-\\xff\\x01"), paths.join(" "));
    for (const path of paths) {
      const bytes = await service.client.call("readFile", { ...place(path), maxBytes: 100 });
      assert.match(text(bytes), /odd name|spaced/);
    }
  });

  it("shows hostile names, opens none of them, and does not go round in a loop", async () => {
    const list = (path: string) => service.client.call("list", { ...place(path, sample.odd), ...all });
    const { items } = await list("/sda/fs/d");
    const forbidden = items.filter((entry) => entry.forbidden).map(({ name }) => name);
    assert.ok(forbidden.includes("../escape") && forbidden.includes("nul\\x00name"), forbidden.join(" "));
    assert.ok(items.every(({ name }) => !/\p{Cc}/u.test(name)));
    const names = await service.client.call("names", place("/sda/fs/d", sample.odd));
    assert.ok(names.every(({ name }) => !name.includes("/")));
    await failure(list("/sda/fs/d/../../../../etc"), "FILE_NOT_FOUND");
    const { data } = await failure(list("/sda/fs/loop/again"), "SERVICE_FOLDER_LOOP");
    assert.equal(data.same, "/sda/fs/loop");
    assert.equal((await list("/sda/fs/loop")).total, 1);
    const round = await service.client.call("stat", place("/sda/fs/round", sample.odd));
    assert.equal(round.targetKind, null);
    await failure(service.client.call("stat", place("/sda", "../../secret")), "SNAPSHOT_NAME_INVALID");
    await failure(service.client.call("stat", place("/sda", "0".repeat(32))), "SNAPSHOT_NOT_FOUND");
  });

  it("lists the versions of a file, with progress", async () => {
    const machine = "prod:vm/web1";
    const progress: number[] = [];
    const onProgress = ({ done }: { done: number }) => void progress.push(done);
    const history = (path: string) =>
      service.client.call("history", { repository: info.handle, machine, path }, { onProgress });
    const changed = await history("/sda/p2/etc/nginx/nginx.conf");
    assert.deepEqual(
      changed.versions.map(({ number, snapshots, last }) => [number, snapshots, last.snapshotId]),
      [
        [1, 2, sample.snapshots[1]],
        [2, 1, sample.snapshots[2]],
      ],
    );
    assert.deepEqual(
      (await history("/etc/removed.conf")).periods.map(({ version }) => version),
      [1, null],
    );
    assert.ok(progress.length > 0);
  });

  it("cancels one call and goes on with the others", async () => {
    const abort = new AbortController();
    const path = "/sda/p2/etc/hostname";
    const history = service.client.call(
      "history",
      { repository: info.handle, machine: "prod:vm/web1", path },
      { signal: abort.signal },
    );
    const stat = service.client.call("stat", place(path));
    abort.abort();
    await assert.rejects(history, { name: "AbortError" });
    assert.equal((await stat).kind, "file");
    await assert.rejects(service.client.call("stat", place(path), { signal: abort.signal }), { name: "AbortError" });
  });

  it("keeps two handles of one repository apart", async () => {
    const other = await service.open(sample.location, secret);
    assert.notEqual(other.handle, info.handle);
    assert.equal(other.repositoryId, info.repositoryId);
    const stat = () => service.client.call("stat", { ...place("/sda/p2"), repository: other.handle });
    assert.equal((await stat()).kind, "volume");
    await service.client.call("closeRepository", { repository: other.handle });
    await service.client.call("closeRepository", { repository: other.handle });
    await failure(stat(), "SERVICE_HANDLE_CLOSED");
    await failure(service.client.call("catalog", { repository: nobody }), "SERVICE_HANDLE_CLOSED");
    assert.equal((await service.client.call("stat", place("/sda/p2"))).kind, "volume");
  });

  it("says that a repository has gone, and is there again when it comes back", async () => {
    const { handle } = await service.open(sample.location, secret);
    const catalog = () => service.client.call("catalog", { repository: handle, refresh: true });
    await catalog();
    await rename(sample.location, `${sample.location}.away`);
    try {
      await assert.rejects(catalog(), { name: "ServiceError" });
      const read = { ...place("/sda/p2/etc/hostname"), repository: handle, maxBytes: 100 };
      await assert.rejects(service.client.call("readFile", read), { name: "ServiceError" });
    } finally {
      await rename(`${sample.location}.away`, sample.location);
    }
    assert.equal((await catalog()).snapshots, 4);
    await service.client.call("closeRepository", { repository: handle });
  });

  it("refuses what it does not know, and fails after its end", async () => {
    const own = startService();
    await failure(own.client.call("nothing" as never, {} as never), "SERVICE_METHOD_UNKNOWN");
    await failure(own.client.call("toString" as never, {} as never), "SERVICE_METHOD_UNKNOWN");
    const waiting = own.client.call("history", { repository: nobody, machine: "", path: "/" });
    const ended = failure(waiting, "SERVICE_STOPPED");
    await own.client.close();
    await own.client.close();
    await ended;
    await failure(own.client.call("catalog", { repository: nobody }), "SERVICE_STOPPED");
  });

  it("ends what waits when its thread dies, and starts anew", async () => {
    const stopped: ServiceError[] = [];
    const dying =
      "import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => process.exit(7));";
    const script = new URL(`data:text/javascript,${encodeURIComponent(dying)}`);
    const client = new ServiceClient(script, { onWarning: () => {}, onStopped: (error) => void stopped.push(error) });
    for (const round of [1, 2]) {
      const { message } = await failure(client.call("catalog", { repository: nobody }), "SERVICE_STOPPED");
      assert.match(message, /code 7/);
      assert.equal(stopped.length, round);
    }
    await client.close();
  });
});
