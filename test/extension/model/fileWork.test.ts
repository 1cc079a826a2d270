import assert from "node:assert/strict";
import { changeDescription, countsInWords, countsText, growthText } from "../../../extension/model/changeWords.js";
import { spanText, versionRows, versionWords } from "../../../extension/model/fileVersions.js";
import { localPathOf, pathInMachine, readMachineFolders } from "../../../extension/model/machineFolders.js";
import { durationText, ProgressMeter, progressText } from "../../../extension/model/progressMeter.js";
import { remedyOf } from "../../../extension/model/remedies.js";
import {
  isIncomplete,
  restoreFolderName,
  restoreReportText,
  restoreSummary,
} from "../../../extension/model/restoreReport.js";
import { labelText, messageText, shortened, shortenedWords } from "../../../extension/model/shownName.js";
import type { HistoryData, PeriodData, SnapshotData } from "../../../extension/service/protocol.js";

const MIB = 1024 * 1024;
const t = (text: string, ...values: (string | number)[]) =>
  text.replace(/\{(\d)\}/g, (_, index) => String(values[Number(index)]));

describe("progress in words", () => {
  it("tells rate and remaining time once they can be told", () => {
    const meter = new ProgressMeter();
    const total = 100 * MIB;
    assert.equal(progressText(meter.read({ done: 0, total }, 0), "en", t), "0 B of 100 MiB");
    assert.equal(progressText(meter.read({ done: 5 * MIB, total }, 500), "en", t), "5 MiB of 100 MiB");
    const later = meter.read({ done: 20 * MIB, total }, 2000);
    assert.equal(progressText(later, "en", t), "20 MiB of 100 MiB · 10 MiB/s · 8 s left");
    assert.equal(Math.round(later.incrementPercent), 15);
  });

  it("forgets how fast it was, and never goes back", () => {
    const meter = new ProgressMeter();
    meter.read({ done: 0, total: 1000 * MIB }, 0);
    for (let second = 1; second <= 20; second++)
      meter.read({ done: 10 * second * MIB, total: 1000 * MIB }, second * 1000);
    for (let second = 21; second <= 40; second++)
      meter.read({ done: (180 + second) * MIB, total: 1000 * MIB }, second * 1000);
    const { bytesPerSecond } = meter.read({ done: 221 * MIB, total: 1000 * MIB }, 41_000);
    assert.equal(Math.round((bytesPerSecond ?? 0) / MIB), 1);
    assert.equal(meter.read({ done: 0, total: 1000 * MIB }, 42_000).incrementPercent, 0);
  });

  it("does without a total", () => {
    const meter = new ProgressMeter();
    meter.read({ done: 0 }, 0);
    assert.equal(progressText(meter.read({ done: 4 * MIB }, 2000), "en", t), "4 MiB · 2 MiB/s");
    assert.equal(meter.read({ done: 4 * MIB, total: 0 }, 3000).incrementPercent, 0);
  });

  it("says how long in two units at most", () => {
    const texts = [0, 8.2, 125, 12_000, 180_000].map((seconds) => durationText(seconds, t));
    assert.deepEqual(texts, ["0 s", "9 s", "2 min 5 s", "3 h 20 min", "2 d 2 h"]);
  });
});

describe("names of backups in labels and messages", () => {
  it("are no icons, no links and not endless", () => {
    assert.equal(labelText("a $(trash) b $(sync~spin)"), "a \\$(trash) b \\$(sync~spin)");
    assert.equal(messageText("[Save](command:workbench.action.quit)"), "[Save] \u200b(command:workbench.action.quit)");
    const long = shortened("x".repeat(4096));
    assert.equal([...long].length, 200);
    assert.equal(shortened("short"), "short");
  });
});

