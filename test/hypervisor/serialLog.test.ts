import assert from "node:assert/strict";
import fc from "fast-check";
import { BoundedBytes } from "../../core/hypervisor/boundedBytes.js";
import { plainConsoleText } from "../../core/hypervisor/consoleText.js";
import { SerialLog } from "../../core/hypervisor/serialLog.js";
import { assertCode } from "../support/assertCode.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("serial log", () => {
  it("finds lines that came, that come, and that have not ended, without their escapes", async () => {
    const log = new SerialLog();
    log.feed(bytes("\x1b[0;32m  OK  \x1b[0m] Started\r\npart"));
    assert.equal((await log.waitFor(/^ {2}OK {2}\] Started$/, { timeoutMs: 10 })).text, "  OK  ] Started");
    assert.equal((await log.waitFor(/^part$/, { timeoutMs: 1000 })).text, "part");
    const later = log.waitFor(/login: $/, { timeoutMs: 1000 });
    log.feed(bytes("ly\ntiny log"));
    log.feed(bytes("in: "));
    assert.equal((await later).text, "tiny login: ");
    assert.deepEqual(
      log.lines.map(({ text }) => text),
      ["  OK  ] Started", "partly"],
    );
    const whole = log.waitFor(/login: r/, { timeoutMs: 1000 });
    log.feed(bytes("root"));
    log.feed(bytes("!\nnext"));
    assert.equal((await whole).text, "tiny login: root!");
    const { data } = await assertCode(log.waitFor(/never/, { timeoutMs: 20 }), "SERIAL_SILENT");
    assert.equal(data.lastLine, "tiny login: root!");
    await assert.rejects(log.waitFor(/never/, { timeoutMs: 1000, signal: AbortSignal.abort() }), {
      name: "AbortError",
    });
  });

  it("takes everything out that is not text", () => {
    const hostile = "\x1b]0;owned\x07\x1b]52;c;YQ==\x1b\\\x1b[2J\x1bPq#0\x1b\\a\u202eb\u200b\x00\x9b31mc\x1b(B\x1b";
    assert.equal(plainConsoleText(hostile), "ab31mc");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        assert.doesNotMatch(plainConsoleText(text), /[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 200 },
    );
  });

  it("keeps the beginning and the end of a flood, in bounded memory", () => {
    const log = new SerialLog();
    log.feed(bytes("first\n"));
    const junk = new Uint8Array(256 * 1024).fill(0x78);
    for (let round = 0; round < 100; round++) log.feed(junk);
    log.feed(bytes("\nlast\n"));
    const contents = Buffer.from(log.contents());
    assert.ok(contents.length < 6 * 1024 * 1024);
    assert.equal(log.byteCount, 100 * junk.length + 12);
    assert.ok(contents.subarray(0, 6).equals(bytes("first\n")));
    assert.match(contents.subarray(1024 * 1024, 1024 * 1024 + 60).toString(), /^\n\[\d+ bytes are left out here\]\n/);
    assert.equal(log.lines.at(-1)?.text, "last");
    assert.ok(log.lines.every(({ text }) => text.length <= 4096));
    assert.ok(log.lines.reduce((sum, { text }) => sum + text.length, 0) <= 4 * 1024 * 1024);
  });

  it("is not slowed down by countless lines or pieces", () => {
    const log = new SerialLog();
    const lines = bytes("x\n".repeat(32 * 1024));
    const started = performance.now();
    for (let round = 0; round < 8; round++) log.feed(lines);
    for (let round = 0; round < 100_000; round++) log.feed(lines.subarray(0, 1));
    assert.ok(performance.now() - started < 15_000, `${performance.now() - started} ms`);
    assert.ok(log.lines.length <= 50_000);
  });

  it("has the bytes of a stream's beginning and end, however they come", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (pieces) => {
        const kept = new BoundedBytes(10, 16);
        for (const piece of pieces) kept.add(piece);
        const whole = Buffer.concat(pieces);
        const { head, leftOut, tail } = kept.parts();
        assert.equal(kept.count, whole.length);
        assert.deepEqual([...head], [...whole.subarray(0, 10)]);
        assert.equal(leftOut, Math.max(0, whole.length - 26));
        assert.deepEqual([...tail], [...whole.subarray(Math.max(10, whole.length - 16))]);
      }),
      { numRuns: 200 },
    );
  });

  it("cuts bytes at any place into the same lines", () => {
    const text = "one\r\ntwo\n\x1b[1mthree\x1b[0m\nvier: ö\n";
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 20 }), (cuts) => {
        const log = new SerialLog();
        let rest = bytes(text);
        for (const cut of cuts) {
          log.feed(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        log.feed(rest);
        assert.deepEqual(
          log.lines.map((line) => line.text),
          ["one", "two", "three", "vier: ö"],
        );
      }),
      { numRuns: 100 },
    );
  });
});
