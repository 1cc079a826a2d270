import assert from "node:assert/strict";
import {
  failureText,
  hitDescription,
  searchSubject,
  summaryText,
  textFaultWords,
} from "../../../extension/model/searchWords.js";
import type { SearchHit } from "../../../extension/service/searchProtocol.js";

const t = (text: string, ...values: (string | number)[]) =>
  text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)]));
const timeMs = Date.parse("2026-11-22T12:00:00Z");
const nothing = { hits: 0, lines: 0, complete: true, times: null, unreadable: 0, tooLarge: 0, binary: 0 };

describe("a search in words", () => {
  it("says what was looked for, and where", () => {
    const subject = { machine: "vm/web1", snapshot: null, path: "/", wanted: "*.conf" };
    assert.equal(searchSubject(subject, "en", t), "“*.conf” in vm/web1, all snapshots");
    assert.match(searchSubject({ ...subject, snapshot: { timeMs }, path: "/etc" }, "en", t), /2026.*, \/etc$/);
  });

  it("says what came out, and what was not looked at", () => {
    assert.equal(summaryText(nothing, "name", t), "Nothing was found.");
    assert.equal(summaryText({ ...nothing, hits: 3 }, "name", t), "Found: 3.");
    assert.equal(
      summaryText(
        { hits: 2, lines: 9, complete: false, times: null, unreadable: 1, tooLarge: 4, binary: 5 },
        "text",
        t,
      ),
      "Lines: 9; files: 2. There is more: look for something narrower, or in a folder. Not readable: 1. Files over 64 MiB, not searched: 4. Files that are no text: 5.",
    );
  });

  it("says why a text cannot be looked for before it is", () => {
    assert.equal(textFaultWords("", t), "Type what to look for");
    assert.equal(textFaultWords("e".repeat(1001), t), "At most 1000 characters, not 1001");
    assert.equal(textFaultWords("two\rlines", t), "Only one line can be looked for");
    assert.equal(textFaultWords("e".repeat(1000), t), undefined);
  });

  it("says that a search failed, and why, and not that it was stopped", () => {
    assert.equal(failureText("the storage is away", 0, t), "The search failed: the storage is away");
    assert.equal(failureText("gone", 2, t), "The search failed: gone. There may be more than is shown.");
  });

  it("says of a file where it lies, how large it is, and which snapshots have it", () => {
    const hit: SearchHit = {
      ...{ path: "/sda/p2/etc/hostname", kind: "file", sizeBytes: 5, modifiedAtMs: null, lines: [] },
      ...{ snapshotId: "", snapshotMs: timeMs },
    };
    const times = { snapshots: 1, firstMs: timeMs };
    assert.equal(hitDescription(hit, undefined, "en", t), "/sda/p2/etc · 5 B");
    assert.match(hitDescription(hit, null, "en", t), /^\/sda\/p2\/etc · 5 B · last in the snapshot of /);
    assert.match(hitDescription(hit, times, "en", t), /^\/sda\/p2\/etc · 5 B · in the snapshot of /);
    assert.match(hitDescription(hit, { ...times, snapshots: 3 }, "en", t), / · in 3 snapshots, .* to /);
  });
});
