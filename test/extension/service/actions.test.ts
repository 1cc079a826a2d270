import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { changeAnomalies, forecastGrowth } from "../../../extension/model/overviewNumbers.js";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { failure, type StartedService, startService } from "../support/startService.js";

describe("the extension's actions", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let service: StartedService;
  let info: RepositoryInfo;

  before(async () => {
    folder = await makeTemporaryFolder("actions");
    service = startService();
    const { location, snapshots } = await service.client.call("makeDemo", { folder: join(folder.path, "demo") });
    assert.equal(snapshots, 42);
    info = await service.open(location, null);
  });

  after(async () => {
    await service.client.close();
    await folder.remove();
  });

  const page = async (machine: string) => {
    const place = { repository: info.handle, machine, offset: 0, limit: 100 };
    return (await service.client.call("snapshots", place)).items;
  };
  const newest = async (machine = "vm/web") => {
    const [snapshot] = await page(machine);
    assert.ok(snapshot);
    return snapshot;
  };

  describe("the demo repository", () => {
    it("has disks that can be walked through, with a history", async () => {
      const { snapshotId } = await newest();
      const read = async (path: string) => {
        const place = { repository: info.handle, snapshot: snapshotId, path, maxBytes: 10_000 };
        return new TextDecoder().decode(await service.client.call("readFile", place));
      };
      assert.equal(await read("/sda/p1/etc/hostname"), "web\n");
      assert.match(await read("/sda/p1/etc/nginx/nginx.conf"), /worker_connections 1536;/);
      const logs = await service.client.call("names", {
        ...{ repository: info.handle, snapshot: snapshotId, path: "/sda/p1/var/log/nginx" },
      });
      assert.equal(logs.length, 14);
      const path = "/sda/p1/etc/nginx/nginx.conf";
      const history = await service.client.call("history", { repository: info.handle, machine: "vm/web", path });
      assert.equal(history.versions.length, 3);
      const letter = "/sda/p1/Users/mia/Documents/Letter to the landlord.txt";
      const gone = await service.client.call("history", {
        repository: info.handle,
        machine: "vm/office",
        path: letter,
      });
      assert.deepEqual(
        gone.periods.map(({ version, snapshots }) => [version, snapshots]),
        [
          [1, 12],
          [null, 1],
          [1, 8],
        ],
      );
    });

    it("fills the overview: capacity, a forecast, an unusual day, jobs", async () => {
      const progress: number[] = [];
      const data = await service.client.call(
        "overview",
        { repository: info.handle },
        { onProgress: ({ done }) => void progress.push(done) },
      );
      assert.equal(data.backups.length, 42);
      assert.deepEqual(
        data.machines.map(({ machine, snapshots, verification, damaged }) => [
          ...[machine, snapshots, verification?.result, verification?.level, damaged],
        ]),
        [
          ["vm/web", 21, "ok", "data", 0],
          ["vm/office", 21, "ok", "data", 0],
        ],
      );
      assert.equal(forecastGrowth(data).kind, "forecast");
      assert.deepEqual(
        changeAnomalies(data.backups).map(({ backup }) => backup.machine),
        ["vm/office"],
      );
      assert.deepEqual([data.jobs.length, data.jobs[0]?.job, data.recovery], [20, "demo-nightly", []]);
      assert.ok(data.totals.totalRatio > 10 && data.totals.storedBytes > 10_000_000);
      const abort = new AbortController();
      const call = service.client.call("overview", { repository: info.handle }, { signal: abort.signal });
      abort.abort();
      await assert.rejects(call, { name: "AbortError" });
    });

    it("is made in a new folder only, and leaves nothing when it is cancelled", async () => {
      const place = join(folder.path, "demo");
      await failure(service.client.call("makeDemo", { folder: place }), "SERVICE_VALUE_INVALID");
      assert.ok(existsSync(join(place, "repository")));
      const abort = new AbortController();
      const other = join(folder.path, "cancelled");
      const making = service.client.call("makeDemo", { folder: other }, { signal: abort.signal });
      setTimeout(() => abort.abort(), 300);
      await assert.rejects(making, { name: "AbortError" });
      for (let i = 0; i < 50 && existsSync(other); i++) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(!existsSync(other));
    });
  });

  describe("on snapshots", () => {
    it("describes and protects, and says so in the catalog at once", async () => {
      const { snapshotId: snapshot } = await newest();
      const place = { repository: info.handle, snapshot };
      await service.client.call("setNotes", { ...place, notes: "before the move" });
      await service.client.call("setTags", { ...place, tags: ["golden", "golden", "keep"] });
      await service.client.call("setProtection", { ...place, protected: true });
      const now = await newest();
      assert.deepEqual([now.notes, now.tags, now.protected], ["before the move", ["golden", "keep"], true]);
      await failure(service.client.call("setTags", { ...place, tags: [" spaced"] }), "SERVICE_VALUE_INVALID");
      await failure(service.client.call("setTags", { ...place, tags: ["line\nbreak"] }), "SERVICE_VALUE_INVALID");
      await failure(
        service.client.call("setNotes", { ...place, snapshot: "f".repeat(32), notes: "" }),
        "SNAPSHOT_NOT_FOUND",
      );
    });

    it("forgets all that were named, or none", async () => {
      const all = await page("vm/web");
      const [protectedOne, second, third] = all.map(({ snapshotId }) => snapshotId);
      const forget = (...snapshots: (string | undefined)[]) =>
        service.client.call("forget", { repository: info.handle, snapshots: snapshots as string[] });
      await failure(forget(second, protectedOne), "SNAPSHOT_PROTECTED");
      await failure(forget(second, "e".repeat(32)), "SNAPSHOT_NOT_FOUND");
      await failure(forget(), "SERVICE_VALUE_INVALID");
      assert.equal((await page("vm/web")).length, all.length);
      assert.deepEqual(await forget(second, third), { forgotten: 2 });
      assert.equal((await page("vm/web")).length, all.length - 2);
    });

    it("verifies one snapshot and all of them", async () => {
      const { snapshotId } = await newest();
      const one = await service.client.call("verify", {
        ...{ repository: info.handle, snapshot: snapshotId, readData: false },
      });
      assert.deepEqual([one.ok, one.level, one.snapshots, one.damaged], [true, "structure", 1, []]);
      const all = await service.client.call("verify", { repository: info.handle, snapshot: null, readData: true });
      assert.ok(all.ok && all.level === "data" && all.packsRead > 0 && all.bytesRead > 1_000_000);
    });
  });

  describe("prune and gc", () => {
    const keep = { last: 5 };
    const plan = (machine: string | null = "vm/office") =>
      service.client.call("planPrune", { repository: info.handle, machine, keep, timeZone: "UTC" });
    const apply = (name: string, confirmed = true) =>
      service.client.call("applyPrune", { repository: info.handle, plan: name, confirmed });

    it("shows what goes and what stays, with reasons, and changes nothing", async () => {
      const { lines, removes } = await plan();
      assert.deepEqual([lines.length, removes], [21, 15]);
      assert.deepEqual(
        lines.map(({ mark }) => mark),
        [...Array(5).fill("keep"), ...Array(15).fill("remove"), "protected"],
      );
      assert.ok(lines.every(({ reasons }) => reasons.length > 0));
      assert.equal((await page("vm/office")).length, 21);
      assert.equal(new Set((await plan(null)).lines.map(({ machine }) => machine)).size, 2);
      const wrong = { repository: info.handle, machine: null, keep: { lately: 3 } as never, timeZone: "UTC" };
      await failure(service.client.call("planPrune", wrong), "KEEP_OPTIONS_INVALID");
    });

    it("refuses a plan that does not hold any more", async () => {
      const old = await plan();
      const { snapshotId } = old.lines[8] ?? {};
      const place = { repository: info.handle, snapshot: snapshotId as string };
      await service.client.call("setProtection", { ...place, protected: true });
      await failure(apply(old.plan), "SERVICE_PLAN_CHANGED");
      assert.equal((await page("vm/office")).length, 21);
      await service.client.call("setProtection", { ...place, protected: false });
      await failure(apply("0".repeat(32)), "SERVICE_PLAN_CHANGED");
      const { plan: gc } = await service.client.call("planGc", { repository: info.handle });
      await failure(apply(gc), "SERVICE_PLAN_CHANGED");
    });

    it("applies exactly the plan, once; most of a machine only when that was confirmed", async () => {
      const { plan: name, removes } = await plan();
      await failure(apply(name, false), "PRUNE_DROPS_MANY");
      const again = await plan();
      assert.deepEqual(await apply(again.plan), { forgotten: removes });
      assert.equal((await page("vm/office")).length, 6);
      await failure(apply(again.plan), "SERVICE_PLAN_CHANGED");
    });

    it("frees what the gc preview has named, and refuses an old preview", async () => {
      const old = await service.client.call("planGc", { repository: info.handle });
      assert.ok(old.freedBytes > 0 && old.packs.every(({ action, reason }) => action !== "keep" && reason !== ""));
      const [, , third] = await page("vm/web");
      await service.client.call("forget", { repository: info.handle, snapshots: [third?.snapshotId as string] });
      const apply = (plan: string) =>
        service.client.call("applyGc", { repository: info.handle, plan, confirmed: true });
      const fresh = await service.client.call("planGc", { repository: info.handle });
      if (JSON.stringify(fresh.packs) !== JSON.stringify(old.packs))
        await failure(apply(old.plan), "SERVICE_PLAN_CHANGED");
      const result = await apply(fresh.plan);
      assert.ok(result.deletedPacks > 0 && result.deletedBytes > 0);
      const verified = await service.client.call("verify", { repository: info.handle, snapshot: null, readData: true });
      assert.ok(verified.ok);
    });
  });

  describe("making", () => {
    it("backs up a disk and a folder into a repository that it has made, whose recovery key opens it", async () => {
      const location = join(folder.path, "made");
      const made = await service.client.call("initRepository", { location, passphrase: "a quiet harbour" });
      assert.match(made.recoveryKey ?? "", /\w{4}/);
      await failure(service.client.call("initRepository", { location, passphrase: "x" }), "REPOSITORY_EXISTS");
      await failure(
        service.client.call("initRepository", { location: `${location}2`, passphrase: "" }),
        "SERVICE_VALUE_INVALID",
      );
      const own = await service.open(location, made.recoveryKey);
      const [disk, docs] = [join(folder.path, "root.img"), join(folder.path, "docs")];
      await writeFile(disk, Buffer.alloc(3_000_000, 7));
      await mkdir(docs);
      await writeFile(join(docs, "a.txt"), "hello");
      const request = { repository: own.handle, machine: "prod:host/office", notes: "", tags: ["now"] };
      const result = await service.client.call("backUp", { ...request, disks: [disk], folders: [docs] });
      assert.equal(result.machine, "prod:host/office");
      const { machines } = await service.client.call("catalog", { repository: own.handle });
      assert.deepEqual(
        machines.map(({ machine, newest }) => [machine, newest.snapshotId, newest.disks.map(({ name }) => name)]),
        [["prod:host/office", result.snapshotId, ["root", "docs"]]],
      );
      await failure(service.client.call("backUp", { ...request, disks: [], folders: [] }), "SERVICE_VALUE_INVALID");
      await failure(
        service.client.call("backUp", { ...request, machine: "office", disks: [disk], folders: [] }),
        "GROUP_INVALID",
      );
      await failure(
        service.client.call("backUp", { ...request, disks: [join(folder.path, "none.img")], folders: [] }),
        "SOURCE_NOT_FOUND",
      );
      const config = join(folder.path, "reprise.yml");
      const job = `repositories:\n  main:\n    location: ${location}\n    passphrase: env:NOT_SET_ANYWHERE\nmachines:\n  vm/by-job:\n    disks:\n      - name: root\n        path: ${disk}\njobs:\n  nightly:\n    backup: [vm/by-job]\n    repository: main\n`;
      await writeFile(config, job);
      const byJob = await service.client.call("backUpByJob", {
        ...{ repository: own.handle, config, job: "nightly", machine: "vm/by-job" },
      });
      assert.deepEqual([byJob.outcome, byJob.problems], ["passed", []], JSON.stringify(byJob));
      const { jobs } = await service.client.call("overview", { repository: own.handle });
      assert.deepEqual(
        jobs.map(({ job, outcome }) => [job, outcome]),
        [["nightly", "passed"]],
      );
    });
  });

  describe("what goes on running", () => {
    it("serves a snapshot by NBD until it is stopped, or its repository is closed", async () => {
      const { snapshotId: snapshot } = await newest();
      const own = await service.open(info.location, null);
      const start = () => service.client.call("startNbd", { repository: own.handle, snapshot });
      const socketOf = (uri: string) => decodeURIComponent(/socket=(.+)$/.exec(uri)?.[1] ?? "");
      const first = await start();
      const [disk] = first.disks;
      assert.deepEqual([disk?.name, disk?.sizeBytes], ["sda", 24 * 1024 * 1024]);
      const socket = socketOf(disk?.uri ?? "");
      assert.ok(existsSync(socket));
      await service.client.call("stopNbd", { server: first.server });
      await service.client.call("stopNbd", { server: first.server });
      assert.ok(!existsSync(join(socket, "..")));
      const second = await start();
      const place = join(socketOf(second.disks[0]?.uri ?? ""), "..");
      assert.deepEqual(await readdir(place), ["nbd.sock"]);
      await service.client.call("closeRepository", { repository: own.handle });
      assert.ok(!existsSync(place));
      await failure(service.client.call("bootOutput", { boot: 1 }), "SERVICE_HANDLE_CLOSED");
    });
  });
});
