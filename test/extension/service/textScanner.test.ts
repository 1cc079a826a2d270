import assert from "node:assert/strict";
import fc from "fast-check";
import { TextScanner } from "../../../extension/service/textScanner.js";

function scan(text: string, wanted: string, { matchCase = false, pieces = [] as number[], maxLines = 100 } = {}) {
  const bytes = new TextEncoder().encode(text);
  const scanner = new TextScanner(wanted, matchCase, maxLines);
  let from = 0;
  for (const length of [...pieces, bytes.length]) {
    scanner.add(bytes.subarray(from, from + length));
    from += length;
  }
  scanner.end();
  return scanner.lines;
}

describe("text in the lines of a file", () => {
  it("is found with its place, as the editor counts", () => {
    const [found, ...more] = scan("one\n\u00e4\u{1f600} Hostname web1\nlast", "hostname");
    assert.deepEqual(more, []);
    assert.deepEqual([found?.line, found?.column, found?.length], [1, 4, 8]);
    assert.equal(found?.text.slice(found.from, found.to), "Hostname");
  });

  it("counts capital letters when it is told to, and takes no character for a pattern", () => {
    assert.equal(scan("Abc abc", "Abc", { matchCase: true })[0]?.column, 0);
    assert.deepEqual(scan("abc", "Abc", { matchCase: true }), []);
    assert.equal(scan("a.b\naxb\n(a|b)*", "(a|b)*")[0]?.line, 2);
    assert.deepEqual(scan("axb", "a.b"), []);
  });

  it("is found whatever it is made of", () => {
    const punctuation = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => /\W|_/.test(c));
    assert.equal(punctuation.length, 33);
    for (const char of [...punctuation, punctuation.join("")])
      for (const matchCase of [false, true]) {
        const [found] = scan(`one\nbefore-${char}x`, `-${char}x`, { matchCase });
        assert.deepEqual([found?.line, found?.column], [1, 6], char);
      }
  });

  it("is found in lines that end as on Windows, without their ends", () => {
    const lines = scan("one needle\r\ntwo needle\r\n\r\nneedle\r", "needle");
    assert.deepEqual(
      lines.map(({ text }) => text),
      ["one needle", "two needle", "needle"],
    );
  });

  it("shows nothing that could do harm, and a part of long lines", () => {
    const [found] = scan(`${"x".repeat(500)}\u001b[31mneedle\u202e${"y".repeat(500)}`, "needle");
    assert.ok((found?.text.length ?? 0) < 400);
    for (const char of ["\u001b", "\u202e"]) assert.ok(!found?.text.includes(char));
    assert.equal(found?.text.slice(found.from, found.to), "needle");
  });

  it("needs no memory for a line without end", () => {
    const scanner = new TextScanner("needle", false, 10);
    const piece = new Uint8Array(1024 * 1024).fill(0x61);
    for (let i = 0; i < 64; i++) scanner.add(piece);
    scanner.add(new TextEncoder().encode("needle"));
    scanner.end();
    assert.deepEqual([scanner.lines[0]?.line, scanner.lines[0]?.column], [0, 64 * 1024 * 1024]);
  });

  it("is found in a long line wherever a piece of the file ends, once, with what is around it", () => {
    const long = `${"a\u{1f600}".repeat(50_000)}begin needle end${"b".repeat(100_000)}needle\r\nneedle`;
    const [whole, next, ...more] = scan(long, "needle");
    assert.deepEqual([whole?.line, whole?.column, next?.line, more.length], [0, 150_006, 1, 0]);
    const at = new TextEncoder().encode(long.slice(0, 150_000)).length;
    for (let cut = at - 5; cut < at + 200; cut++)
      assert.deepEqual(scan(long, "needle", { pieces: [cut] }), [whole, next]);
    assert.deepEqual(scan(long, "needle", { pieces: Array.from({ length: 50 }, () => 65_537) }), [whole, next]);
  });

  it("ends when it has enough", () => {
    assert.equal(scan("a\n".repeat(50), "a", { maxLines: 7 }).length, 7);
  });

  it("finds the same however the file is cut into pieces", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "A", "\n", "\u00e4", "\u{1f600}"), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(7), { maxLength: 20 }), (whole, pieces) => {
        assert.deepEqual(scan(whole, "ab", { pieces }), scan(whole, "ab"));
        const lines = whole.split("\n").flatMap((line, i) => (/ab/i.test(line) ? [i] : []));
        assert.deepEqual(
          scan(whole, "ab").map(({ line }) => line),
          lines,
        );
      }),
    );
  });
});
