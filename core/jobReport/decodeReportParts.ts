// Reads the parts of a report that only one command makes: a gate's decision, a plan.

import type { Fields } from "../format/fields.js";
import { GATE_DECISIONS, type GateReportPart, type PlanReportPart } from "./jobReport.js";
import { MAX_ELEMENTS } from "./jobReportLimits.js";
import { count, hex, instant, labelled, list, MAX_CHARS, nullable, text, truth } from "./reportFields.js";

export function decodeGatePart(fields: Fields): GateReportPart {
  return {
    gate: text(fields, "gate"),
    decision: fields.oneOf("decision", GATE_DECISIONS),
    policyFile: nullable(fields, "policyFile", text),
    base: nullable(fields, "base", text),
    head: nullable(fields, "head", text),
    changedFiles: count(fields, "changedFiles"),
    machines: list(fields, "machines").map((machine) => ({
      machine: text(machine, "machine"),
      decision: machine.oneOf("decision", ["go", "blocked"]),
      files: machine.strings("files", MAX_ELEMENTS.files, MAX_CHARS),
      filesTotal: count(machine, "filesTotal"),
      required: labelled(machine, "required"),
      found: labelled(machine, "found"),
      reasons: list(machine, "reasons").map((reason) => ({
        code: text(reason, "code"),
        message: text(reason, "message"),
      })),
      line: count(machine, "line"),
    })),
    override: nullable(fields, "override", (from, name) => {
      const own = from.object(name);
      return { label: text(own, "label"), reason: text(own, "reason"), by: text(own, "by") };
    }),
    policyDigest: hex(fields, "policyDigest"),
    evidence: nullable(fields, "evidence", (from, name) => {
      const own = from.object(name);
      return {
        source: own.oneOf("source", ["branch", "repository"]),
        commit: nullable(own, "commit", text),
        sequence: nullable(own, "sequence", count),
        publishedAt: nullable(own, "publishedAt", instant),
      };
    }),
  };
}

export function decodePlanPart(fields: Fields): PlanReportPart {
  return {
    matrix: list(fields, "matrix").map((entry) => ({ job: text(entry, "job"), machine: text(entry, "machine") })),
    runs: list(fields, "runs").map((run) => ({
      job: text(run, "job"),
      command: text(run, "command"),
      machine: nullable(run, "machine", text),
      due: truth(run, "due"),
      dueAt: nullable(run, "dueAt", instant),
      lastRunAt: nullable(run, "lastRunAt", instant),
      nextAt: nullable(run, "nextAt", instant),
      reason: text(run, "reason"),
    })),
  };
}
