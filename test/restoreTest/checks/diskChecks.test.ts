import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { RepriseError } from "../../../core/errors.js";
import { MachineTree } from "../../../core/files/machineTree.js";
import type { MachineDisk } from "../../../core/files/machineVolumes.js";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import type { Sid } from "../../../core/format/ids.js";
import type { CheckContext, ChunkReport } from "../../../core/restoreTest/checks/check.js";
import { isClean, UNCLEAN_REMARKS, UNDECIDED_REMARKS } from "../../../core/restoreTest/checks/cleanliness.js";
import { runCheck } from "../../../core/restoreTest/checks/runCheck.js";
import type { CheckSpec } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import { openRawSource, type RawSource } from "../../../core/source/rawSource.js";
import { machineDisks } from "../../files/machineDisk.js";
import { inProject } from "../../support/projectRoot.js";
import { type BodyOf, check, fakeContext, pattern } from "./fakeContext.js";

const anyFile = {
  exists: true,
  sha256: null,
  minimumBytes: null,
  maximumBytes: null,
  newerThanMs: null,
  matches: null,
};
const anyFileSystem = { volume: null, fileSystem: null, label: null, uuid: null, clean: null, minimumFreeBytes: null };
const anyTable = { disk: null, scheme: null, partitions: null };

describe("checks of the disks", function () {
  this.timeout(60_000);
  let source: RawSource;
  let context: CheckContext;
  const run = async (spec: CheckSpec, given: Partial<CheckContext> = {}) =>
    (await runCheck(spec, { ...context, ...given })).result;
  const outcome = async (spec: CheckSpec, given: Partial<CheckContext> = {}) => {
    const { outcome, reason } = await run(spec, given);
    return reason === null ? outcome : `${outcome}: ${reason}`;
  };

  before(async () => {
    const [first] = await machineDisks();
    source = await openRawSource(first);
    const disks: MachineDisk[] = [{ name: "sda", reader: source }];
    context = fakeContext({ disks: { disks, tree: new MachineTree(disks) } });
  });
  after(() => source?.close());

  it("look at the partition table", async () => {
    assert.equal(await outcome(check("partition-table", anyTable)), "passed");
    assert.equal(await outcome(check("partition-table", { disk: "sda", scheme: "gpt", partitions: 2 })), "passed");
    assert.match(await outcome(check("partition-table", { ...anyTable, scheme: "mbr" })), /^failed: .*another scheme/);
    assert.match(await outcome(check("partition-table", { ...anyTable, partitions: 3 })), /^failed: .*2 partitions/);
    assert.match(
      await outcome(check("partition-table", { ...anyTable, disk: "sdb" })),
      /^failed: there is no disk sdb/,
    );
    assert.match(await outcome(check("partition-table", anyTable), { disks: null }), /^inconclusive/);
  });

  it("do not take noise or an empty disk list for a table", async () => {
    const noise = disksOf({ name: "sda", reader: readerOf(new Uint8Array(1 << 20).fill(0x5a)) });
    assert.match(await outcome(check("partition-table", anyTable), { disks: noise }), /^inconclusive: .*not known/);
    assert.match(await outcome(check("filesystem", anyFileSystem), { disks: noise }), /^inconclusive: no file system/);
    assert.match(await outcome(check("partition-table", anyTable), { disks: disksOf() }), /^inconclusive: .*no disk/);
  });

  it("open file systems, and compare what they are", async () => {
    assert.equal(await outcome(check("filesystem", anyFileSystem)), "passed");
    const root = { ...anyFileSystem, volume: "/sda/p2" };
    const uuid = "11111111-2222-4333-8444-555555555555";
    const exact = { ...root, fileSystem: "ext4", label: "root", uuid, clean: true, minimumFreeBytes: 1_000_000 };
    assert.equal(await outcome(check("filesystem", exact)), "passed");
    assert.match(await outcome(check("filesystem", { ...root, fileSystem: "xfs" })), /^failed: .*holds ext4/);
    assert.match(await outcome(check("filesystem", { ...root, label: "boot" })), /^failed: the label/);
    assert.match(await outcome(check("filesystem", { ...root, clean: false })), /^failed: .*is clean/);
    assert.match(await outcome(check("filesystem", { ...root, minimumFreeBytes: 2 ** 40 })), /^failed: too little/);
    assert.match(await outcome(check("filesystem", { ...root, volume: "/sda/p9" })), /^failed: there is no volume/);
  });

  it("fail on a file system whose beginning is lost, and cannot tell what a partition of noise holds", async () => {
    const spoiled = (from: number, byte: number): BlockReader => ({
      sizeBytes: source.sizeBytes,
      read: async (buffer, offset, options) => {
        await source.read(buffer, offset, options);
        for (let i = 0; i < buffer.length; i++) if (offset + i >= from && offset + i < from + 65536) buffer[i] = byte;
      },
    });
    const p2 = 10240 * 512;
    const noise = disksOf({ name: "sda", reader: spoiled(p2, 0xa5) });
    assert.match(
      await outcome(check("filesystem", anyFileSystem), { disks: noise }),
      /^inconclusive: .*what \/sda\/p2/,
    );
    const behind = disksOf({ name: "sda", reader: spoiled(p2 + 4096, 0xa5) });
    assert.match(await outcome(check("filesystem", anyFileSystem), { disks: behind }), /^failed: \/sda\/p2/);
  });

  it("fail when a chunk is lost, and cannot tell when the storage does not answer", async () => {
    const broken = (error: RepriseError) =>
      disksOf({
        name: "sda",
        reader: {
          sizeBytes: source.sizeBytes,
          read: async (buffer, offset, options) => {
            if (offset >= 10240 * 512) throw error;
            await source.read(buffer, offset, options);
          },
        },
      });
    const lost = broken(new RepriseError("corrupt", "CHUNK_MISSING", "chunk 12 is in no pack"));
    const away = broken(new RepriseError("backend", "STORAGE_UNREACHABLE", "no answer"));
    for (const spec of [check("filesystem", anyFileSystem), check("file", { ...anyFile, path: "/etc/hostname" })]) {
      assert.match(await outcome(spec, { disks: away }), /^inconclusive/, spec.type);
      assert.notEqual((await run(spec, { disks: lost })).outcome, "passed", spec.type);
    }
    assert.match(await outcome(check("filesystem", anyFileSystem), { disks: lost }), /^failed/);
  });

  it("look at files", async () => {
    const file = (body: Partial<BodyOf<"file">>, path = "/etc/hostname") =>
      check("file", { ...anyFile, path, ...body });
    const sha256 = createHash("sha256").update("web1\n").digest("hex");
    const exact = file({ sha256, minimumBytes: 5, maximumBytes: 5, matches: pattern(/^web\d$/) });
    assert.equal(await outcome(exact), "passed");
    assert.equal(await outcome(file({}, "/etc/nginx")), "passed");
    assert.match(await outcome(file({ minimumBytes: 1 }, "/etc/nginx")), /^failed: .*no plain file/);
    assert.match(await outcome(file({ sha256: "0".repeat(64) })), /^failed: its content/);
    assert.match(await outcome(file({ minimumBytes: 6 })), /^failed: it has fewer/);
    assert.match(await outcome(file({ maximumBytes: 4 })), /^failed: it has more/);
    assert.match(await outcome(file({ matches: pattern(/db1/) })), /^failed: nothing in it/);
    assert.match(await outcome(file({}, "/etc/nothing")), /^failed: .*missing/);
    assert.match(await outcome(file({ exists: false })), /^failed: \/etc\/hostname exists/);
    assert.equal(await outcome(file({ exists: false }, "/etc/nothing")), "passed");
    assert.equal(await outcome(file({ exists: false }, "/etc/hostname/below")), "passed");
    assert.match(await outcome(file({ exists: false }, "/sda/p7/etc/hostname")), /^inconclusive/);
  });

  it("compare times of files with the snapshot's", async () => {
    const day = 86_400_000;
    const written = Date.parse("2026-01-02T03:04:05Z");
    const at = (timeMs: number) => {
      const finishedAt = new Date(timeMs + 60_000).toISOString();
      const manifest = { ...context.snapshot.manifest, finishedAt };
      return { snapshot: { ...context.snapshot, timeMs, manifest } };
    };
    const young = check("file", { ...anyFile, path: "/etc/hostname", newerThanMs: day });
    assert.equal(await outcome(young, at(written + day / 2)), "passed");
    assert.match(await outcome(young, at(written + 2 * day)), /^failed: it is too old/);
    assert.match(await outcome(young, at(written - 2 * day)), /^inconclusive: .*after the snapshot/);
  });

  it("compare a canary with the snapshot's tag", async () => {
    const canary = check("canary", { path: "/etc/hostname", tag: "canary" });
    const tagged = (...tags: string[]) => ({ snapshot: { ...context.snapshot, tags } });
    assert.equal(await outcome(canary, tagged("other", "canary=web1")), "passed");
    assert.match(await outcome(canary, tagged("canary=web2")), /^failed: another value/);
    assert.match(await outcome(canary, tagged("canary-2=web1")), /^inconclusive: .*no tag/);
    assert.match(await outcome(canary, tagged("canary=web1", "canary=web2")), /^inconclusive: .*2 tags/);
    assert.match(await outcome(canary, tagged("canary=")), /^inconclusive: .*empty/);
    const missing = check("canary", { path: "/etc/canary", tag: "canary" });
    assert.match(await outcome(missing, tagged("canary=web1")), /^failed: .*missing/);
    const folder = check("canary", { path: "/etc/nginx", tag: "canary" });
    assert.match(await outcome(folder, tagged("canary=web1")), /^inconclusive/);
  });

  it("believe a verification only when it has read this snapshot's data", async () => {
    const { sid } = context.snapshot;
    const good = {
      ...{ ok: true, level: "data", packs: { read: 3, bytesRead: 12_345 } },
      snapshots: [{ sid, namespace: "prod", group: "vm/web1", time: "", result: "ok", damaged: [] }],
    } as ChunkReport;
    const verified = (report: ChunkReport) => ({ verifyChunks: async () => report });
    const chunks = check("chunks", {});
    assert.equal(await outcome(chunks, verified(good)), "passed");
    assert.match(await outcome(chunks), /^inconclusive/);
    assert.match(await outcome(chunks, verified({ ...good, level: "structure" })), /^inconclusive/);
    assert.match(await outcome(chunks, verified({ ...good, ok: false })), /^inconclusive: .*beside/);
    assert.match(await outcome(chunks, verified({ ...good, snapshots: [] })), /^inconclusive/);
    const other = { ...good.snapshots[0]!, sid: "f".repeat(32) as Sid };
    assert.match(await outcome(chunks, verified({ ...good, snapshots: [other] })), /^inconclusive/);
    const damaged = [{ snapshot: sid, archive: "sda", offset: 4096, length: 512, reason: "chunk lost" }];
    const bad = { ...good, ok: false, snapshots: [{ ...good.snapshots[0]!, result: "damaged" as const, damaged }] };
    const { outcome: verdict, observed } = await run(chunks, verified(bad));
    assert.equal(verdict, "failed");
    assert.match(observed, /sda: 512 bytes at 4096: chunk lost/);
    const archives = [{ name: "sda", kind: "image", sizeBytes: 1, root: "", format: "raw", lost: [[0, 1]] }];
    const manifest = { ...context.snapshot.manifest, archives } as unknown as CheckContext["snapshot"]["manifest"];
    const repaired = { ...verified(good), snapshot: { ...context.snapshot, manifest } };
    assert.match(await outcome(chunks, repaired), /^failed: a repair/);
  });

  it("tell clean file systems by phrases that the readers use", async () => {
    const files = await readdir(inProject("core", "filesystem"), { recursive: true });
    const sources = await Promise.all(
      files
        .filter((name) => name.endsWith(".ts"))
        .map((name) => readFile(inProject("core", "filesystem", name), "utf8")),
    );
    for (const phrase of [...UNCLEAN_REMARKS, ...UNDECIDED_REMARKS])
      assert.ok(
        sources.some((text) => text.includes(phrase)),
        phrase,
      );
    assert.equal(isClean({ type: "ext4", remarks: ["journal replayed: 3 blocks of 1 transactions"] }), false);
    assert.equal(isClean({ type: "xfs", remarks: ["log not readable: recent changes may be missing"] }), null);
    assert.equal(isClean({ type: "folder", remarks: [] }), null);
  });
});

function readerOf(bytes: Uint8Array): BlockReader {
  return {
    sizeBytes: bytes.length,
    read: async (buffer, offset) => buffer.set(bytes.subarray(offset, offset + buffer.length)),
  };
}

function disksOf(...disks: MachineDisk[]): CheckContext["disks"] {
  return { disks, tree: new MachineTree(disks) };
}
