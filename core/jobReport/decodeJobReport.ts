// Reads the file of a report: docs/job-reports.md. It comes from another runner's artifact, so everything in it is bounded and
// checked here; being harmless when shown is the renderers' matter.

import { decodeText, formatError, unsupportedVersion } from "../format/bytes.js";
import type { JsonValue } from "../format/canonicalJson.js";
import { Fields } from "../format/fields.js";
import { OUTCOMES, TEST_LEVELS } from "../format/restoreTestRecord.js";
import { decodeGatePart, decodePlanPart } from "./decodeReportParts.js";
import {
  JOB_REPORT_SCHEMA,
  type JobReport,
  MAX_JOB_REPORT_BYTES,
  type MachineReportLine,
  type MachineState,
  type MachineTrend,
  REPORT_COMMANDS,
  REPORT_OUTCOMES,
  type ReportProblem,
  type TestReportPart,
} from "./jobReport.js";
import { MAX_JSON_TOKENS, MAX_PICTURE_CHARS } from "./jobReportLimits.js";
import { count, hex, instant, labelled, list, nullable, signed, text, truth } from "./reportFields.js";

const VERIFICATIONS = ["ok", "damaged", "none"] as const;
const SEVERITIES = ["error", "warning", "notice"] as const;
const [COMMA, OPEN_ARRAY, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b];

/** FORMAT_INVALID, UNSUPPORTED_VERSION. `what` names the file in errors. Members that are not of this version are left out. */
export function decodeJobReport(bytes: Uint8Array, what = "job report"): JobReport {
  if (bytes.length > MAX_JOB_REPORT_BYTES)
    throw formatError(what, `has ${bytes.length} bytes, more than ${MAX_JOB_REPORT_BYTES}`);
  const fields = new Fields(parse(bytes, what), what);
  const schema = text(fields, "schema");
  if (schema !== JOB_REPORT_SCHEMA) throw unsupportedVersion(what, schema);
  const tool = fields.object("tool");
  return {
    schema,
    command: fields.oneOf("command", REPORT_COMMANDS),
    job: nullable(fields, "job", text),
    tool: { name: text(tool, "name"), version: text(tool, "version") },
    repository: nullable(fields, "repository", decodeRepository),
    startedAt: instant(fields, "startedAt"),
    finishedAt: instant(fields, "finishedAt"),
    dryRun: truth(fields, "dryRun"),
    url: nullable(fields, "url", text),
    outcome: fields.oneOf("outcome", REPORT_OUTCOMES),
    verdict: text(fields, "verdict"),
    machines: list(fields, "machines").map(decodeLine),
    facts: labelled(fields, "facts"),
    gate: nullable(fields, "gate", (from, name) => decodeGatePart(from.object(name))),
    plan: nullable(fields, "plan", (from, name) => decodePlanPart(from.object(name))),
    problems: list(fields, "problems").map(decodeProblem),
    trends: list(fields, "trends").map(decodeTrend),
  };
}

function parse(bytes: Uint8Array, what: string): JsonValue {
  let tokens = 0;
  for (const byte of bytes) if (byte === COMMA || byte === OPEN_ARRAY || byte === OPEN_OBJECT) tokens++;
  if (tokens > MAX_JSON_TOKENS) throw formatError(what, `has ${tokens} brackets and commas, more than a report has`);
  const json = decodeText(bytes, what);
  try {
    return JSON.parse(json) as JsonValue;
  } catch {
    throw formatError(what, "is not JSON");
  }
}

function decodeRepository(fields: Fields, name: string): JobReport["repository"] {
  const own = fields.object(name);
  return { name: nullable(own, "name", text), location: text(own, "location"), id: hex(own, "id") };
}

function decodeLine(fields: Fields): MachineReportLine {
  return {
    machine: text(fields, "machine"),
    job: nullable(fields, "job", text),
    outcome: fields.oneOf("outcome", OUTCOMES),
    reason: text(fields, "reason"),
    finishedAt: instant(fields, "finishedAt"),
    durationMs: count(fields, "durationMs"),
    snapshot: nullable(fields, "snapshot", (from, name) => {
      const own = from.object(name);
      return { id: hex(own, "id"), digest: hex(own, "digest"), time: instant(own, "time") };
    }),
    backup: nullable(fields, "backup", decodeBackup),
    verification: nullable(fields, "verification", decodeVerification),
    test: nullable(fields, "test", (from, name) => decodeTest(from.object(name))),
    state: nullable(fields, "state", (from, name) => decodeState(from.object(name))),
  };
}

