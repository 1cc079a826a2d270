import assert from "node:assert/strict";
import { commandLine } from "../../../extension/model/commandLine.js";
import { groupByDay } from "../../../extension/model/snapshotDays.js";
import { stateIcon, stateWords } from "../../../extension/model/snapshotState.js";
import { ageText, dayTitle, sizeText, timeOfDay } from "../../../extension/model/words.js";
import type { SnapshotData } from "../../../extension/service/protocol.js";

const now = Date.UTC(2026, 10, 22, 12);
const hour = 3_600_000;
const day = 24 * hour;
const same = (text: string) => text;

function snapshot(changes: Partial<SnapshotData> = {}): SnapshotData {
  return {
    ...{ snapshotId: "0".repeat(32), machine: "vm/web1", timeMs: now, finishedAtMs: now, host: "h", mode: "offline" },
    ...{ consistency: "crash", notes: "", tags: [], protected: false, encrypted: true, sizeBytes: 1, newBytes: 1 },
    ...{ storedBytes: 1, disks: [], verification: null, restoreTest: null, repairedFrom: null },
    ...changes,
  };
}

describe("words of the extension", () => {
  it("for sizes have three digits at most", () => {
    const sizes = [0, 999, 1000, 1536, 32 * 1024 ** 2, 1023.9 * 1024 ** 2, 5 * 1024 ** 3, Number.MAX_SAFE_INTEGER];
    assert.deepEqual(
      sizes.map((size) => sizeText(size, "en")),
      ["0 B", "999 B", "1 KiB", "1.5 KiB", "32 MiB", "1 GiB", "5 GiB", "8 PiB"],
    );
    assert.equal(sizeText(1536, "fr"), "1,5 Kio");
  });

  it("for times say how long ago, in the language of the editor", () => {
    assert.match(ageText(now - 3 * hour, now, "en"), /^3 hr?\.? ago$/);
    assert.equal(ageText(now - day, now, "en"), "yesterday");
    assert.equal(ageText(now - 1000, now, "en"), "now");
    assert.equal(ageText(now - day, now, "fr"), "hier");
    assert.equal(dayTitle(now, now, "en", "UTC"), "Today");
    assert.equal(dayTitle(now - day, now, "fr", "UTC"), "Hier");
    assert.equal(dayTitle(now - 2 * day, now, "en", "UTC"), "Friday, November 20");
    assert.equal(dayTitle(now - 400 * day, now, "en", "UTC"), "Saturday, October 18, 2025");
    assert.equal(timeOfDay(now, "fr", "UTC"), "12:00");
  });

  it("group snapshots by the days of the time zone", () => {
    const at = (timeMs: number) => snapshot({ timeMs });
    const list = [at(now), at(now - hour), at(now - 13 * hour), at(now - 3 * day)];
    const lengths = (zone: string) => groupByDay(list, zone).map(({ snapshots }) => snapshots.length);
    assert.deepEqual(lengths("UTC"), [2, 1, 1]);
    assert.deepEqual(lengths("Asia/Tokyo"), [3, 1]);
    assert.deepEqual(lengths("America/Los_Angeles"), [2, 1, 1]);
    assert.deepEqual(groupByDay([]), []);
  });

  it("claim nothing that is not recorded, and show damage first", () => {
    assert.deepEqual([stateIcon(snapshot()).id, stateWords(snapshot(), same)], ["history", []]);
    const verification = { result: "ok" as const, level: "data" as const, atMs: now, damagedRanges: 0 };
    const restoreTest = { outcome: "passed", provenLevel: "boots", atMs: now };
    const good = snapshot({ verification, restoreTest, protected: true });
    assert.deepEqual(stateWords(good, same), ["boots", "verified", "protected"]);
    assert.equal(stateIcon(good).id, "pass-filled");
    const bad = snapshot({ ...good, verification: { ...verification, result: "damaged", damagedRanges: 2 } });
    assert.deepEqual(stateWords(bad, same), ["damaged", "boots", "protected"]);
    assert.equal(stateIcon(bad).id, "error");
    const failed = snapshot({ verification, restoreTest: { ...restoreTest, outcome: "failed", provenLevel: null } });
    assert.deepEqual(stateWords(failed, same), ["restore test failed", "verified"]);
    assert.equal(stateIcon(snapshot({ restoreTest: { ...restoreTest, outcome: "inconclusive" } })).id, "history");
  });

  it("make command lines that a shell takes as they are meant", () => {
    assert.equal(commandLine("/srv/backup", ["ls", "ab:/etc"]), "reprise ls ab:/etc --repo /srv/backup");
    assert.equal(commandLine("~/b", ["cat", "ab:/it's $x"]), "reprise cat 'ab:/it'\\''s $x' --repo '~/b'");
  });
});
