import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { inProject } from "../support/projectRoot.js";
import { readSourceFiles } from "./sourceFiles.js";

interface ListedCode {
  code: string;
  family: string;
  meaning: string;
  remedy: string;
}

const page = "docs/errors.md";
/** Words in capitals that the core quotes and that are not codes of ours. */
const notCodes =
  /^(EAI_|ERR_|REPRISE_|UV_|WHEN_REQUIRED$|GUEST_PANICKED$|BLOCK_IO_ERROR$|HOST_FORWARD$|SYN_SENT$|SSH_ASKPASS$|GIT_(ASKPASS|AUTHOR_|COMMITTER_|CONFIG_|HTTP_|INDEX_|PROXY_|SSH|SSL_))/;

const files = readSourceFiles().filter(({ path }) => /^(core|cli|extension|action)\//.test(path));

/** Rows of the page: `| CODE | family | meaning | what to do |`. */
function listedCodes(): ListedCode[] {
  if (!existsSync(inProject(page))) return [];
  const rows = readFileSync(inProject(page), "utf8").matchAll(
    /^\| `?([A-Z][A-Z0-9_]+)`? \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm,
  );
  return [...rows].map(([, code, family, meaning, remedy]) => ({
    code: code!,
    family: family!.trim(),
    meaning: meaning!.trim(),
    remedy: remedy!.trim(),
  }));
}

/** Codes thrown in one piece, with the family: `new RepriseError("family", "CODE"`. */
function thrownCodes(): { path: string; family: string; code: string }[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/\bRepriseError\(\s*"([a-z-]+)",\s*"([A-Z][A-Z0-9_]*)"/g)].map(([, family, code]) => ({
      path,
      family: family!,
      code: code!,
    })),
  );
}

/** Every quoted word in capitals with an underscore: also the codes that reach RepriseError through a table. */
function quotedCodes(): { path: string; code: string }[] {
  return files.flatMap(({ path, text }) =>
    [...text.replace(/^\s*(\/\/|\*).*$/gm, "").matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)]
      .map(([, code]) => ({ path, code: code! }))
      .filter(({ code }) => !notCodes.test(code)),
  );
}

describe("error codes", () => {
  const listed = listedCodes();
  const codes = new Set(listed.map(({ code }) => code));

  it(`used in the code are in ${page}`, () => {
    const missing = [...thrownCodes(), ...quotedCodes()].filter(({ code }) => !codes.has(code));
    assert.deepEqual([...new Set(missing.map(({ path, code }) => `${code} (${path})`))].sort(), []);
  });

  it(`of ${page} are used in the code`, () => {
    const text = files.map((file) => file.text).join("\n");
    const unused = listed.filter(({ code }) => !text.includes(`"${code}"`));
    assert.deepEqual(
      unused.map(({ code }) => code),
      [],
    );
  });

  it("have the family that the page gives", () => {
    const families = new Map(listed.map(({ code, family }) => [code, family]));
    const wrong = thrownCodes().filter(({ code, family }) => families.has(code) && families.get(code) !== family);
    assert.deepEqual(
      wrong.map(({ path, code, family }) => `${path}: ${code} is ${family}`),
      [],
    );
  });

  it("are listed once, in order, each with a meaning and a remedy", () => {
    const order = listed.map(({ code }) => code);
    assert.deepEqual(order, [...new Set(order)].sort());
    assert.deepEqual(
      listed.filter(({ meaning, remedy }) => meaning.length < 10 || remedy.length < 10).map(({ code }) => code),
      [],
    );
  });
});
