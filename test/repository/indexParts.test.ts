import assert from "node:assert/strict";
import fc from "fast-check";
import { packName, type Sid } from "../../core/format/ids.js";
import type { PackContents } from "../../core/format/packIndex.js";
import { BLOBS_PER_INDEX, PACKS_PER_INDEX, splitForIndex } from "../../core/repository/indexParts.js";
import { WriterSession } from "../../core/repository/session.js";
import { objectSizes } from "../support/objectChanges.js";
import { TestRepository } from "../support/testRepository.js";

const sid = "00112233445566778899aabbccddeeff" as Sid;

function packOf(number: number, blobCount: number): PackContents {
  return { name: packName(sid, number), sizeBytes: 1000, blobCount, entries: new Uint8Array(0) };
}

describe("repository: tables of contents over index objects", () => {
  it("are all there, in order, and no part is above the limits unless it is one pack", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400_000), { maxLength: 300 }), (counts) => {
        const packs = counts.map((count, i) => packOf(i, count));
        const parts = splitForIndex(packs);
        assert.deepEqual(parts.flat(), packs);
        for (const part of parts) {
          assert.ok(part.length > 0 && part.length <= PACKS_PER_INDEX);
          const blobs = part.reduce((sum, { blobCount }) => sum + blobCount, 0);
          assert.ok(blobs <= BLOBS_PER_INDEX || part.length === 1);
        }
      }),
    );
  });

  it("of packs that hold a million tiny blobs each can still be written", async () => {
    const { repository, backend, onWarning } = await TestRepository.make();
    const session = await WriterSession.open(repository, { purpose: "test", group: null, onWarning });
    const blobCount = 700_000;
    const entries = new Uint8Array(48 * blobCount);
    const view = new DataView(entries.buffer);
    for (let blob = 0; blob < blobCount; blob++) {
      // Ids are digests: where they lie in a table is decided by any of their bytes.
      for (let word = 0; word < 8; word++)
        view.setUint32(48 * blob + 4 * word, Math.imul(blob + word, 0x9e3779b1), true);
      view.setUint32(48 * blob + 32, 64, true);
    }
    for (const number of [0, 1]) {
      await session.putPack({ name: packName(session.sid, number), bytes: new Uint8Array(1000), blobCount, entries });
    }
    await session.writeIndex();
    const sizes = await objectSizes(backend, "index/");
    assert.deepEqual(
      sizes.map(({ sizeBytes }) => sizeBytes > 33_000_000 && sizeBytes < 34_000_000),
      [true, true],
    );
    await session.abandon("test");
  }).timeout(60_000);
});
