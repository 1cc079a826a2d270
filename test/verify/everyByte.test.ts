import assert from "node:assert/strict";
import { objectName } from "../../core/format/ids.js";
import type { VerifyReport } from "../../core/verify/verifyReport.js";
import { blobAt, type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { objectSizes, withFlip } from "../support/objectChanges.js";
import { noise } from "../support/sampleBytes.js";

/** Bytes tried in the second and later objects of one kind; of the smallest it is more. */
const SAMPLED_BYTES = 40;

/** With it, minutes instead of seconds. */
const IS_FULL = process.env.REPRISE_TEST_FULL === "1";
/** Bytes tried in the tables of each pack, and anywhere in all packs. */
const TABLE_BYTES = IS_FULL ? 400 : 50;
const PLACES = IS_FULL ? 300 : 120;
/** Of the smallest object of a kind all bytes of the header are tried, then one of so many; of the blobs one of so many. */
const STRIDE = IS_FULL ? 1 : 3;
const HEADER_BYTES = 64;

/** Every object of the sample's list of kinds must be there, or a kind of damage would go untested. */
const FOLDERS = [
  "RESCUE.md",
  "config",
  "config.copy",
  "forgotten",
  "gc",
  "index",
  "packs",
  "quarantine",
  "records",
  "rescue.mjs",
  "sessions",
  "snapshots",
];

function mask(at: number): number {
  return 1 << ((at * 5 + (at >> 3)) % 8);
}

function lostParts(report: VerifyReport) {
  return report.snapshots
    .flatMap(({ damaged }) => damaged)
    .map(({ snapshot, archive, offset, length }) => `${snapshot} ${archive} ${offset}+${length}`)
    .sort();
}

/** The report on one changed byte of a pack, against what the sample's own map says. */
function assertPackReport(sample: DamageSample, report: VerifyReport, pack: string, at: number): void {
  const about = `${pack} byte ${at}`;
  const blob = blobAt(sample, pack as never, at);
  assert.equal(report.ok, false, about);
  assert.deepEqual(report.objects.problems, [], about);
  assert.ok(report.packs.problems.length > 0, about);
  const lost = (blob && sample.needs.get(blob.id)) ?? [];
  for (const problem of report.packs.problems) {
    assert.equal(problem.pack, pack, about);
    assert.equal(problem.id, blob?.id ?? null, about);
    assert.ok(problem.message.includes(pack), `${about}: ${problem.message}`);
    assert.equal(problem.needed, lost.length > 0, about);
  }
  const expected = lost.map(({ snapshot, archive, offset, length }) => `${snapshot} ${archive} ${offset}+${length}`);
  assert.deepEqual(lostParts(report), expected.sort(), about);
  for (const { sid, result } of report.snapshots) {
    assert.equal(result, lost.some(({ snapshot }) => snapshot === sid) ? "damaged" : "ok", about);
  }
}

async function assertSound(sample: DamageSample): Promise<void> {
  for (const readData of [true, false]) {
    const report = await sample.test.verify({ readData });
    assert.equal(report.ok, true, JSON.stringify(report));
    assert.deepEqual([report.objects.problems, report.objects.foreign, report.packs.problems], [[], [], []]);
    assert.ok(report.snapshots.every(({ result, damaged }) => result === "ok" && damaged.length === 0));
    assert.equal(report.snapshots.length, sample.manifests.length);
  }
}

for (const encrypted of [true, false]) {
  describe(`verify: one changed byte, ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(120_000);
    this.slow(60_000);
    let sample: DamageSample;
    before(async () => {
      // trees are sealed like everything else: one of the two is enough
      sample = await makeDamageSample({ encrypted, tree: !encrypted });
    });

    it("(the sample has every kind of object, dead space, and shared chunks)", async () => {
      const folders = new Set((await objectSizes(sample.test.backend)).map(({ key }) => key.split("/")[0] as string));
      assert.deepEqual([...folders].sort(), [...FOLDERS, ...(encrypted ? ["keys"] : [])].sort());
      const chunks = sample.blobs.filter(({ kind }) => kind === "chunk");
      assert.ok(chunks.some(({ id }) => !sample.needs.has(id)));
      assert.ok(chunks.some(({ id }) => (sample.needs.get(id)?.length ?? 0) >= 3));
      assert.deepEqual(
        new Set(sample.blobs.map(({ kind }) => kind)),
        new Set(["chunk", "page", "root", "file", ...(encrypted ? [] : ["tree"])]),
      );
    });

    it("a sound repository is never reported", () => assertSound(sample));

    it("in any object that is not a pack is found, the object named, and no snapshot blamed", async () => {
      const { backend } = sample.test;
      const kinds = new Set<string>();
      const objects = (await objectSizes(backend)).filter(({ key }) => !key.startsWith("packs/"));
      for (const { key, sizeBytes } of objects.sort((a, b) => a.sizeBytes - b.sizeBytes)) {
        const kind = key.replace(/[0-9a-f-]{32,}/, "");
        const isFirst = !kinds.has(kind);
        const stride = isFirst ? STRIDE : Math.ceil(sizeBytes / SAMPLED_BYTES);
        kinds.add(kind);
        for (let at = 0; at < sizeBytes; at += isFirst && at < HEADER_BYTES ? 1 : stride) {
          // Objects are checked in the same way with and without the packs, which take most of the time.
          const readData = at % 16 === 0;
          const report = await withFlip(backend, key, at, mask(at), () => sample.test.verify({ readData }));
          const about = `${key} byte ${at}`;
          assert.equal(report.ok, false, about);
          assert.deepEqual(
            report.objects.problems.map(({ object }) => object),
            [key],
            about,
          );
          const [problem] = report.objects.problems;
          assert.ok(problem?.message.includes(key.split("/").at(-1) as string), `${about}: ${problem?.message}`);
          assert.deepEqual(report.packs.problems, [], about);
          const hidden = key.startsWith("snapshots/") ? key.slice(10) : "";
          for (const { sid, result } of report.snapshots) if (sid !== hidden) assertVerdict(sample, key, sid, result);
        }
      }
    });

    it("in any table of a pack is found, and no snapshot blamed", async () => {
      const { backend } = sample.test;
      const packs = await objectSizes(backend, "packs/");
      for (const { key, sizeBytes } of packs) {
        const name = key.slice(-41);
        const places = Array.from({ length: sizeBytes }, (_, at) => at).filter(
          (at) => !blobAt(sample, name as never, at),
        );
        const step = Math.ceil(places.length / TABLE_BYTES);
        for (let i = 0; i < places.length; i += step) {
          const at = places[i] as number;
          const report = await withFlip(backend, key, at, mask(at), () => sample.test.verify());
          assertPackReport(sample, report, name, at);
        }
      }
    });

    it("in any header of a blob is found, with what it takes away", async () => {
      const { backend } = sample.test;
      for (const [turn, blob] of sample.blobs.entries()) {
        const seed = noise(blob.start, 2);
        // Each byte of one header of each kind, some bytes of the others.
        const isFirst = sample.blobs.find(({ kind }) => kind === blob.kind) === blob;
        if (!isFirst && turn % STRIDE !== 0) continue;
        for (let at = blob.start; at < blob.start + 64; at += isFirst ? 1 : 16 + (seed[0]! % 16)) {
          const key = objectName.pack(blob.pack);
          const report = await withFlip(backend, key, at, mask(at), () => sample.test.verify());
          assertPackReport(sample, report, blob.pack, at);
        }
      }
    });

    it("anywhere in the packs is found, with what it takes away", async () => {
      const { backend } = sample.test;
      const packs = await objectSizes(backend, "packs/");
      const seeds = noise(encrypted ? 11 : 12, 3 * PLACES);
      for (let i = 0; i < PLACES; i++) {
        const { key, sizeBytes } = packs[i % packs.length] as { key: string; sizeBytes: number };
        const at = ((seeds[3 * i]! << 16) | (seeds[3 * i + 1]! << 8) | seeds[3 * i + 2]!) % sizeBytes;
        const report = await withFlip(backend, key, at, 1 + (seeds[i]! % 255), () => sample.test.verify());
        assertPackReport(sample, report, key.slice(-41), at);
      }
    });

    it("(and afterwards the repository is as sound as before)", () => assertSound(sample));
  });
}

/** Damage of a `forgotten` object brings its snapshot back, whose chunks may be gone: all others stay as they were. */
function assertVerdict(sample: DamageSample, key: string, sid: string, result: string): void {
  const isKnown = sample.manifests.some((manifest) => manifest.sid === sid);
  if (isKnown) assert.equal(result, "ok", `${key}: ${sid}`);
  else assert.equal(key, `forgotten/${sid}`);
}