describe("folders of this computer that are a machine's", () => {
  const folders = readMachineFolders([
    { machine: "vm/web1", folder: "/srv/config", path: "/etc" },
    { machine: "vm/web1", folder: "/srv/config/nginx", path: "/sda/p2/etc/nginx", repository: "home" },
    { machine: "vm/web1", folder: "", path: "/etc" },
    { machine: 5, folder: "/x", path: "/etc" },
    { machine: "vm/web1", folder: "/x", path: "etc" },
    null,
  ]);
  const asIs = ({ folder }: { folder: string }) => folder;

  it("leave out what has the wrong shape", () => {
    assert.equal(folders.length, 2);
    assert.deepEqual(readMachineFolders("nonsense"), []);
  });

  it("find the path in the machine, by the innermost folder", () => {
    const at = (path: string) => pathInMachine(folders, path, asIs)?.path;
    assert.equal(at("/srv/config/hosts"), "/etc/hosts");
    assert.equal(at("/srv/config/nginx/a.conf"), "/sda/p2/etc/nginx/a.conf");
    assert.equal(at("/srv/config"), "/etc");
    assert.equal(at("/srv/configuration"), undefined);
    assert.equal(at("/srv/config/odd\\x41"), "/etc/odd\\\\x41");
  });

  it("find the way back", () => {
    const [etc] = folders as [(typeof folders)[number]];
    assert.equal(localPathOf(etc, "/sda/p2/etc/hosts", asIs), "/srv/config/hosts");
    assert.equal(localPathOf(etc, "/etc/odd\\\\x41", asIs), "/srv/config/odd\\x41");
    assert.equal(localPathOf(etc, "/sda/p2/etc/bad-\\xff", asIs), undefined);
    assert.equal(localPathOf(etc, "/sda/p2/var/x", asIs), undefined);
  });
});

describe("versions of a file", () => {
  const snapshot = (day: number) => ({ snapshotId: `s${day}`, timeMs: Date.UTC(2026, 10, day) }) as SnapshotData;
  const period = (version: number | null, from: number, to: number, problem: string | null = null): PeriodData => {
    return { version, problem, first: snapshot(from), last: snapshot(to), snapshots: to - from + 1 };
  };
  const version = (number: number) =>
    ({ number, kind: "file", sizeBytes: 1024 * number }) as HistoryData["versions"][number];
  const rows = versionRows({
    versions: [version(1), version(2)],
    periods: [period(1, 1, 2), period(null, 3, 3), period(2, 4, 4), period(1, 5, 9)],
  });

  it("are newest first, with times of absence, and what came before", () => {
    const words = rows.map((row) => versionWords(row, "en", t));
    assert.deepEqual(words, [
      "1 KiB · current · version 1 again · 5 snapshots",
      "2 KiB · version 2 · 1 snapshot",
      "not there · 1 snapshot",
      "1 KiB · version 1 · 2 snapshots",
    ]);
    assert.deepEqual(
      rows.map(({ previous }) => previous?.version?.number),
      [2, 1, 1, undefined],
    );
  });

  it("name their time", () => {
    const now = period(1, 2, 2).last.timeMs;
    assert.match(spanText(period(1, 1, 2), now, "en", "UTC"), /^Nov 1\s–\s2$/);
    assert.match(spanText(period(1, 1, 1), now, "en", "UTC"), /^Nov 1, \d+:\d\d\s[AP]M$/);
    const later = Date.UTC(2027, 0, 1);
    assert.match(spanText(period(1, 1, 2), later, "en", "UTC"), /^Nov 1\s–\s2, 2026$/);
  });

  it("say why one cannot be read", () => {
    const [row] = versionRows({ versions: [], periods: [period(null, 1, 1, "chunk 12 is damaged")] });
    assert.match(versionWords(row as (typeof rows)[number], "en", t), /chunk 12 is damaged/);
  });
});

describe("changes in words", () => {
  const totals = {
    counts: { added: 3, removed: 1, changed: 0, metadata: 2, unreadable: 1 },
    addedBytes: 2048,
    removedBytes: 5,
  };
  const nothing = {
    counts: { added: 0, removed: 0, changed: 0, metadata: 0, unreadable: 0 },
    addedBytes: 0,
    removedBytes: 0,
  };
  const file = { name: "x", path: "/x", isFolder: false, before: null, after: null, metadata: [], problem: null };

  it("are counted", () => {
    assert.equal(countsText(totals), "+3 −1 m2 !1");
    assert.equal(countsInWords(totals, t), "3 added, 1 removed, 2 with other metadata only, 1 not comparable");
    assert.equal(countsInWords(nothing, t), "nothing changed");
    assert.equal(growthText(totals, "en"), "+2 KiB −5 B");
  });

  it("are described", () => {
    const text = (data: object) => changeDescription({ ...file, ...totals, change: null, ...data }, "en", t);
    assert.equal(text({ isFolder: true }), "+3 −1 m2 !1 · +2 KiB −5 B");
    assert.equal(text({ ...nothing, change: "metadata", metadata: ["mode", "modified"] }), "mode, time");
    assert.equal(text({ ...nothing, change: "unreadable", problem: "gone" }), "gone");
    const sides = { before: { kind: "file" }, after: { kind: "symlink" } };
    assert.equal(text({ ...nothing, ...sides, change: "changed" }), "file → symlink");
    assert.equal(text({ ...nothing, change: "added", addedBytes: 10 }), "added · +10 B");
  });
});

