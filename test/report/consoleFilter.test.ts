import assert from "node:assert/strict";
import fc from "fast-check";
import { ConsoleFilter } from "../../core/report/consoleFilter.js";

const filtered = (text: string) => Buffer.from(new ConsoleFilter().pass(Buffer.from(text))).toString();

describe("console on a terminal", () => {
  it("passes text, colours and cursor, and no strings for the terminal", () => {
    assert.equal(filtered("a\x1b[31mb\x1b[2J\x1b(Bc ö ¬\r\n"), "a\x1b[31mb\x1b[2J\x1b(Bc ö ¬\r\n");
    assert.equal(filtered("a\x1b]0;title\x07b\x1b]52;c;YQ==\x1b\\c\x1bPq#0\x1b\\d\x1b_x\x1b[31me"), "abcd\x1b[31me");
    assert.equal(filtered("a\u009d0;title\u0007b\u009bc\x1b\x1b]x\x07d"), "a0;title\x07bcd");
  });

  it("does the same wherever the bytes are cut", () => {
    const text = Buffer.from("a\x1b]0;t\x1b\\b\u009dc\x1b[1mö");
    const whole = Buffer.from(new ConsoleFilter().pass(text)).toString("hex");
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { maxLength: 20 }), (cuts) => {
        const filter = new ConsoleFilter();
        const shown: Uint8Array[] = [];
        let rest = text;
        for (const cut of cuts) {
          shown.push(filter.pass(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        shown.push(filter.pass(rest));
        assert.equal(Buffer.concat(shown).toString("hex"), whole);
      }),
      { numRuns: 100 },
    );
  });
});
