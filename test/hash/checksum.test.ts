import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { checksum64, loadChecksum } from "../../core/hash/checksum.js";
import { inProject } from "../support/projectRoot.js";
import { noise } from "../support/sampleBytes.js";

describe("hash: checksum", () => {
  before(() => loadChecksum());

  it("is xxHash64 with seed 0: published values", () => {
    const text = (value: string) => new TextEncoder().encode(value);
    assert.equal(checksum64(text("")), 0xef46db3751d8e999n);
    assert.equal(checksum64(text("a")), 0xd24ec4f1a98c6e5bn);
    assert.equal(checksum64(text("abc")), 0x44bc2cf5ad770999n);
    assert.equal(checksum64(text("The quick brown fox jumps over the lazy dog")), 0x0b242d361fda71bcn);
  });

  it("stays right for large inputs after small ones", () => {
    const large = noise(8, 5_000_000);
    const sum = checksum64(large);
    checksum64(large.subarray(0, 10));
    assert.equal(checksum64(large), sum);
  });

  it("loads once, and says so when it was not loaded", async () => {
    assert.equal(await loadChecksum(), checksum64);
    assert.equal(loadChecksum(), loadChecksum());
    const program = `const { checksum64 } = require(process.argv[1]);
      try { checksum64(new Uint8Array(1)); } catch (error) { console.log(error.family, error.code); }`;
    const module = inProject("build/core/hash/checksum.js");
    const output = execFileSync(process.execPath, ["-e", program, module], { encoding: "utf8" });
    assert.equal(output.trim(), "invariant CHECKSUM_NOT_LOADED");
  });
});
