// A small repository that holds one of everything: two machines whose snapshots share chunks, a forgotten snapshot whose
// chunks are dead space in packs, records, a quarantine, a finished and an open collection, an announcement. And a map of
// it made by other means than verify's: which bytes of which pack belong to which blob, and who needs that blob.

import { mkdir, writeFile } from "node:fs/promises";
import { encodeGcPlan } from "../../core/format/gcPlan.js";
import { bytesToHex, objectName, type PackName, packName, type Sid } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { type BlobKind, decodeBlobEntries } from "../../core/format/pack.js";
import { encodeRestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { encodeSession } from "../../core/format/session.js";
import { decodeTreeNode } from "../../core/format/treeNode.js";
import { BlobReader } from "../../core/repository/blobReader.js";
import { ImageReader } from "../../core/repository/imageReader.js";
import { readPackContents } from "../../core/repository/packReader.js";
import { listPacks, loadPresenceForReading } from "../../core/repository/presence.js";
import { writeRecord } from "../../core/repository/records.js";
import type { Repository } from "../../core/repository/repository.js";
import { withFlip } from "./objectChanges.js";
import { join, noise, prose } from "./sampleBytes.js";
import { sampleTestRecord } from "./sampleTestRecord.js";
import { makeTemporaryFolder } from "./temporaryFolder.js";
import { TestRepository, type TestRepositoryOptions } from "./testRepository.js";
import { backUpFolder, settle } from "./treeRepository.js";

export interface StoredBlob {
  pack: PackName;
  id: string;
  kind: BlobKind;
  /** Of the blob header, from the start of the pack. */
  start: number;
  end: number;
}

export interface LostPart {
  snapshot: Sid;
  archive: string;
  offset: number;
  length: number;
}

export interface DamageSample {
  test: TestRepository;
  manifests: Manifest[];
  /** Bytes of the disks by `sid/archive`. */
  disks: Map<string, Uint8Array>;
  blobs: StoredBlob[];
  /** What is lost when a blob is: by its id; a blob that is not in here is dead space. */
  needs: Map<string, LostPart[]>;
}

export const sampleDisks = (() => {
  const first = join(prose(1, 40_000), new Uint8Array(300_000), noise(2, 30_000), new Uint8Array(100_000));
  const second = first.slice();
  second.set(noise(3, 900), 10_000);
  return { first, second, other: noise(4, 20_000), dead: noise(5, 60_000), config: prose(6, 300) };
})();

/** `tree`: also a snapshot of a folder, with files of many chunks, of few and of none. */
export async function makeDamageSample(
  options: TestRepositoryOptions & { tree?: boolean } = {},
): Promise<DamageSample> {
  const test = await TestRepository.make(options);
  const { first, second, other, dead, config } = sampleDisks;
  const gone = await test.backUp("vm/gone", { root: join(first, dead) });
  const a1 = await test.backUp("vm/a", { root: first, data: other }, { files: [{ name: "a.conf", bytes: config }] });
  const a2 = await test.backUp("vm/a", { root: second });
  const b1 = await test.backUp("ct/b", { root: first }, { namespace: "prod" });
  const trees = options.tree === true ? [await backUpSampleTree(test)] : [];
  const unused = await test.backUp("vm/unused", { root: noise(7, 30_000) });
  await addSmallObjects(test, a2, gone, unused);
  const manifests = [a1, a2, b1, ...trees];
  const disks = new Map([
    [`${a1.sid}/root`, first],
    [`${a1.sid}/data`, other],
    [`${a2.sid}/root`, second],
    [`${b1.sid}/root`, first],
  ]);
  const { repository } = test;
  return { test, manifests, disks, blobs: await listBlobs(repository), needs: await findNeeds(repository, manifests) };
}

async function backUpSampleTree(test: TestRepository): Promise<Manifest> {
  const folder = await makeTemporaryFolder("damage-sample");
  try {
    await mkdir(`${folder.path}/kept/deeper`, { recursive: true });
    await writeFile(`${folder.path}/kept/few`, noise(21, 9000));
    await writeFile(`${folder.path}/kept/deeper/none`, "");
    await writeFile(`${folder.path}/many`, noise(22, 60_000));
    await settle();
    return (await backUpFolder(test, folder.path)).manifest as Manifest;
  } finally {
    await folder.remove();
  }
}

/** Forgets and collects, so that there are tombstones and dead space; the rest is written as its owners would. */
async function addSmallObjects(test: TestRepository, noted: Manifest, gone: Manifest, unused: Manifest): Promise<void> {
  const { repository } = test;
  await test.forget(gone.sid, unused.sid);
  await test.gc({ maxUnused: 1 });
  const { records } = await test.catalog();
  await writeRecord(repository, { type: "notes", data: { text: "kept" } }, [noted.sid], records);
  const restoreTest = { record: encodeRestoreTestRecord(sampleTestRecord()), envelopes: ["{}"] };
  await writeRecord(repository, { type: "restoreTest", data: restoreTest }, [noted.sid], records);
  await quarantineDeadChunk(test);
  const sid = repository.newId();
  const session = { sid, purpose: "backup", host: "h", pid: 1, group: "vm/x", startedAt: repository.nowIso(), beat: 0 };
  await repository.objects.write(objectName.session(sid), "session", encodeSession(session));
  const plan = { gid: repository.newId(), at: repository.nowIso(), by: "h", victims: [packName(sid, 0)] };
  await repository.objects.write(objectName.plan(plan.gid), "gcPlan", encodeGcPlan(plan));
}

/** A quarantine that speaks of a chunk that no snapshot needs, and records of a verification. */
async function quarantineDeadChunk(test: TestRepository): Promise<void> {
  const { snapshots } = await test.catalog();
  const needs = await findNeeds(
    test.repository,
    snapshots.map(({ manifest }) => manifest),
  );
  const deadBlob = (await listBlobs(test.repository)).find(({ id, kind }) => kind === "chunk" && !needs.has(id));
  if (deadBlob === undefined) throw new Error("the sample has no dead space");
  await withFlip(test.backend, objectName.pack(deadBlob.pack), deadBlob.end - 1, 1, () =>
    test.verify({ record: true }),
  );
}

/** Every blob of every pack, by the packs' own tables. */
export async function listBlobs(repository: Repository): Promise<StoredBlob[]> {
  const blobs: StoredBlob[] = [];
  for (const [pack, { sizeBytes }] of await listPacks(repository, {})) {
    const { entries, blobCount } = await readPackContents(repository.backend, pack, sizeBytes);
    for (const { id, kind, offset, storedLength } of decodeBlobEntries(entries, blobCount, pack)) {
      blobs.push({ pack, id: bytesToHex(id), kind, start: offset, end: offset + 64 + storedLength });
    }
  }
  return blobs;
}

/** What would be lost with each blob. */
export async function findNeeds(
  repository: Repository,
  manifests: readonly Manifest[],
): Promise<Map<string, LostPart[]>> {
  const needs = new Map<string, LostPart[]>();
  const note = (id: string, part: LostPart) => needs.set(id, [...(needs.get(id) ?? []), part]);
  const { index } = await loadPresenceForReading(repository, { onWarning: () => {} });
  const blobs = new BlobReader(repository, index);
  for (const { sid, archives } of manifests) {
    for (const archive of archives) {
      const where = { snapshot: sid, archive: archive.name };
      note(archive.root, { ...where, offset: 0, length: archive.sizeBytes });
      if (archive.kind === "file") continue;
      if (archive.kind === "tree") {
        await findTreeNeeds(blobs, archive.root, 0, (id, offset, length) => note(id, { ...where, offset, length }));
        continue;
      }
      const image = await ImageReader.open(archive, blobs);
      for (let page = 0; page < image.pageCount; page++) {
        const pageId = image.pageId(page);
        if (pageId === null) continue;
        note(bytesToHex(pageId), { ...where, ...image.pageSpan(page) });
        for (const { id, offset, length } of await image.readPage(page)) {
          if (id) note(bytesToHex(id), { ...where, offset, length });
        }
      }
    }
  }
  return needs;
}

/** By the frames of nodes alone, whatever the nodes mean. Files with holes and attributes of their own lie elsewhere. */
async function findTreeNeeds(
  blobs: BlobReader,
  id: string,
  start: number,
  note: (id: string, offset: number, length: number) => void,
): Promise<void> {
  const { refs } = decodeTreeNode(await blobs.read(Buffer.from(id, "hex")), id);
  let offset = start;
  for (const ref of refs) {
    const below = bytesToHex(ref.id);
    note(below, offset, ref.bytes);
    if (ref.kind === "node") await findTreeNeeds(blobs, below, offset, note);
    offset += ref.bytes;
  }
}

/** The blob that a byte of a pack belongs to; undefined: the pack's own tables. */
export function blobAt(sample: DamageSample, pack: PackName, at: number): StoredBlob | undefined {
  return sample.blobs.find((blob) => blob.pack === pack && at >= blob.start && at < blob.end);
}
