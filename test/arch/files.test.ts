import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { inProject, projectRoot } from "../support/projectRoot.js";
import { readSourceFiles } from "./sourceFiles.js";

const maxLines = 600;
/** Tables and test vectors: long because their subject is. */
const longFilesAllowed = new Set<string>([]);

const files = readSourceFiles();
const coreFiles = files.filter(({ path }) => path.startsWith("core/"));

function trackedFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: projectRoot, encoding: "utf8", maxBuffer: 1 << 26 });
  return listed.split("\0").filter((path) => path !== "");
}

function isText(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, 8192).includes(0);
}

describe("files", () => {
  it(`have at most ${maxLines} lines`, () => {
    const long = files
      .filter(({ path, text }) => text.split("\n").length > maxLines + 1 && !longFilesAllowed.has(path))
      .map(({ path }) => path);
    assert.deepEqual(long, []);
  });

  it("of the core start by saying what they are", () => {
    const mute = coreFiles.filter(({ text }) => !/^\/\/ \S|^\/\*\*?\s/.test(text)).map(({ path }) => path);
    assert.deepEqual(mute, []);
  });

  it("have no default export", () => {
    const withDefault = files
      .filter(({ text }) => /^export default\b|\bas default\b/m.test(text))
      .map(({ path }) => path);
    assert.deepEqual(withDefault, []);
  });

  it("are named after their content", () => {
    const vague = trackedFiles().filter((path) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.[a-z]+$)/i.test(path));
    assert.deepEqual(vague, []);
    const notCamel = files
      .map(({ path }) => basename(path).replace(/(\.test)?\.ts$/, ""))
      .filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name));
    assert.deepEqual(notCamel, []);
  });

  it("leave no work undone", () => {
    const marked = files.filter(({ text }) => /\/\/.*\b(TODO|FIXME|XXX)\b/.test(text)).map(({ path }) => path);
    assert.deepEqual(marked, []);
  });

  it("name no machine of ours and no registry host", () => {
    const patterns = [/(^|[\s"'`(=])\/work\//m, /\bregistry\.[a-z0-9-]+\.[a-z]+/, /\bdeb\.debian\.org\b/];
    const wrong = trackedFiles()
      .filter((path) => path !== "test/arch/files.test.ts")
      .filter((path) => {
        const bytes = readTracked(path);
        if (bytes === undefined || !isText(bytes)) return false;
        const text = new TextDecoder().decode(bytes);
        return patterns.some((pattern) => pattern.test(text));
      });
    assert.deepEqual(wrong, []);
  });
});

/** Undefined for a file that was just deleted, and for a link or submodule. */
function readTracked(path: string): Uint8Array | undefined {
  try {
    return readFileSync(inProject(path));
  } catch {
    return undefined;
  }
}

describe("package-lock.json", () => {
  interface Entry {
    resolved?: string;
    link?: boolean;
    optionalDependencies?: Record<string, string>;
  }
  const lock = JSON.parse(readFileSync(inProject("package-lock.json"), "utf8")) as { packages: Record<string, Entry> };

  it("names no host", () => {
    const withHost = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
    assert.deepEqual(
      withHost.map(([name]) => name),
      [],
    );
  });

  it("has every optional package of every platform, or npm 11 refuses it", () => {
    const missing = Object.entries(lock.packages).flatMap(([name, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (wanted) =>
          lock.packages[`node_modules/${wanted}`] === undefined &&
          lock.packages[`${name}/node_modules/${wanted}`] === undefined,
      ),
    );
    assert.deepEqual(missing, []);
  });
});
