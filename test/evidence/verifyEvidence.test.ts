import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBase64 } from "../../core/evidence/base64.js";
import { IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "../../core/evidence/dsse.js";
import type { EvidencePolicy } from "../../core/evidence/policy.js";
import { SigningKey, VerificationKey } from "../../core/evidence/signingKey.js";
import {
  decodeStatement,
  encodeStatement,
  RESTORE_TEST_TYPE,
  STATEMENT_TYPE,
  type Statement,
  TEST_RESULT_TYPE,
} from "../../core/evidence/statement.js";
import { recordDigest, signTestEvidence, testStatements } from "../../core/evidence/testStatements.js";
import { verifyEvidence } from "../../core/evidence/verifyEvidence.js";
import { encodeText } from "../../core/format/bytes.js";
import { encodeRestoreTestRecord, type RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { assertThrowsCode } from "../support/assertCode.js";
import {
  endingLater,
  provingChecks,
  recordWithOutcome,
  sampleCheck,
  sampleDigest,
  sampleTestRecord,
  testedAtMs,
} from "../support/sampleTestRecord.js";
import { checkEnvelope } from "./independentDsse.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const key = SigningKey.generate();
const second = SigningKey.generate();
const stranger = SigningKey.generate();

function policy(change: Partial<EvidencePolicy> = {}): EvidencePolicy {
  return {
    keys: [key.verificationKey],
    threshold: 1,
    subjectDigest: sampleDigest,
    maxAgeMs: null,
    nowMs: testedAtMs + DAY,
    requiredLevel: null,
    requiredChecks: [],
    allowWarned: false,
    allowedSpecDigests: null,
    ...change,
  };
}

function codesOf(envelopes: readonly string[], change: Partial<EvidencePolicy> = {}): string[] {
  const { decision, reasons } = verifyEvidence(envelopes, policy(change));
  assert.equal(decision === "accepted", reasons.length === 0);
  return decision === "accepted" ? ["accepted"] : reasons.map(({ code }) => code);
}

function signed(record: RestoreTestRecord, ...keys: SigningKey[]): string[] {
  return signTestEvidence(record, keys.length === 0 ? [key] : keys);
}

function signedStatement(statement: Statement): string {
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeStatement(statement), [key]);
}

function payloadOf(envelope: string): Record<string, unknown> {
  const { payload } = JSON.parse(envelope) as { payload: string };
  return JSON.parse(Buffer.from(payload, "base64").toString()) as Record<string, unknown>;
}

/** With another payload under the old signatures. */
function forged(envelope: string, change: (payload: Record<string, unknown>) => Record<string, unknown>): string {
  const payload = encodeBase64(encodeText(JSON.stringify(change(payloadOf(envelope)))));
  return JSON.stringify({ ...JSON.parse(envelope), payload });
}

const passed = recordWithOutcome("passed");
const failed = recordWithOutcome("failed");
const good = signed(passed);

describe("statements of a restore test", () => {
  it("speak of the manifest: the record, and a test-result with the ids of the checks", () => {
    const [own, result] = good.map(payloadOf) as [Record<string, unknown>, Record<string, unknown>];
    const subject = [{ name: "snapshot/vm/web1/2026-11-21T02:00:00Z", digest: { sha256: sampleDigest } }];
    assert.deepEqual(own, { _type: STATEMENT_TYPE, subject, predicateType: RESTORE_TEST_TYPE, predicate: passed });
    const { spec, specDigest, url } = passed.plan;
    const annotations = { recordId: passed.recordId, recordDigest: recordDigest(encodeRestoreTestRecord(passed)) };
    assert.deepEqual(result, {
      _type: STATEMENT_TYPE,
      subject,
      predicateType: TEST_RESULT_TYPE,
      predicate: {
        result: "PASSED",
        configuration: [{ name: spec, digest: { sha256: specDigest }, annotations }],
        url,
        passedTests: ["level.chunks", "level.partition-table", "level.filesystem", "ready", "http"],
        warnedTests: [],
        failedTests: [],
      },
    });
  });

  it("are good by an independent check, and only with the right key", () => {
    const [pem, strange] = [key, stranger].map(({ verificationKey }) => verificationKey.toPem()) as [string, string];
    for (const envelope of good) {
      const { signers, payloadType, body } = checkEnvelope(envelope, [strange, pem]);
      assert.deepEqual([signers, payloadType], [[pem], "application/vnd.in-toto+json"]);
      assert.deepEqual(JSON.parse(body.toString()), payloadOf(envelope));
      const changed = forged(envelope, (payload) => ({ ...payload, predicateType: "x" }));
      assert.deepEqual(checkEnvelope(changed, [strange, pem]).signers, []);
    }
  });

  it("say PASSED only of a test that has passed; of one that could not tell, or a drill, there is no test-result", () => {
    const resultOf = (record: RestoreTestRecord) =>
      testStatements(record)
        .slice(1)
        .map(({ predicate }) => (predicate as { result: string }).result);
    assert.deepEqual(resultOf(passed), ["PASSED"]);
    assert.deepEqual(resultOf(recordWithOutcome("warned")), ["WARNED"]);
    assert.deepEqual(resultOf(failed), ["FAILED"]);
    assert.deepEqual(resultOf(recordWithOutcome("inconclusive")), []);
    assert.deepEqual(resultOf({ ...passed, simulated: true }), []);
  });

  it("are decoded as the specification demands", () => {
    const decode = (value: unknown) => decodeStatement(encodeText(JSON.stringify(value)), "s");
    const statement = { ...payloadOf(good[0] as string), laterMember: 1.5 };
    assert.equal(decode(statement).predicateType, RESTORE_TEST_TYPE);
    assert.deepEqual(
      decode({ ...statement, subject: [{ digest: { gitCommit: "x" } }, { digest: { sha256: sampleDigest } }] })
        .subjects,
      [{ name: "_", sha256: sampleDigest }],
    );
    for (const change of [
      { _type: "https://in-toto.io/Statement/v0.1" },
      { subject: [] },
      { subject: [{ name: "x" }] },
      { subject: [{ name: "x", digest: { sha256: sampleDigest.toUpperCase() } }] },
      { subject: Array.from({ length: 1_001 }, () => ({ digest: { sha256: sampleDigest } })) },
      { predicateType: 7 },
      { predicateType: undefined },
    ])
      assertThrowsCode(
        () => decode({ ...statement, ...change }),
        "FORMAT_INVALID",
        JSON.stringify(change).slice(0, 80),
      );
  });
});

describe("verifyEvidence accepts", () => {
  it("a test that has passed, with and without its test-result, and tells which", () => {
    const verdict = verifyEvidence(good, policy({ requiredLevel: "serves", requiredChecks: ["http"], maxAgeMs: DAY }));
    assert.deepEqual(
      [verdict.decision, verdict.reasons, verdict.ignored, verdict.record, verdict.signedBy],
      ["accepted", [], [], passed, [key.verificationKey.keyId]],
    );
    assert.equal(verdict.recordDigest, recordDigest(encodeRestoreTestRecord(passed)));
    assert.deepEqual(codesOf([good[0] as string]), ["accepted"]);
  });

  it("a higher level than demanded, and warnings where they are allowed", () => {
    for (const requiredLevel of ["intact", "readable", "boots", "serves"] as const)
      assert.deepEqual(codesOf(good, { requiredLevel }), ["accepted"]);
    const warned = signed(recordWithOutcome("warned"));
    assert.deepEqual(codesOf(warned, { allowWarned: true, requiredChecks: ["http"] }), ["accepted"]);
    assert.deepEqual(codesOf(warned, { requiredChecks: ["http"] }), ["warned", "check-not-passed"]);
  });

  it("what stands among envelopes of other snapshots, strangers and garbage", () => {
    const otherSnapshot = signed({ ...failed, backup: { ...failed.backup, manifestDigest: "00".repeat(32) } });
    const foreign = signedStatement({ ...(testStatements(passed)[0] as Statement), predicateType: "https://x/y" });
    const garbage = ["", "{}", "not json", signEnvelope("text/plain", encodeText("x"), [key])];
    const envelopes = [...garbage, ...otherSnapshot, ...signed(failed, stranger), foreign, ...good];
    const { decision, ignored } = verifyEvidence(envelopes, policy());
    assert.equal(decision, "accepted");
    assert.deepEqual(
      ignored.map(({ code, envelope }) => `${envelope} ${code}`),
      [
        "0 envelope-invalid",
        "1 envelope-invalid",
        "2 envelope-invalid",
        "3 payload-type-unknown",
        "6 signature-untrusted",
        "7 signature-untrusted",
        "4 subject-differs",
        "5 subject-differs",
        "8 predicate-unknown",
      ],
    );
  });

  it("enough different keys, in one envelope or in several", () => {
    const keys = [key, second, stranger].map(({ verificationKey }) => verificationKey);
    assert.deepEqual(codesOf(signed(passed, key, second), { keys, threshold: 2 }), ["accepted"]);
    assert.deepEqual(codesOf([...good, ...signed(passed, second)], { keys, threshold: 2 }), ["accepted"]);
    assert.deepEqual(codesOf([...good, ...good], { keys, threshold: 2 }), ["signature-untrusted"]);
    assert.deepEqual(codesOf(signed(passed, key, key), { keys, threshold: 2 }), ["signature-untrusted"]);
    const twice = [key.verificationKey, VerificationKey.fromPem(key.verificationKey.toPem())];
    assert.deepEqual(codesOf(signed(passed, key, key), { keys: twice, threshold: 2 }), ["policy-invalid"]);
  });
});

describe("verifyEvidence rejects", () => {
  it("nothing, and a policy that makes no sense", () => {
    assert.deepEqual(codesOf([]), ["no-evidence"]);
    for (const change of [
      { keys: [] },
      { threshold: 0 },
      { threshold: 2 },
      { threshold: Number.NaN },
      { subjectDigest: sampleDigest.toUpperCase() },
      { subjectDigest: "" },
      { nowMs: Number.NaN },
      { maxAgeMs: -1 },
      { maxAgeMs: Number.NaN },
    ])
      assert.deepEqual(codesOf(good, change), ["policy-invalid"], JSON.stringify(change));
  });

  it("another key, whatever the envelope claims", () => {
    assert.deepEqual(codesOf(signed(passed, stranger)), ["signature-untrusted"]);
    const claiming = signed(passed, stranger).map((text) =>
      text.replaceAll(stranger.verificationKey.keyId, key.verificationKey.keyId),
    );
    assert.deepEqual(codesOf(claiming), ["signature-untrusted"]);
  });

  it("with sentences that count keys as people do", () => {
    const sentences = (change: Partial<EvidencePolicy>) =>
      verifyEvidence(good, policy(change)).reasons.map(({ message }) => message);
    const two = [key.verificationKey, second.verificationKey];
    assert.deepEqual(sentences({ threshold: 2 }), ["2 signatures are needed of 1 trusted key"]);
    assert.deepEqual(sentences({ keys: two, threshold: 2 }), ["1 trusted key has signed it; 2 are needed"]);
    assert.deepEqual(sentences({ keys: two.slice(1) }), ["no trusted key has signed it; 1 is needed"]);
  });

  it("a changed payload", () => {
    const improved = signed(failed).map((envelope) => forged(envelope, () => payloadOf(good[0] as string)));
    assert.deepEqual(codesOf(improved), ["signature-untrusted"]);
    assert.deepEqual(codesOf(good.map((text) => forged(text, (payload) => payload).replace("in-toto", "x"))), [
      "payload-type-unknown",
    ]);
  });

  it("an old statement for a newer snapshot", () => {
    assert.deepEqual(codesOf(good, { subjectDigest: "99".repeat(32) }), ["subject-differs"]);
    const [own] = testStatements(passed) as [Statement];
    const relabelled = signedStatement({ ...own, subjects: [{ name: "snapshot", sha256: "99".repeat(32) }] });
    assert.deepEqual(codesOf([relabelled], { subjectDigest: "99".repeat(32) }), [
      "record-contradicts-itself",
      "no-evidence",
    ]);
  });

  it("a statement of a failed test presented as passed", () => {
    const [ownFailed] = signed(failed) as [string];
    const [, resultPassed] = testStatements(passed) as [Statement, Statement];
    const link = { annotations: { recordDigest: recordDigest(encodeRestoreTestRecord(failed)) } };
    const predicate = { ...(resultPassed.predicate as object), configuration: [link] } as Statement["predicate"];
    const presented = signedStatement({ ...resultPassed, predicate });
    assert.deepEqual(codesOf([ownFailed, presented]), ["results-contradict", "failed"]);
    assert.deepEqual(codesOf([presented]), ["record-missing"], "a test-result alone proves nothing");
    assert.deepEqual(codesOf([good[1] as string]), ["record-missing"]);
    assert.deepEqual(codesOf(signed(failed)), ["failed"]);
  });

  it("a record that says passed and lists a failed check", () => {
    for (const outcome of ["failed", "inconclusive", "skipped"] as const) {
      const record = { ...passed, checks: [...provingChecks(), sampleCheck("other", { outcome })] };
      assert.deepEqual(codesOf(signed(record)), ["record-contradicts-itself"], outcome);
    }
    const extra = sampleCheck("extra", { outcome: "skipped", severity: "info" });
    const harmless = { ...passed, checks: [...provingChecks(), extra] };
    assert.deepEqual(codesOf(signed(harmless)), ["accepted"]);
    const backwards = { ...passed.times, startedAt: "2026-11-23T00:00:00Z" };
    assert.deepEqual(codesOf(signed({ ...passed, times: backwards })), ["record-contradicts-itself"]);
    const early = { ...passed.backup, finishedAt: "2026-11-23T00:00:00Z" };
    assert.deepEqual(codesOf(signed({ ...passed, backup: early })), ["record-contradicts-itself"]);
  });

  it("a record whose outcome or level does not follow from its checks", () => {
    const sentence = (record: RestoreTestRecord) => {
      const { reasons } = verifyEvidence(signed(record), policy());
      assert.equal(reasons[0]?.code, "record-contradicts-itself");
      return reasons[0]?.message;
    };
    const claiming = (result: Partial<RestoreTestRecord["result"]>, checks = passed.checks) => {
      return { ...passed, checks, result: { ...passed.result, ...result } };
    };
    const without = (type: string) => passed.checks.filter((check) => check.type !== type);
    assert.match(sentence(claiming({}, [])) ?? "", /"serves" is proven; by its checks it is nothing/);
    assert.match(sentence(claiming({}, without("http"))) ?? "", /"serves" is proven; by its checks it is "boots"/);
    assert.match(sentence(claiming({}, without("chunks"))) ?? "", /by its checks it is nothing/);
    assert.match(sentence(claiming({ provenLevel: "boots" })) ?? "", /"boots" is proven; by its checks it is "serves"/);
    assert.match(sentence(claiming({ outcome: "warned" })) ?? "", /it says warned; by its checks it is passed/);
    const asked = claiming({ provenLevel: "boots" }, without("http"));
    assert.match(sentence(asked) ?? "", /it says passed; by its checks it is inconclusive/, "serves was asked for");
    const enough = { ...asked, plan: { ...passed.plan, level: "boots" as const } };
    assert.deepEqual(codesOf(signed(enough), { requiredLevel: "boots" }), ["accepted"]);
    const canary = [...without("http"), sampleCheck("canary", { type: "canary" })];
    assert.match(sentence(claiming({}, canary)) ?? "", /by its checks it is "boots"/, "a file on a disk is no service");
  });

  it("a test-result that lists other checks than its record, and a failed one whose record is held back", () => {
    const [own, result] = testStatements(passed) as [Statement, Statement];
    const predicate = { ...(result.predicate as object), passedTests: ["ready", "http", "canary"] };
    assert.deepEqual(codesOf([signedStatement(own), signedStatement({ ...result, predicate })]), [
      "results-contradict",
    ]);
    assert.deepEqual(codesOf([...good, signed(failed)[1] as string]), ["failed"]);
    const unlinked = { result: "FAILED", configuration: [] };
    assert.deepEqual(codesOf([...good, signedStatement({ ...result, predicate: unlinked })]), ["failed"]);
    const senseless = signedStatement({ ...result, predicate: { result: "MAYBE", configuration: [] } });
    assert.deepEqual(codesOf([...good, senseless]), ["statement-invalid"]);
  });

  it("drills", () => {
    const drill = signed({ ...passed, simulated: true });
    assert.deepEqual(codesOf(drill), ["simulated"]);
    assert.deepEqual(codesOf([...good, ...drill]), ["accepted"], "a drill takes nothing away either");
    const claimed = signedStatement(testStatements(passed)[1] as Statement);
    assert.deepEqual(codesOf([...drill, claimed]), ["no-evidence"]);
  });

  it("when the newest test was not good, although an older one was", () => {
    for (const outcome of ["failed", "inconclusive", "warned"] as const) {
      const later = signed(endingLater(recordWithOutcome(outcome), 60 * MINUTE));
      assert.deepEqual(codesOf([...later, ...good]), [outcome]);
      const sameTime = signed(recordWithOutcome(outcome));
      assert.deepEqual(codesOf([...good, ...sameTime]), [outcome]);
    }
    const healed = signed(endingLater(passed, 60 * MINUTE));
    assert.deepEqual(codesOf([...healed, ...signed(failed)]), ["accepted"]);
  });

  it("what is too old, or from the future", () => {
    assert.deepEqual(codesOf(good, { maxAgeMs: DAY }), ["accepted"]);
    assert.deepEqual(codesOf(good, { maxAgeMs: DAY - 1 }), ["too-old"]);
    const { reasons } = verifyEvidence(good, policy({ nowMs: testedAtMs + 30 * DAY + 5 * MINUTE, maxAgeMs: MINUTE }));
    assert.match(reasons[0]?.message ?? "", /, 30 d 5 min ago; allowed are 1 min$/);
    assert.deepEqual(codesOf(good, { nowMs: testedAtMs - 5 * MINUTE }), ["accepted"]);
    assert.deepEqual(codesOf(good, { nowMs: testedAtMs - 5 * MINUTE - 1 }), ["from-the-future"]);
  });

  it("too low a level, missing checks, another spec", () => {
    const boots = {
      ...passed,
      plan: { ...passed.plan, level: "boots" as const },
      checks: passed.checks.filter(({ type }) => type !== "http"),
      result: { ...passed.result, provenLevel: "boots" as const },
    };
    assert.deepEqual(codesOf(signed(boots), { requiredLevel: "serves" }), ["level-too-low"]);
    const nothing = {
      ...passed,
      checks: [],
      result: { ...passed.result, outcome: "inconclusive" as const, provenLevel: null },
    };
    assert.deepEqual(codesOf(signed(nothing)), ["inconclusive", "nothing-proven"]);
    assert.deepEqual(codesOf(good, { requiredChecks: ["canary", "http", "sql"] }), ["check-missing", "check-missing"]);
    assert.deepEqual(codesOf(good, { allowedSpecDigests: [] }), ["spec-not-allowed"]);
    assert.deepEqual(codesOf(good, { allowedSpecDigests: [passed.plan.specDigest] }), ["accepted"]);
    const twice = {
      ...passed,
      checks: [...provingChecks(), sampleCheck("a"), sampleCheck("a", { outcome: "skipped", severity: "info" })],
    };
    assert.deepEqual(codesOf(signed(twice), { requiredChecks: ["a"] }), ["check-not-passed"]);
  });

  it("what has a member twice, whatever the second one says", () => {
    const text = JSON.stringify(payloadOf(good[0] as string));
    const sign = (changed: string) => signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeText(changed), [key]);
    assert.deepEqual(codesOf([sign(text)]), ["accepted"]);
    const twice = [
      text.replace('"outcome":"passed"', '"outcome":"failed","outcome":"passed"'),
      text.replace('"provenLevel"', '"proven\\u004cevel":null , "provenLevel"'),
      text.replace('"simulated":', '"simulated":true,"simulated":'),
      text.replace(/\}$/, `,"_type":"${STATEMENT_TYPE}"}`),
    ];
    for (const changed of twice) {
      assert.notEqual(changed, text);
      assert.deepEqual(codesOf([sign(changed)]), ["statement-invalid"], changed.slice(0, 80));
    }
    const [envelope] = good as [string];
    const outside = envelope.replace("{", '{"payload":"",');
    assert.deepEqual(codesOf([outside]), ["envelope-invalid"]);
  });

  it("reads equal names in different objects, and names in texts, as what they are", () => {
    const description = 'he said "outcome": {"outcome": \\';
    const record = { ...passed, plan: { ...passed.plan, description } };
    assert.deepEqual(codesOf(signed(record)), ["accepted"]);
  });

  it("a signed record that it does not understand, and statements about nothing", () => {
    const [own] = testStatements(passed) as [Statement];
    const with_ = (predicate: unknown) => signedStatement({ ...own, predicate: predicate as Statement["predicate"] });
    assert.deepEqual(codesOf([with_({ ...passed, schema: "restore-test/v2" })]), ["record-invalid", "no-evidence"]);
    assert.deepEqual(codesOf([with_(null)]), ["record-invalid", "no-evidence"]);
    assert.deepEqual(codesOf([...good, with_({ ...passed, checks: 7 })]), ["record-invalid"]);
    const senseless = signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeText("[]"), [key]);
    assert.deepEqual(codesOf([senseless]), ["statement-invalid"]);
  });
});