describe("what to do about an error", () => {
  const remedy = (code: string, hint?: string, data = {}) => remedyOf({ code, hint, data }, t);

  it("is done in the editor, not on the command line", () => {
    const hints: [string, string, RegExp][] = [
      ["TARGET_FULL", "what was restored stays; free some and run it again with --keep-existing", /^choose another/],
      ["TARGET_EXISTS", "use --force to replace its contents", /^choose another folder or free space/],
      ["FILE_NOT_FOUND", "list the snapshot with ls SNAPSHOT:/ and its disks (sda) below", /Find Files by Name/],
      ["REPOSITORY_NOT_FOUND", "check the location, or make one with reprise init", /Make New Repository/],
      ["STORAGE_FAILED", "was the disk unmounted? Mount it again and repeat the command", /Mount it again, then/],
      ["STORAGE_FAILED", "repeat the command", /^try again$/],
      [
        "FORGET_RECORD_UNREADABLE",
        "restore the object, or say reprise forget --confirm when you know",
        /in a terminal$/,
      ],
    ];
    for (const [code, hint, expected] of hints) assert.match(remedy(code, hint) ?? "", expected, hint);
  });

  it("stays as it is where it holds in the editor", () => {
    assert.equal(remedy("STORAGE_FAILED", "free space on the server"), "free space on the server");
    assert.equal(remedy("TARGET_EXISTS", "choose a new folder in /t"), "choose a new folder in /t");
    assert.equal(remedy("NO_HINT"), undefined);
  });

  it("says that what was written is gone on with", () => {
    const kept = "what was written so far is kept in /t/.a: the same command goes on with it; remove it to begin anew";
    const again = "restored to the same place again, it goes on where it stopped";
    assert.equal(remedy("TARGET_WRITE_FAILED", kept, { kept: ["/t/.a"] }), again);
    assert.equal(remedy("TARGET_READ_ONLY", `check it; ${kept}`, { kept: ["/t/.a"] }), `check it; ${again}`);
  });

  it("repeats no path of thousands of characters", () => {
    const text = shortenedWords(`/${"x".repeat(5000)}: no file system has it`);
    assert.ok(text.length < 250 && text.endsWith(": no file system has it"), text);
  });
});

describe("the report of a restore", () => {
  const files = { to: "/t", files: 12, folders: 3, links: 0, special: 0, sizeBytes: 9, bytesWritten: 2048, kept: 0 };
  const clean = { ...files, skipped: 0, skippedFiles: [], leftOut: [] };
  const done = {
    subject: "vm/web1 /etc",
    name: "/etc",
    time: "today",
    to: "/home/me/project/t",
    seconds: 3,
    files: clean,
    disks: [],
  };

  it("is one sentence when all went well", () => {
    assert.equal(
      restoreSummary(done, "en", t),
      "Restored /etc to …/project/t: 12 files, 3 folders, 2 KiB written in 3 s.",
    );
    const one = { ...done, files: { ...clean, files: 1, folders: 0 } };
    assert.equal(restoreSummary(one, "en", t), "Restored /etc to …/project/t: 1 file, 2 KiB written in 3 s.");
    assert.equal(isIncomplete(done), false);
  });

  it("names what is missing, and how much more there is", () => {
    const skipped = { ...clean, skipped: 5, skippedFiles: [{ path: "/dev/null", reason: "a device" }] };
    const bad = { ...done, files: skipped };
    assert.ok(isIncomplete(bad));
    assert.match(restoreSummary(bad, "en", t), /5 could not be restored/);
    const report = restoreReportText(bad, "en", t);
    assert.match(report, /\/dev\/null: a device/);
    assert.match(report, /… and 4 more/);
  });

  it("gives each snapshot a folder of its own", () => {
    const snapshot = { machine: "prod:vm/web1", timeMs: Date.UTC(2026, 10, 22, 10, 2, 3) };
    assert.equal(restoreFolderName(snapshot), "web1-20261122-100203");
  });

  it("says where a disk has zeros instead of data", () => {
    const lost = [{ offset: 65536, length: 4096, reason: "chunk is damaged" }];
    const disk = { name: "sda", path: "/t/sda.raw", sizeBytes: MIB, bytesWritten: MIB, bytesKept: 0, lost };
    const disks = { ...done, files: null, disks: [disk] };
    assert.match(
      restoreSummary(disks, "en", t),
      /Restored sda to …\/project\/t: 1 MiB written in 3 s.*1 damaged ranges are zeros/,
    );
    assert.match(restoreReportText(disks, "en", t), /65536 \+ 4096/);
  });
});
