// Of two backups within one second retention keeps the one that the catalog, and with it `@latest`, calls the newest.

import assert from "node:assert/strict";
import { planRepositoryPrune, pruneCandidates } from "../../core/forget/forget.js";
import type { Sid } from "../../core/format/ids.js";
import { inOrder, type Snapshot } from "../../core/repository/catalog.js";
import { resolveSnapshot } from "../../core/repository/snapshotName.js";
import { planPrune } from "../../core/retention/planPrune.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

const context = { timeZone: "UTC", nowMs: Date.UTC(2027, 0, 1) };
const scope = { group: null, namespace: null, keep: { last: 1 }, ...context };

describe("backups within the same second", () => {
  let first: Snapshot;

  before(async () => {
    const made = await TestRepository.make();
    await made.backUp("vm/x", { root: noise(1, 30_000) });
    first = (await made.catalog()).snapshots[0] as Snapshot;
  });

  /** The other things of `snapshot` are those of a real one. */
  const like = (id: string, given: Partial<Snapshot> = {}, finishedAt = first.manifest.finishedAt): Snapshot => {
    const sid = id.repeat(32) as Sid;
    return { ...first, sid, manifest: { ...first.manifest, sid, finishedAt }, ...given };
  };

  const keptAndLatest = (given: Snapshot[]) => {
    const snapshots = inOrder(given);
    const catalog = { snapshots, unreadable: [], unreadableRecords: [] } as unknown as Parameters<
      typeof planRepositoryPrune
    >[0];
    const [plan] = planRepositoryPrune(catalog, scope);
    const kept = plan?.decisions.filter(({ mark }) => mark === "keep").map(({ id }) => id);
    assert.deepEqual(
      plan?.decisions.map(({ id }) => id),
      snapshots.map(({ sid }) => sid as string).reverse(),
    );
    // the plan of a preview, which has no catalog
    const preview = planPrune(pruneCandidates(given), { last: 1 }, context);
    assert.deepEqual(
      preview.filter(({ mark }) => mark === "keep").map(({ id }) => id),
      kept,
    );
    return [kept, resolveSnapshot("vm/x@latest", { snapshots, unreadable: [] }).sid];
  };

  it("the one that ended last stays, whatever the ids", () => {
    const later = new Date(Date.parse(first.manifest.finishedAt) + 1000).toISOString().replace(".000", "");
    const newest = "a".repeat(32);
    assert.deepEqual(keptAndLatest([like("a", {}, later), like("f")]), [[newest], newest]);
    assert.deepEqual(keptAndLatest([like("f"), like("a", {}, later)]), [[newest], newest]);
  });

  it("and with the same end the one that was stored last", () => {
    const newest = "a".repeat(32);
    const stored = { storedAtMs: first.storedAtMs + 5 };
    assert.deepEqual(keptAndLatest([like("f"), like("a", stored)]), [[newest], newest]);
  });

  it("and without any difference the one with the higher id", () => {
    const newest = "f".repeat(32);
    assert.deepEqual(keptAndLatest([like("f"), like("a")]), [[newest], newest]);
  });

  it("a repaired one stays before the damaged one, unless that has been healed", () => {
    const damaged = like("f");
    const repaired = like("a", { storedAtMs: first.storedAtMs + 5 });
    repaired.manifest = { ...repaired.manifest, repairedFrom: damaged.sid };
    assert.equal(keptAndLatest([damaged, repaired])[1], repaired.sid);
    const at = first.manifest.finishedAt;
    const healed = { ...damaged, verification: { result: "ok", level: "data", at, damagedRanges: 0 } as const };
    assert.deepEqual(keptAndLatest([repaired, healed]), [[healed.sid as string], healed.sid]);
  });
});
