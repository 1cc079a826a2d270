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
