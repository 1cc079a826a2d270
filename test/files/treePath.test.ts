import assert from "node:assert/strict";
import fc from "fast-check";
import { printable } from "../../cli/output/text.js";
import { compileGlob } from "../../core/files/nameGlob.js";
import { formatTreePath, parseTreePath } from "../../core/files/treePath.js";
import { assertCode } from "../support/assertCode.js";

/** What file systems let through. */
const names = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x41 : byte)))
  .filter((name) => !name.every((byte) => byte === 0x2e));
const textNames = fc
  .string({ unit: "binary", minLength: 1, maxLength: 10 })
  .map((text) => Buffer.from(text.replace(/[\0/]/g, "_"), "utf8"))
  .filter((name) => !name.every((byte) => byte === 0x2e));

describe("paths in the tree", () => {
  it("read back what they show, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(names, textNames), { maxLength: 5 }), (path) => {
        const back = parseTreePath(formatTreePath(path));
        assert.deepEqual(
          back.map((name) => Buffer.from(name)),
          path.map((name) => Buffer.from(name)),
        );
      }),
    );
  });

  it("are shown so that no terminal obeys them and nothing is escaped twice", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(names, textNames), { maxLength: 5 }), (path) => {
        const shown = formatTreePath(path);
        assert.equal(printable(shown), shown);
      }),
    );
  });

  it("never lead above the root, and ignore dots and double slashes", () => {
    const shown = (text: string) => formatTreePath(parseTreePath(text));
    assert.equal(shown("/../../etc/./nginx//sites/../nginx.conf/"), "/etc/nginx/nginx.conf");
    assert.equal(shown(""), "/");
    assert.equal(shown("/\\xef\\xbb\\xbfname"), "/\\xef\\xbb\\xbfname");
    assert.equal(shown("/a\\\\b\\q"), "/a\\\\b\\\\q");
    fc.assert(fc.property(fc.string(), (text) => parseTreePath(text).every((name) => name.length > 0)));
  });

  it("are not endless", async () => {
    await assertCode((async () => parseTreePath("/a".repeat(5000)))(), "FILE_PATH_INVALID");
  });
});

describe("patterns of names", () => {
  it("know stars, question marks and brackets", () => {
    const fits = (pattern: string, name: string) => compileGlob(pattern)(name);
    assert.ok(fits("*.conf", "nginx.conf"));
    assert.ok(!fits("*.conf", "nginx.config"));
    assert.ok(fits("file?", "file1") && !fits("file?", "file"));
    assert.ok(fits("[a-c]x", "bx") && !fits("[a-c]x", "dx") && fits("[!a-c]x", "dx"));
    assert.ok(fits("a.b+(c)", "a.b+(c)") && !fits("a.b", "axb"));
    assert.ok(fits("[[]x[]]", "[x]") && fits("[a-]", "-"));
    assert.ok(fits("\\xff*", "\\xffname"));
    assert.ok(fits("*", "🎉") && fits("?", "🎉"));
  });

  it("match themselves when there is nothing special in them, and never throw anything but their own error", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const matches = compileGlob(text);
          if (!/[*?[]/.test(text)) assert.ok(matches(text));
        } catch (error) {
          assert.equal((error as { code?: string }).code, "FILE_PATTERN_INVALID");
        }
      }),
    );
  });
});