function decodeBackup(fields: Fields, name: string): MachineReportLine["backup"] {
  const own = fields.object(name);
  return {
    readBytes: count(own, "readBytes"),
    addedBytes: count(own, "addedBytes"),
    sizeBytes: count(own, "sizeBytes"),
    protected: truth(own, "protected"),
  };
}

function decodeVerification(fields: Fields, name: string): MachineReportLine["verification"] {
  const own = fields.object(name);
  return {
    level: own.oneOf("level", ["structure", "data"]),
    result: own.oneOf("result", ["ok", "damaged"]),
    damagedRanges: count(own, "damagedRanges"),
  };
}

function decodeTest(fields: Fields): TestReportPart {
  const objectives = fields.object("objectives");
  return {
    name: text(fields, "name"),
    file: nullable(fields, "file", text),
    recordId: hex(fields, "recordId"),
    level: fields.oneOf("level", TEST_LEVELS),
    provenLevel: nullable(fields, "provenLevel", (from, name) => from.oneOf(name, TEST_LEVELS)),
    rtoMs: nullable(fields, "rtoMs", count),
    rpoMs: signed(fields, "rpoMs"),
    objectives: {
      rtoMs: nullable(objectives, "rtoMs", count),
      rtoMet: nullable(objectives, "rtoMet", truth),
      rpoMs: nullable(objectives, "rpoMs", count),
      rpoMet: nullable(objectives, "rpoMet", truth),
    },
    restoreMs: nullable(fields, "restoreMs", count),
    checks: list(fields, "checks").map((check) => ({
      id: text(check, "id"),
      outcome: check.oneOf("outcome", OUTCOMES),
      reason: nullable(check, "reason", text),
      line: nullable(check, "line", count),
    })),
    screenshot: nullable(fields, "screenshot", (from, name) => {
      const own = from.object(name);
      const pngBase64 = own.string("pngBase64", MAX_PICTURE_CHARS);
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(pngBase64)) throw formatError(own.what, "the picture is not base64");
      return { name: text(own, "name"), sha256: hex(own, "sha256"), pngBase64 };
    }),
  };
}

function decodeState(fields: Fields): MachineState {
  return {
    owner: text(fields, "owner"),
    criticality: text(fields, "criticality"),
    snapshots: count(fields, "snapshots"),
    newest: nullable(fields, "newest", (from, name) => {
      const own = from.object(name);
      return {
        id: hex(own, "id"),
        time: instant(own, "time"),
        ageMs: signed(own, "ageMs"),
        verification: own.oneOf("verification", VERIFICATIONS),
        protected: truth(own, "protected"),
      };
    }),
    lastTest: nullable(fields, "lastTest", (from, name) => {
      const own = from.object(name);
      return {
        at: instant(own, "at"),
        ageMs: signed(own, "ageMs"),
        outcome: own.oneOf("outcome", OUTCOMES),
        provenLevel: nullable(own, "provenLevel", (test, level) => test.oneOf(level, TEST_LEVELS)),
        rtoMs: nullable(own, "rtoMs", count),
        ofNewest: truth(own, "ofNewest"),
      };
    }),
  };
}

function decodeProblem(fields: Fields): ReportProblem {
  return {
    severity: fields.oneOf("severity", SEVERITIES),
    code: text(fields, "code"),
    message: text(fields, "message"),
    hint: nullable(fields, "hint", text),
    machine: nullable(fields, "machine", text),
    file: nullable(fields, "file", text),
    line: nullable(fields, "line", count),
    column: nullable(fields, "column", count),
  };
}

function decodeTrend(fields: Fields): MachineTrend {
  const amounts = (name: "added" | "size") =>
    list(fields, name).map((point) => ({ at: instant(point, "at"), bytes: count(point, "bytes") }));
  return {
    machine: text(fields, "machine"),
    rtoObjectiveMs: nullable(fields, "rtoObjectiveMs", count),
    rto: list(fields, "rto").map((point) => ({
      at: instant(point, "at"),
      ms: count(point, "ms"),
      outcome: point.oneOf("outcome", OUTCOMES),
    })),
    added: amounts("added"),
    size: amounts("size"),
  };
}
