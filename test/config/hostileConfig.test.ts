// Configurations that somebody has spoilt: CONFIG_INVALID with places inside the file, or a configuration; nothing else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { inProject } from "../support/projectRoot.js";
import { configOf, problemsOf } from "./configText.js";

const EXAMPLE = readFileSync(inProject("test/config/example.yml"), "utf8");
const LINES = EXAMPLE.split("\n");

const word = fc.constantFrom(
  ...[
    "all",
    "none",
    "null",
    "~",
    "[]",
    "{}",
    "-1",
    "0",
    "1e999",
    "'",
    '"',
    "*",
    "&a x",
    "*a",
    "!!set",
    "<<: *a",
    "env:",
    "file:",
  ],
  ...[
    "vm/web1",
    "vm/*",
    "daily",
    "x".repeat(5000),
    "__proto__",
    "constructor",
    "toString",
    "\u0000",
    "\u2028",
    "2026-13-45",
    "s3:",
    "::",
  ],
);
const mutation = fc.tuple(
  fc.nat(LINES.length - 1),
  fc.constantFrom("drop", "twice", "value", "key", "indent", "outdent", "cut", "insert"),
  word,
);

function mutate(lines: readonly string[], [at, kind, text]: [number, string, string]): string[] {
  const line = lines[at] ?? "";
  const indent = line.slice(0, line.length - line.trimStart().length);
  const replacement: Record<string, string[]> = {
    drop: [],
    twice: [line, line],
    value: [line.replace(/:.*$/, `: ${text}`)],
    key: [line.replace(/[\w-]+:/, `${text}:`)],
    indent: [`  ${line}`],
    outdent: [line.replace(/^ {2}/, "")],
    cut: [line.slice(0, Math.floor(line.length / 2))],
    insert: [line, `${indent}${text}: ${text}`],
  };
  return [...lines.slice(0, at), ...(replacement[kind] ?? []), ...lines.slice(at + 1)];
}

async function checkText(text: string): Promise<void> {
  const problems = await problemsOf(text);
  const lines = text.split("\n");
  for (const { line, column, message, file } of problems) {
    if (file === "reprise.yml")
      assert.ok(line >= 1 && line <= lines.length && column >= 1, `${line}:${column} ${message}`);
    assert.ok(message.length > 0 && message.length <= 400 && !/[\p{Cc}]/u.test(message), JSON.stringify(message));
  }
  const hasErrors = problems.some(({ severity }) => severity === "error");
  try {
    await configOf(text);
    assert.ok(!hasErrors, "an error keeps it from being read");
  } catch (error) {
    assert.ok(isOurError(error, "CONFIG_INVALID") && hasErrors, String(error));
  }
}

describe("a spoilt configuration", function () {
  this.timeout(60_000);

  it("is CONFIG_INVALID or a configuration, whatever happened to its lines", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        await checkText(mutations.reduce(mutate, LINES).join("\n"));
      }),
      { numRuns: 400 },
    );
  });

  it("is CONFIG_INVALID or a configuration, whatever its bytes", async () => {
    const start = fc.nat(EXAMPLE.length);
    await fc.assert(
      fc.asyncProperty(start, fc.string({ maxLength: 40 }), fc.nat(40), async (at, inserted, length) => {
        await checkText(EXAMPLE.slice(0, at) + inserted + EXAMPLE.slice(at + length));
      }),
      { numRuns: 300 },
    );
  });

  it("is refused fast when it is made to take long", async () => {
    const bombs = [
      `a: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*a, *a]`).join("\n")}`,
      "[".repeat(100_000),
      `machines:\n${Array.from({ length: 3000 }, (_, i) => `  vm/m${i}: {}`).join("\n")}`,
      `jobs:\n  j: {backup: '${"*".repeat(1000)}x', repository: r}\nrepositories: {r: {location: x}}\nmachines: {vm/${"a".repeat(100)}: {disks: d}}\n`,
      `restore-tests: [{file: '${"**/".repeat(400)}x'}]\n`,
      `# ${"x".repeat(2 * 1024 * 1024)}`,
      // many mistakes: of every form that a disk may have, and of fields that there are not
      `machines: {vm/a: {disks: [${"{}, ".repeat(16_000)}]}}`,
      `restore-tests: [{name: a, machine: vm/a, checks: [${"{}, ".repeat(16_000)}]}]`,
      `gates: {g: {rules: [${"{}, ".repeat(16_000)}]}}`,
      `machines: {vm/a: {${Array.from({ length: 16_000 }, (_, i) => `field${i}: x`).join(", ")}}}`,
    ];
    for (const bomb of bombs) {
      const startMs = performance.now();
      await checkText(bomb);
      assert.ok(performance.now() - startMs < 5000, bomb.slice(0, 40));
      assert.ok((await problemsOf(bomb)).length > 0, bomb.slice(0, 40));
    }
  });

  it("has no prototype to reach for", async () => {
    await checkText(
      "machines: {vm/a: {}}\njobs: {__proto__: {verify: all}}\nnotifications: {constructor: {webhook: 'env:X'}}\n",
    );
    assert.equal(({} as { verify?: unknown }).verify, undefined);
  });
});
