import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import type { JsonValue } from "../../core/format/canonicalJson.js";
import { fitRestoreTestRecord } from "../../core/format/fitRestoreTestRecord.js";
import {
  decodeRestoreTestRecord,
  encodeRestoreTestRecord,
  MAX_TEST_RECORD_BYTES,
  type RestoreTestRecord,
} from "../../core/format/restoreTestRecord.js";
import { assertThrowsCode } from "../support/assertCode.js";
import { provingChecks, sampleCheck, sampleTestRecord } from "../support/sampleTestRecord.js";

type Members = { [name: string]: JsonValue };

const sample = sampleTestRecord({ checks: provingChecks().slice(-2) });
/** May be null, and has another type otherwise. */
const NULLABLE = new Set([
  "previous",
  "plan.url",
  "backup.keyId",
  "environment.hypervisor",
  "environment.accelerator",
  "environment.acceleratorReason",
  "times.objectives.rtoMs",
  "times.objectives.rtoMet",
  "times.objectives.rpoMs",
  "times.objectives.rpoMet",
  "checks.0.reason",
  "checks.1.reason",
  "checks.0.line",
  "checks.1.line",
  "result.provenLevel",
]);

const decode = (value: unknown) => decodeRestoreTestRecord(value as JsonValue, "record");

function pathsIn(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = path === "" ? name : `${path}.${name}`;
    return [here, ...pathsIn(member, here)];
  });
}

/** The sample with one place replaced, or taken out. */
function withChange(path: string, change: (parent: Members, name: string) => void): JsonValue {
  const value = structuredClone(sample) as unknown as Members;
  const names = path.split(".");
  const last = names.pop() as string;
  change(
    names.reduce<Members>((at, name) => at[name] as Members, value),
    last,
  );
  return value;
}

const withValue = (path: string, value: JsonValue) =>
  withChange(path, (parent, name) => {
    parent[name] = value;
  });

describe("format: the record of a restore test", () => {
  it("comes back as it was, and is the same JSON", () => {
    assert.deepEqual(decode(structuredClone(sample)), sample);
    assert.deepEqual(encodeRestoreTestRecord(sample), sample);
  });

  it("is refused without any of its members", () => {
    for (const path of pathsIn(sample)) {
      if (/\.\d+$/.test(path)) continue;
      const cut = withChange(path, (parent, name) => delete parent[name]);
      assertThrowsCode(() => decode(cut), "FORMAT_INVALID", path);
    }
  });

  it("is refused with a member of another type", () => {
    const others: JsonValue[] = [null, true, -1, "%", [], {}];
    const typeOf = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
    for (const path of pathsIn(sample)) {
      for (const other of others) {
        let before: JsonValue = null;
        const changed = withChange(path, (parent, name) => {
          before = parent[name] as JsonValue;
          parent[name] = other;
        });
        const isNullHere = before === null && NULLABLE.has(path);
        if (typeOf(before) === typeOf(other) || isNullHere || (other === null && NULLABLE.has(path))) continue;
        assertThrowsCode(() => decode(changed), "FORMAT_INVALID", `${path} = ${JSON.stringify(other)}`);
      }
    }
  });

  it("of another version is not read, and members of later ones are left out", () => {
    assertThrowsCode(() => decode(withValue("schema", "restore-test/v2")), "UNSUPPORTED_VERSION");
    assert.deepEqual(decode({ ...sample, later: { deep: [1] } }), sample);
    assert.deepEqual(decode(withValue("result", { ...sample.result, later: 1 })), sample);
  });

  it("takes only values that make sense", () => {
    const cases: [string, JsonValue[], JsonValue[]][] = [
      ["recordId", ["ab".repeat(16)], ["AB".repeat(16), "ab".repeat(15), ""]],
      ["previous", ["ab".repeat(32), null], ["ab".repeat(16)]],
      [
        "times.finishedAt",
        ["2026-11-22T03:30:00Z", "2026-11-22T03:30:00.123456Z"],
        ["2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T03:30:00+01:00", "x"],
      ],
      ["times.rpoMs", [-1, 0], [0.5]],
      ["coverage.bytesTotal", [0], [-1, 1.5]],
      ["result.outcome", ["warned", "failed", "inconclusive"], ["skipped", "PASSED", ""]],
      ["result.provenLevel", [null, "intact"], ["all"]],
      ["checks.0.outcome", ["skipped"], ["simulated"]],
      ["plan.trigger", ["drill", "pipeline"], ["cron"]],
      ["asset.owner", ["x".repeat(300)], ["x".repeat(301)]],
      ["result.reason", ["x".repeat(8_000)], ["x".repeat(8_001)]],
      ["isolation.network", ["none", "not-started"], ["bridge"]],
      [
        "coverage.notTested",
        [[], Array.from({ length: 500 }, () => "x")],
        [Array.from({ length: 501 }, () => "x"), [1]],
      ],
    ];
    for (const [path, good, bad] of cases) {
      for (const value of good) decode(withValue(path, value));
      for (const value of bad)
        assertThrowsCode(() => decode(withValue(path, value)), "FORMAT_INVALID", `${path} = ${JSON.stringify(value)}`);
    }
  });

  it("is bounded as a whole", () => {
    const observed = "x".repeat(2_000);
    const many: RestoreTestRecord = {
      ...sample,
      checks: Array.from({ length: 200 }, (_, index) => sampleCheck(`check ${index}`, { observed })),
    };
    const error = assertThrowsCode(() => encodeRestoreTestRecord(many), "FORMAT_INVALID");
    assert.match(error.message, new RegExp(`more than ${MAX_TEST_RECORD_BYTES}`));
    assertThrowsCode(() => decode(JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`)), "FORMAT_INVALID");
  });

  it("meets any JSON at any place with errors of ours", () => {
    const paths = pathsIn(sample);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        try {
          decode(withValue(path, value as JsonValue));
        } catch (error) {
          assert.ok(isOurError(error), String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("format: fitting a record into its limits", () => {
  it("changes nothing of one that fits", () => {
    assert.deepEqual(fitRestoreTestRecord(sample), sample);
  });

  it("cuts names, texts and lists, and shorter when there are many", () => {
    const checks = Array.from({ length: 300 }, (_, index) =>
      sampleCheck(`check ${index}`, { observed: "x".repeat(2_000), reason: "😀".repeat(5_000) }),
    );
    const notTested = Array.from({ length: 600 }, (_, index) => `volume ${index}`);
    const asset = { ...sample.asset, owner: "o".repeat(1_000) };
    const fitted = fitRestoreTestRecord({ ...sample, checks, asset, coverage: { ...sample.coverage, notTested } });
    assert.deepEqual(encodeRestoreTestRecord(fitted), fitted);
    assert.equal(fitted.checks.length, 300);
    assert.deepEqual(
      [fitted.checks[7]?.id, fitted.asset.owner.length, fitted.coverage.notTested.length],
      ["check 7", 300, 500],
    );
    assert.equal(fitted.coverage.notTested.at(-1), "… and 101 more");
    assert.match(fitted.checks[7]?.observed ?? "", /^x+…$/);
    assert.ok(fitted.checks[7]?.reason?.isWellFormed());
  });

  it("makes anything a guest can write fit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20_000 }), (observed) => {
        const checks = [sampleCheck("a", { observed, reason: observed })];
        encodeRestoreTestRecord(fitRestoreTestRecord({ ...sample, checks }));
      }),
      { numRuns: 50 },
    );
  });
});
