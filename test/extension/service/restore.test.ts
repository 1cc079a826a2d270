import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgressData, RepositoryInfo } from "../../../extension/service/protocol.js";
import { machineDisks, SPARSE_BYTES, TEXTS } from "../../files/machineDisk.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, type StartedService, startService } from "../support/startService.js";

describe("restoring with the extension's service", () => {
  let sample: SampleRepository;
  let service: StartedService;
  let info: RepositoryInfo;
  let target: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  const to = (...names: string[]) => join(target.path, ...names);
  const files = (path: string, folder: string, existing: "refuse" | "replace" | "keep" = "refuse") => {
    return { repository: info.handle, snapshot: sample.snapshots[0], path, to: folder, existing };
  };
  const disks = (disk: string | null, place: string, more: { format?: "raw" | "qcow2"; replace?: boolean } = {}) => {
    const { format = "raw", replace = false } = more;
    const what = { repository: info.handle, snapshot: sample.snapshots[0], disk, to: place };
    return { ...what, format, replace, skipDamaged: false };
  };

  before(async () => {
    sample = await makeSampleRepository();
    target = await makeTemporaryFolder("restored");
    service = startService();
    info = await service.open(sample.location, SAMPLE_PASSPHRASE);
  });
  after(async () => {
    await service?.client.close();
    await target?.remove();
    await sample?.remove();
  });

  it("restores a folder, and tells how far it is of how much", async () => {
    const told: ProgressData[] = [];
    const onProgress = (event: ProgressData) => void told.push(event);
    const report = await service.client.call("restoreFiles", files("/sda/p2/var", to("a")), { onProgress });
    assert.deepEqual([report.to, report.skipped, report.kept], [to("a"), 0, 0]);
    assert.ok(report.files >= 3 && report.bytesWritten >= 3_000_000);
    assert.equal((await stat(to("a", "var", "lib", "sparse.bin"))).size, SPARSE_BYTES);
    assert.ok(told.length > 0 && told.every(({ done, total, unit }) => unit === "bytes" && done <= (total ?? 0)));
  });

  it("restores one file", async () => {
    await service.client.call("restoreFiles", files("/sda/p2/etc/hostname", to("one")));
    assert.equal(await readFile(to("one", "hostname"), "utf8"), TEXTS["etc/hostname"]);
  });

  it("writes over nothing unless it is told to", async () => {
    await service.client.call("restoreFiles", files("/sda/p2/etc", to("b")));
    await writeFile(to("b", "etc", "hostname"), "mine\n");
    await failure(service.client.call("restoreFiles", files("/sda/p2/etc", to("b"))), "TARGET_EXISTS");
    assert.equal(await readFile(to("b", "etc", "hostname"), "utf8"), "mine\n");
    const kept = await service.client.call("restoreFiles", files("/sda/p2/etc", to("b"), "keep"));
    assert.ok(kept.kept > 0);
    assert.equal(await readFile(to("b", "etc", "hostname"), "utf8"), "mine\n");
    await service.client.call("restoreFiles", files("/sda/p2/etc", to("b"), "replace"));
    assert.equal(await readFile(to("b", "etc", "hostname"), "utf8"), "web1\n");
  });

  it("puts all of a snapshot into an empty folder only", async () => {
    await mkdir(to("full"));
    await writeFile(to("full", "mine"), "");
    await failure(service.client.call("restoreFiles", files("/", to("full"))), "TARGET_EXISTS");
    assert.deepEqual(await readdir(to("full")), ["mine"]);
  });

  it("writes nothing outside of the target, whatever names are in the image, and says what was left out", async () => {
    const odd = { ...files("/sda/fs", to("odd")), snapshot: sample.odd };
    const report = await service.client.call("restoreFiles", odd);
    assert.ok(report.skipped > 0);
    assert.equal(report.skippedFiles.length, Math.min(1000, report.skipped));
    assert.deepEqual(await readdir(join(sample.folder, "outside")), []);
    assert.deepEqual(await readdir(to("odd")), ["fs"]);
  });

  it("never writes into the repository", async () => {
    const inside = join(sample.location, "x");
    await failure(service.client.call("restoreFiles", files("/sda/p2/etc", inside)), "TARGET_IN_REPOSITORY");
    await failure(service.client.call("restoreDisks", disks("sda", inside)), "TARGET_IN_REPOSITORY");
    assert.ok(!(await readdir(sample.location)).includes("x"));
  });

  it("restores a disk as raw and as qcow2", async () => {
    const told: ProgressData[] = [];
    const onProgress = (event: ProgressData) => void told.push(event);
    const report = await service.client.call("restoreDisks", disks("sda", to("sda.raw")), { onProgress });
    assert.deepEqual([report.disks[0]?.path, report.disks[0]?.lost, report.files], [to("sda.raw"), [], null]);
    const [first] = await machineDisks();
    assert.ok((await readFile(to("sda.raw"))).equals(await readFile(first)));
    assert.equal(told.at(-1)?.total, 32 * 1024 * 1024);
    await failure(service.client.call("restoreDisks", disks("sda", to("sda.raw"))), "TARGET_EXISTS");
    await service.client.call("restoreDisks", disks("sda", to("sda.raw"), { replace: true }));
    await service.client.call("restoreDisks", disks("sda", to("sda.qcow2"), { format: "qcow2" }));
    assert.equal((await readFile(to("sda.qcow2"))).subarray(0, 3).toString(), "QFI");
    await failure(service.client.call("restoreDisks", disks("sdz", to("z"))), "ARCHIVE_UNKNOWN");
  });

  it("lets one of two restores write a file at once, and its bytes are whole", async () => {
    const restore = () => service.client.call("restoreDisks", disks("sda", to("same.raw")));
    const results = await Promise.allSettled([restore(), restore()]);
    const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
    assert.equal(refused.length, 1);
    assert.ok(["TARGET_IN_USE", "TARGET_EXISTS"].includes(refused[0]), refused[0]);
    const [first] = await machineDisks();
    assert.ok((await readFile(to("same.raw"))).equals(await readFile(first)));
    assert.ok(!(await readdir(target.path)).some((name) => name.endsWith(".partial")));
  });

  it("removes what a given-up restore has left, and nothing else", async () => {
    const left = to(`.left.raw.reprise-${"a1".repeat(16)}.partial`);
    for (const path of [left, to("left.raw"), to("mine.partial")]) await writeFile(path, "x");
    const paths = [left, to("left.raw"), to("mine.partial"), to("nothing")];
    assert.deepEqual(await service.client.call("removeUnfinished", { paths }), { removed: [left] });
    const names = await readdir(target.path);
    assert.ok(
      names.includes("left.raw") && names.includes("mine.partial") && !names.some((name) => name.startsWith(".left")),
    );
  });

  it("restores a whole machine into a folder", async () => {
    const report = await service.client.call("restoreDisks", disks(null, to("machine")));
    assert.deepEqual(await readdir(to("machine")), ["sda.raw"]);
    assert.equal(report.disks[0]?.sizeBytes, 32 * 1024 * 1024);
    await failure(service.client.call("restoreDisks", disks(null, to("machine"))), "TARGET_EXISTS");
  });

  it("is cancelled without a half-written file under its name", async () => {
    const abort = new AbortController();
    const running = service.client.call("restoreDisks", disks("sda", to("never.raw")), { signal: abort.signal });
    setTimeout(() => abort.abort(), 30);
    await assert.rejects(running, { name: "AbortError" });
    await service.client.call("stat", { ...files("/sda", ""), path: "/sda" });
    assert.ok(!(await readdir(target.path)).includes("never.raw"));
  });
});
