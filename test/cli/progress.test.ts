import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { throttledEvents } from "../../cli/progress/progressEvents.js";
import { ProgressLine, progressText } from "../../cli/progress/progressLine.js";
import { RateMeter } from "../../cli/progress/rateMeter.js";
import type { ProgressEvent } from "../../core/platform/progress.js";

const MIB = 1024 * 1024;

function event(done: number, more: Partial<ProgressEvent> = {}): ProgressEvent {
  return { operation: "backup", phase: "read", subject: "root", done, total: 100 * MIB, unit: "bytes", ...more };
}

describe("progress", () => {
  it("tells amount, share, speed and what remains", () => {
    assert.equal(
      progressText(event(25 * MIB), 5 * MIB),
      "backup root  [#####               ]   25 %  25.0 MiB of 100 MiB  5.0 MiB/s  0:15 left",
    );
    assert.equal(
      progressText(event(7, { total: undefined, unit: "objects", subject: undefined }), undefined),
      "backup: read  7 objects",
    );
    assert.ok(!progressText(event(1, { subject: "\x1b[2J" }), 1).includes("\x1b"));
  });

  it("draws at most ten times a second, in one line, and takes it away", () => {
    let now = 0;
    const stream = Object.assign(new PassThrough(), { columns: 40 });
    const line = new ProgressLine(stream, () => now);
    for (; now < 1000; now += 10) line.onProgress(event(now * 1024));
    line.erase();
    line.erase();
    const drawn = String(stream.read()).split("\r\x1b[K");
    assert.equal(drawn[0], "");
    assert.ok(drawn.length >= 10 && drawn.length <= 13, `${drawn.length} drawings`);
    assert.equal(drawn.at(-1), "");
    assert.ok(drawn.every((text) => text.length < 40 && !text.includes("\n")));
  });

  it("as events: the first and the last of each phase, and ten a second between", () => {
    let now = 0;
    const seen: { done: number; type: string }[] = [];
    const onProgress = throttledEvents(
      (entry) => seen.push(entry as { done: number; type: string }),
      () => now,
    );
    for (; now <= 1000; now += 10) onProgress(event(now, { total: 1000 }));
    onProgress(event(0, { phase: "other" }));
    assert.equal(seen[0]?.done, 0);
    assert.ok(seen.some(({ done }) => done === 1000));
    assert.ok(seen.length >= 11 && seen.length <= 13, `${seen.length} events`);
    assert.ok(seen.every(({ type }) => type === "progress"));
  });

  it("measures the speed of the last seconds", () => {
    const meter = new RateMeter();
    for (let at = 0; at <= 20_000; at += 20) meter.add(at, at < 10_000 ? 0 : at - 10_000);
    assert.equal(Math.round(meter.perSecond ?? 0), 1000);
    assert.equal(new RateMeter().perSecond, undefined);
  });
});
