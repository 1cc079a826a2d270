// Restore tests as JUnit XML, as pipelines read it: failed is a failure, inconclusive an error, a warning a note. Pure.

import type { CheckResult, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { inert, inertLine } from "../../report/inertText.js";
import { headlineOf } from "./recordFacts.js";

/** One suite a record. */
export function renderJunit(records: readonly RestoreTestRecord[]): string {
  const suites = records.map(suiteOf);
  const sum = (pick: (suite: Suite) => number) => suites.reduce((total, suite) => total + pick(suite), 0);
  const counts = countsText({
    tests: sum(({ tests }) => tests),
    failures: sum(({ failures }) => failures),
    errors: sum(({ errors }) => errors),
    skipped: sum(({ skipped }) => skipped),
  });
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="restore tests"${counts}>\n`;
  return `${head}${suites.map(({ xml }) => xml).join("")}</testsuites>\n`;
}

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
}

interface Suite extends Counts {
  xml: string;
}

type Kind = "passed" | "noted" | "failure" | "error" | "skipped";

interface Case {
  name: string;
  type: string;
  kind: Kind;
  message: string;
  text: string;
  durationMs: number;
}

function suiteOf(record: RestoreTestRecord): Suite {
  const cases = [...record.checks.map(caseOf), verdictCase(record)];
  const count = (kind: Kind) => cases.filter((each) => each.kind === kind).length;
  const counts = {
    tests: cases.length,
    failures: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
  };
  const { asset, times, environment } = record;
  const tookMs = Math.max(0, Date.parse(times.finishedAt) - Date.parse(times.startedAt) || 0);
  const name = record.simulated ? `${asset.machine} (drill)` : asset.machine;
  const attributes = [
    attribute("name", name),
    countsText(counts),
    attribute("time", seconds(tookMs)),
    attribute("timestamp", times.startedAt.replace(/\.\d+Z$|Z$/, "")),
    attribute("hostname", environment.host),
  ].join("");
  const xml = `  <testsuite${attributes}>\n${propertiesOf(record)}${cases.map((each) => caseXml(each, name)).join("")}  </testsuite>\n`;
  return { ...counts, xml };
}

function caseOf({ id, type, severity, outcome, expected, observed, reason, durationMs }: CheckResult): Case {
  const text = [`expected: ${expected}`, `observed: ${observed}`, `reason: ${reason ?? ""}`].join("\n");
  const kinds = {
    passed: "passed",
    warned: "noted",
    failed: "failure",
    inconclusive: "error",
    skipped: "skipped",
  } as const;
  // What is only told cannot turn a pipeline red.
  const kind = severity === "info" && outcome === "inconclusive" ? "skipped" : kinds[outcome];
  return { name: id, type, kind, message: reason ?? outcome, text, durationMs };
}

/** The outcome of the whole: it can be worse than each of its checks. */
function verdictCase(record: RestoreTestRecord): Case {
  const { outcome, reason } = record.result;
  const kinds = { passed: "passed", warned: "noted", failed: "failure", inconclusive: "error" } as const;
  const text = `${headlineOf(record)}\n${reason}`;
  return { name: "verdict", type: "verdict", kind: kinds[outcome], message: reason, text, durationMs: 0 };
}

function caseXml({ name, type, kind, message, text, durationMs }: Case, suite: string): string {
  const frame = `    <testcase${attribute("name", name)}${attribute("classname", `${suite}.${type}`)}${attribute("time", seconds(durationMs))}`;
  if (kind === "passed") return `${frame}/>\n`;
  const content =
    kind === "noted"
      ? `<system-out>${escapeXml(`WARNING: ${message}\n${text}`)}</system-out>`
      : kind === "skipped"
        ? `<skipped${attribute("message", message)}/>`
        : `<${kind}${attribute("message", message)}${attribute("type", type)}>${escapeXml(text)}</${kind}>`;
  return `${frame}>\n      ${content}\n    </testcase>\n`;
}

function propertiesOf({ recordId, backup, plan, result }: RestoreTestRecord): string {
  const properties: [string, string][] = [
    ["record", recordId],
    ["snapshot", backup.snapshotId],
    ["manifest-digest", backup.manifestDigest],
    ["level", plan.level],
    ["proven-level", result.provenLevel ?? "none"],
  ];
  const lines = properties.map(
    ([name, value]) => `      <property${attribute("name", name)}${attribute("value", value)}/>\n`,
  );
  return `    <properties>\n${lines.join("")}    </properties>\n`;
}

function countsText({ tests, failures, errors, skipped }: Counts): string {
  return ` tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeXml(inertLine(value))}"`;
}

/** Controls that XML 1.0 does not allow are made visible before. */
function escapeXml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
  return inert(text).replaceAll(/[&<>"']/g, (char) => entities[char] as string);
}
