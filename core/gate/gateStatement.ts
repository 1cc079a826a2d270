// The verdict of a gate as in-toto statements, for tools that decide later about the same commit: a simple verification result (SVR v0.2)
// with the whole decision beside it, and for go and blocked a SLSA verification summary (VSA v1). PASSED is said of go alone.

import { isOurError } from "../errors.js";
import { decodeEnvelope, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "../evidence/dsse.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { decodeStatement, RESTORE_TEST_TYPE, STATEMENT_TYPE } from "../evidence/statement.js";
import { recordDigest } from "../evidence/testStatements.js";
import { decodeText, encodeText } from "../format/bytes.js";
import { encodeCanonicalJson, type JsonValue } from "../format/canonicalJson.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import type { GateReportPart } from "../jobReport/jobReport.js";
import type { ReliedOn } from "./decideGate.js";

const SVR_TYPE = "https://in-toto.io/attestation/svr/v0.2";
const VSA_TYPE = "https://slsa.dev/verification_summary/v1";
const VERIFIER = "https://reprise.dev/gate/v1";

export interface GateStatementInput {
  part: GateReportPart;
  relied: readonly ReliedOn[];
  /** Among which the signed tests are that were relied on. */
  envelopes: readonly string[];
  /** Commit that the policy was read from. */
  policyCommit: string;
  tool: { name: string; version: string };
  url: string | null;
  nowMs: number;
}

/**
 * One line of JSON for each statement: DSSE envelopes, or without a key the bare statements, which prove nothing to others. Empty when the
 * commit is not known: there is nothing to speak of.
 */
export function gateStatements(input: GateStatementInput, keys: readonly SigningKey[]): string[] {
  const { head } = input.part;
  if (head === null) return [];
  const inputs = inputAttestations(input);
  const statements = [svr(input, inputs), ...vsa(input, inputs, head)].map(({ type, predicate }) =>
    encodeCanonicalJson({ _type: STATEMENT_TYPE, subject: subjects(input, head), predicateType: type, predicate }),
  );
  return statements.map((payload) =>
    keys.length === 0 ? decodeText(payload, "statement") : signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, keys),
  );
}

interface TypedPredicate {
  type: string;
  predicate: JsonValue;
}

function svr(input: GateStatementInput, inputs: JsonValue[]): TypedPredicate {
  const { part, url, tool, policyCommit } = input;
  const { gate, decision, base, changedFiles, override, evidence } = part;
  const machines = part.machines.map(({ machine, decision: each, line, reasons }) => ({
    ...{ machine, decision: each, line },
    reasons: reasons.map(({ code, message }) => ({ code, message })),
  }));
  const predicate = {
    verifier: { id: VERIFIER, policies: [policyOf(part)] },
    timeCreated: timeOf(input),
    properties: propertiesOf(part),
    reprise_gate: {
      ...{ gate, decision, base, policyCommit, changedFiles, machines, url },
      override: override === null ? null : { ...override },
      evidence: evidence === null ? null : { ...evidence },
      inputAttestations: inputs,
      tool: { ...tool },
    },
  };
  return { type: SVR_TYPE, predicate };
}

function vsa(input: GateStatementInput, inputs: JsonValue[], head: string): TypedPredicate[] {
  const { part, tool } = input;
  if (part.decision === "not-needed") return [];
  const isPassed = part.decision === "go";
  const predicate = {
    verifier: { id: VERIFIER, version: { [tool.name]: tool.version } },
    timeVerified: timeOf(input),
    resourceUri: `git:${head}`,
    policy: policyOf(part),
    inputAttestations: inputs,
    verificationResult: isPassed ? "PASSED" : "FAILED",
    verifiedLevels: [isPassed ? "REPRISE_RESTORE_PROVEN" : "FAILED"],
  };
  return [{ type: VSA_TYPE, predicate }];
}

function subjects({ relied }: GateStatementInput, head: string): JsonValue[] {
  const snapshots = new Map(relied.map((each) => [each.manifestDigest, each]));
  return [
    { name: `commit/${head}`, digest: { gitCommit: head } },
    ...[...snapshots.values()].map(({ machine, sid, manifestDigest }) => ({
      name: `snapshot/${machine}/${sid}`,
      digest: { sha256: manifestDigest },
    })),
  ];
}

function policyOf({ gate, policyFile, policyDigest }: GateReportPart): JsonValue {
  return {
    uri: `${encodeURI(policyFile ?? "reprise.yml")}#gates/${encodeURIComponent(gate)}`,
    digest: { sha256: policyDigest },
  };
}

/** What holds of the commit; nothing of one that is blocked. */
function propertiesOf({ decision }: GateReportPart): string[] {
  if (decision === "go") return ["REPRISE_GATE_GO", "REPRISE_RESTORE_PROVEN"];
  if (decision === "not-needed") return ["REPRISE_GATE_NOT_NEEDED"];
  return decision === "overridden" ? ["REPRISE_GATE_OVERRIDDEN"] : [];
}

/** The envelopes of the tests, by the SHA-256 of their text. */
function inputAttestations({ relied, envelopes }: GateStatementInput): JsonValue[] {
  const wanted = new Map(relied.map(({ recordDigest: digest, machine }) => [digest, machine]));
  const found = new Map<string, string>();
  for (const text of envelopes) {
    const machine = wanted.get(recordIn(text) ?? "");
    if (machine !== undefined) found.set(bytesToHex(sha256(encodeText(text))), machine);
  }
  return [...found].map(([digest, machine]) => ({ uri: `restore-test/${machine}`, digest: { sha256: digest } }));
}

/** Digest of the test's record; null: none. */
function recordIn(text: string): string | null {
  try {
    const { predicateType, predicate } = decodeStatement(decodeEnvelope(text, "envelope").payload, "statement");
    return predicateType === RESTORE_TEST_TYPE ? recordDigest(predicate) : null;
  } catch (error) {
    if (isOurError(error)) return null;
    throw error;
  }
}

function timeOf({ nowMs }: GateStatementInput): string {
  return new Date(nowMs).toISOString();
}
