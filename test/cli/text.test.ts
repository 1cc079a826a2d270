import assert from "node:assert/strict";
import fc from "fast-check";
import { tableLines } from "../../cli/output/table.js";
import { jsonText, printable, renderLine, styled } from "../../cli/output/text.js";
import { bytesText, elapsedText, percentText, ratioText } from "../../cli/output/units.js";

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
    fc.constantFrom("\x1b", "\x9b", "\u202e", "\n", "\ud800"),
  ),
});

describe("text for terminals", () => {
  it("shows control and invisible characters as escapes", () => {
    assert.equal(
      printable("a\x1b[31mb\nc\td\u009b1m\u202eevil\u2028"),
      "a\\x1b[31mb\\nc\\td\\x9b1m\\u{202e}evil\\u{2028}",
    );
    assert.equal(printable("Größe 日本 🙂"), "Größe 日本 🙂");
  });

  it("never lets one through, whatever the text", () => {
    fc.assert(fc.property(anyText, (text) => !UNSAFE.test(printable(text))));
    fc.assert(fc.property(anyText, anyText, (a, b) => !UNSAFE.test(renderLine([a, styled("red", b)], false))));
  });

  it("adds colours only around escaped text", () => {
    assert.equal(renderLine(styled("red", "\x1b]0;x\x07"), true), "\x1b[31m\\x1b]0;x\\x07\x1b[0m");
    assert.equal(renderLine(["a", styled("bold", "b")], false), "ab");
  });

  it("writes JSON that is safe to print and means the same", () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, anyText), (value) => {
        const text = jsonText(value);
        assert.ok(!UNSAFE.test(text), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
    );
    assert.equal(jsonText({ a: [1] }, 2), '{\n  "a": [\n    1\n  ]\n}');
  });
});

describe("tables", () => {
  const render = (...args: Parameters<typeof tableLines>) => tableLines(...args).map((line) => renderLine(line, false));

  it("align columns and leave no blanks at the end", () => {
    const columns = [{ title: "NAME" }, { title: "SIZE", align: "right" as const }, { title: "" }];
    assert.deepEqual(
      render(columns, [
        ["root", "1 B", ""],
        ["a", "1000 B", [styled("red", "bad")]],
      ]),
      ["NAME    SIZE", "root     1 B", "a     1000 B  bad"],
    );
  });

  it("measure what is shown, not what was given", () => {
    assert.deepEqual(render([{ title: "A" }, { title: "B" }], [["\x1b", "x"]]), ["A     B", "\\x1b  x"]);
  });
});

describe("numbers for people", () => {
  it("bytes", () => {
    const shown = [0, 1, 1023, 1024, 1536, 1024 * 1023.96, 1024 ** 2, 123.4 * 1024 ** 3, 2 ** 46].map(bytesText);
    assert.deepEqual(shown, [
      "0 B",
      "1 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "1.0 MiB",
      "1.0 MiB",
      "123 GiB",
      "64.0 TiB",
    ]);
  });

  it("times, ratios, shares", () => {
    assert.deepEqual([0, 999, 12_345, 59_960, 245_000, 7_380_000].map(elapsedText), [
      "0 ms",
      "999 ms",
      "12.3 s",
      "1 min 00 s",
      "4 min 05 s",
      "2 h 03 min",
    ]);
    assert.deepEqual([ratioText(3, 1), ratioText(120, 10), ratioText(0, 1)], ["3.0 ×", "12 ×", "–"]);
    assert.deepEqual(
      [percentText(1, 3), percentText(1, 1000), percentText(0, 5), percentText(5, 5), percentText(1, 0)],
      ["33 %", "0.1 %", "0 %", "100 %", "–"],
    );
  });
});
