import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { checkRescueFile, rescueFiles } from "../../core/repository/rescueFiles.js";
import { inProject } from "../support/projectRoot.js";

describe("rescue: the files that init writes", () => {
  const { text, program } = rescueFiles();

  it("are the sources and a line with their digest", () => {
    for (const [bytes, source, before, after] of [
      [program, "rescue/rescue.mjs", "// sha256:", "\n"],
      [text, "rescue/RESCUE.md", "<!-- sha256:", " -->\n"],
    ] as const) {
      const body = readFileSync(inProject(source));
      const digest = createHash("sha256").update(body).digest("hex");
      assert.equal(Buffer.from(bytes).toString(), `${body.toString()}${before}${digest}${after}`);
    }
  });

  it("check, and do not once a bit is flipped", () => {
    for (const which of ["text", "program"] as const) {
      const bytes = { text, program }[which];
      assert.equal(checkRescueFile(bytes, which), true);
      assert.equal(checkRescueFile(bytes, which === "text" ? "program" : "text"), false, "one is not the other");
      for (const at of [0, bytes.length >> 1, bytes.length - 80, bytes.length - 20, bytes.length - 1]) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= 1;
        assert.equal(checkRescueFile(changed, which), false, `byte ${at}`);
      }
      assert.equal(checkRescueFile(bytes.subarray(0, -70), which), false);
    }
    assert.equal(checkRescueFile(new Uint8Array(0), "text"), false);
  });

  it("keep the program short enough to be read in an emergency", () => {
    const lines = readFileSync(inProject("rescue/rescue.mjs"), "utf8").split("\n");
    assert.ok(lines.length <= 800, `${lines.length}`);
    assert.ok(lines.every((line) => line.length <= 125));
    const imports = lines.filter((line) => line.startsWith("import ") || line.includes("import("));
    assert.ok(
      imports.every((line) => /from "node:[a-z]+";$/.test(line)),
      "nothing but Node's own modules",
    );
  });
});
