import assert from "node:assert/strict";
import { joined } from "../../../core/report/markup.js";
import { gcPreview, outdatedNote, prunePreview } from "../../../extension/overview/previewContent.js";
import type { PrunePlanData } from "../../../extension/service/actionsProtocol.js";

const t = (text: string, ...values: (string | number)[]) =>
  text.replaceAll(/\{(\d)\}/g, (_, i) => String(values[Number(i)]));
const reader = { t, locale: "en", timeZone: "UTC" };

function prunePlan(lines: number): PrunePlanData {
  const marks = ["keep", "remove", "protected"] as const;
  return {
    plan: "p",
    timeZone: "UTC",
    removes: Math.floor((lines + 1) / 3),
    lines: Array.from({ length: lines }, (_, i) => ({
      ...{ machine: i < lines / 2 ? "vm/web1" : "vm/<b>odd", snapshotId: String(i).padStart(32, "0") },
      ...{ timeMs: Date.parse("2026-04-01T02:00:00Z") - i * 86_400_000, mark: marks[i % 3] as "keep" },
      ...{ reasons: ["newest of the day", "not more than 7"], newBytes: 1_000_000 * i },
    })),
  };
}

describe("previews of prune and gc", () => {
  it("say so when their plan does not hold any more", () => {
    assert.match(outdatedNote(t).source, /role="alert">This plan does not hold any more.*Nothing was changed\./);
  });

  it("name every snapshot, what happens to it and why", () => {
    const { source } = joined([...prunePreview(prunePlan(12), "daily=7", reader)]);
    assert.match(source, /<b>Snapshots that go: 4; that stay: 8\.<\/b> Nothing has been changed yet/);
    assert.equal(Array.from(source.matchAll(/badge remove">goes/g)).length, 4);
    assert.equal(Array.from(source.matchAll(/newest of the day; not more than 7/g)).length, 12);
    assert.match(
      source,
      /<h2 id="machine-0"><span class="name" title="vm\/web1">vm\/web1<.*<h2 id="machine-1"><span [^>]*>vm\/&lt;b&gt;odd</s,
    );
  });

  it("say how many lines they leave out", () => {
    assert.match(joined([...prunePreview(prunePlan(5_010), "last=1", reader)]).source, /Lines that are not shown: 10/);
  });

  it("name packs, bytes and what stays", () => {
    const none = { plan: "p", totalBytes: 1024, freedBytes: 0, repackedBytes: 0, unusedBytes: 0, packs: [] };
    assert.match(gcPreview({ ...none, packsChanged: 0, packsKept: 3 }, reader).source, /There is nothing to free/);
    const packs = [{ name: "a-1", sizeBytes: 2048, usedBytes: 0, action: "delete", reason: "<no> snapshot needs it" }];
    const { source } = gcPreview({ ...none, freedBytes: 2048, packs, packsChanged: 4, packsKept: 3 }, reader);
    assert.match(source, /2 KiB of 1 KiB would be freed/);
    assert.match(source, /badge delete">is deleted.*&lt;no&gt; snapshot needs it/s);
    assert.match(source, /Packs that are not shown: 3/);
  });
});
