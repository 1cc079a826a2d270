import assert from "node:assert/strict";
import { REPORT_STYLE } from "../../core/report/reportStyle.js";

const OUTCOMES = ["passed", "warned", "failed", "inconclusive", "skipped"];
/** WCAG 2.2, success criterion 1.4.3. */
const ENOUGH = 4.5;

describe("the style sheet of reports", () => {
  const [light, dark] = [...REPORT_STYLE.matchAll(/:root\{([^}]*)\}/g)].map(([, rules]) =>
    Object.fromEntries(
      [...(rules ?? "").matchAll(/--([\w-]+):(#[0-9a-f]+)/g)].map(([, name, colour]) => [name, colour]),
    ),
  );
  const pairs = [
    ...["text", "quiet"].flatMap((name) => ["card", "page"].map((ground) => [name, ground])),
    ...OUTCOMES.flatMap((outcome) => [`${outcome}-soft`, "card"].map((ground) => [outcome, ground])),
  ] as [string, string][];

  for (const [theme, colours] of [["light", light] as const, ["dark", { ...light, ...dark }] as const])
    it(`can be read: ${theme}`, () => {
      for (const [name, ground] of pairs) {
        const ratio = contrast(colours?.[name] as string, colours?.[ground] as string);
        assert.ok(ratio >= ENOUGH, `${name} on ${ground}: ${ratio.toFixed(2)}`);
      }
    });

  it("asks for nothing from elsewhere", () => {
    assert.doesNotMatch(REPORT_STYLE, /url\(|@import|<\//);
  });
});

function contrast(one: string, other: string): number {
  const [lighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join("") : colour.slice(1);
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
