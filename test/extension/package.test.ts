import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { inProject } from "../support/projectRoot.js";
import { packExtension } from "./support/packagedExtension.js";

const run = promisify(execFile);
const MOST_BYTES = 5 * 1024 * 1024;
const bundles = ["main.cjs", "service.mjs"].map((name) => inProject("dist", "extension", name));

describe("the packed extension", () => {
  it("is small, has no source maps, no sources, no tests and no programs of npm, and was packed without a warning", async function () {
    if (!bundles.every((path) => existsSync(path))) this.skip();
    const { vsix, output } = await packExtension();
    assert.doesNotMatch(output, /warning/i);
    assert.ok(statSync(vsix).size < MOST_BYTES, `${statSync(vsix).size} bytes`);
    const { stdout } = await run("unzip", ["-Z1", vsix]);
    const names = stdout.split("\n").filter((name) => name !== "");
    const foreign = names.filter((name) =>
      /\.(map|ts|tsbuildinfo)$|(^|\/)(test|core|node_modules|build|\.cache|\.git)\//.test(name),
    );
    assert.deepEqual(foreign, []);
    for (const wanted of [
      "extension/dist/extension/main.cjs",
      "extension/dist/extension/service.mjs",
      "extension/l10n/bundle.l10n.fr.json",
      "extension/media/icon.png",
    ])
      assert.ok(names.includes(wanted), wanted);
  });

  it("names no source map", function () {
    if (!bundles.every((path) => existsSync(path))) this.skip();
    for (const path of bundles) assert.doesNotMatch(readFileSync(path, "utf8"), /^\/\/# sourceMappingURL=/m);
  });

  it("uses nothing of Node that the oldest editor does not have", () => {
    const { engines } = JSON.parse(readFileSync(inProject("package.json"), "utf8")) as {
      engines: Record<string, string>;
    };
    // VS Code 1.101 (Electron 35.5.1, Node 22.15.1) is the first with Node 22; zstd is in node:zlib from 22.15
    assert.deepEqual(engines, { node: ">=22.15", vscode: "^1.101.0" });
  });
});