describe("verifyEvidence with anything at all", () => {
  it("throws nothing, and accepts nothing that was not signed so", () => {
    const statement = testStatements(passed)[0] as Statement;
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), fc.constantFrom(...signed(failed)))), (envelopes) => {
        assert.equal(verifyEvidence(envelopes, policy()).decision, "rejected");
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 20 }), (predicate) => {
        const payload = encodeText(
          JSON.stringify({ ...JSON.parse(Buffer.from(encodeStatement(statement)).toString()), predicate }),
        );
        const envelope = signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, [key]);
        assert.equal(verifyEvidence([envelope], policy()).decision, "rejected");
      }),
      { numRuns: 200 },
    );
  });

  it("survives every changed character of what was signed", () => {
    const [own] = good as [string];
    const { payload } = JSON.parse(own) as { payload: string };
    const text = Buffer.from(payload, "base64").toString();
    for (let at = 0; at < text.length; at += 7) {
      const changed = `${text.slice(0, at)}${text[at] === "7" ? "x" : "7"}${text.slice(at + 1)}`;
      const resigned = signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeText(changed), [key]);
      verifyEvidence([resigned], policy());
      const forgery = JSON.stringify({ ...JSON.parse(own), payload: encodeBase64(encodeText(changed)) });
      assert.deepEqual(codesOf([forgery]), ["signature-untrusted"]);
    }
  });

  it("bounds what it answers", () => {
    const { ignored, reasons } = verifyEvidence(
      Array.from({ length: 3_000 }, () => "{"),
      policy(),
    );
    assert.deepEqual([ignored.length, reasons.length], [100, 1]);
    assert.ok(sampleTestRecord().checks.length > 0);
  });
});
