// One check of a spec with its defaults filled in. The schema has checked which fields there are and their types.

import { FieldReader } from "../../yaml/fieldReader.js";
import type { ProblemList } from "../../yaml/problems.js";
import type { RawCheck } from "./rawSpec.js";
import type { CheckBody, CheckFrame, CheckSpec, CheckType, Severity } from "./restoreTestSpec.js";

const SECOND = 1000;
const HOUR = 3_600_000;
const YEAR = 366 * 24 * HOUR;
const TIMEOUT_LIMITS = { minMs: SECOND, maxMs: 24 * HOUR };
const PAUSE_LIMITS = { minMs: 0, maxMs: HOUR };
const AGE_LIMITS = { minMs: SECOND, maxMs: 100 * YEAR };

const DEFAULT_TIMEOUT_MS = 30 * SECOND;
const DEFAULT_INTERVAL_MS = 5 * SECOND;
const DEFAULT_STABLE_MS = 5 * SECOND;
/** What is asked of a running machine may need a moment more. */
const DEFAULT_RETRIES = 5;
const RETRIED: ReadonlySet<string> = new Set(["agent", "command", "tcp", "http", "sql"]);

/** A whole file or disk may have to be read: one attempt may take long. */
const READING: ReadonlySet<string> = new Set(["chunks", "partition-table", "filesystem", "file", "canary"]);
const DEFAULT_READING_TIMEOUT_MS = HOUR;

export function buildCheck(raw: string | RawCheck, path: string, id: string, problems: ProblemList): CheckSpec {
  const fields = typeof raw === "string" ? { type: raw } : raw;
  const reader = new FieldReader(fields, path, problems);
  const type = fields.type as CheckType;
  const body = BUILDERS[type](reader) as CheckBody;
  return { ...frame(type, id, reader), ...body };
}

function frame(type: CheckType, id: string, reader: FieldReader): CheckFrame {
  return {
    id,
    severity: reader.get<Severity>("severity") ?? "fail",
    timeoutMs:
      reader.span("timeout", TIMEOUT_LIMITS) ?? (READING.has(type) ? DEFAULT_READING_TIMEOUT_MS : DEFAULT_TIMEOUT_MS),
    retries: reader.get<number>("retries") ?? (RETRIED.has(type) ? DEFAULT_RETRIES : 0),
    intervalMs: reader.span("interval", PAUSE_LIMITS) ?? DEFAULT_INTERVAL_MS,
    line: reader.problems.line(reader.path),
  };
}

type Builders = { [Type in CheckType]: (reader: FieldReader) => Extract<CheckBody, { type: Type }> };

const BUILDERS: Builders = {
  chunks: () => ({ type: "chunks" }),
  "partition-table": (reader) => ({
    type: "partition-table",
    disk: reader.get("disk"),
    scheme: reader.get("scheme"),
    partitions: reader.get("partitions"),
  }),
  filesystem: (reader) => ({
    type: "filesystem",
    volume: reader.get("volume"),
    fileSystem: reader.get("file-system"),
    label: reader.get("label"),
    uuid: reader.get("uuid"),
    clean: reader.get("clean"),
    minimumFreeBytes: reader.size("minimum-free"),
  }),
  file: buildFile,
  serial: (reader) => {
    const check = {
      type: "serial" as const,
      matches: reader.pattern("matches"),
      forbidden: reader.pattern("forbidden"),
    };
    requireOne(reader, ["matches", "forbidden"]);
    return check;
  },
  agent: (reader) => ({ type: "agent", osId: reader.pattern("os-id") }),
  command: (reader) => ({
    type: "command",
    run: commandLine(reader),
    exitCode: reader.get<number>("exit-code") ?? 0,
    matches: reader.pattern("matches"),
    forbidden: reader.pattern("forbidden"),
  }),
  tcp: (reader) => ({
    type: "tcp",
    port: reader.get<number>("port")!,
    sends: reader.get("sends"),
    expects: reader.pattern("expects"),
  }),
  http: buildHttp,
  sql: buildSql,
  screenshot: (reader) => ({
    type: "screenshot",
    stableMs: reader.span("stable-for", { minMs: SECOND, maxMs: HOUR }) ?? DEFAULT_STABLE_MS,
  }),
  canary: (reader) => ({
    type: "canary",
    path: reader.get<string>("path")!,
    tag: reader.get<string>("tag") ?? "canary",
  }),
  script: (reader) => ({ type: "script", run: commandLine(reader) }),
};

function buildFile(reader: FieldReader): Extract<CheckBody, { type: "file" }> {
  const check = {
    type: "file" as const,
    path: reader.get<string>("path")!,
    exists: reader.get<boolean>("exists") ?? true,
    sha256: reader.get<string>("sha256")?.toLowerCase() ?? null,
    minimumBytes: reader.size("minimum-size"),
    maximumBytes: reader.size("maximum-size"),
    newerThanMs: reader.span("newer-than", AGE_LIMITS),
    matches: reader.pattern("matches"),
  };
  const about = ["sha256", "minimum-size", "maximum-size", "newer-than", "matches"].filter((name) => reader.has(name));
  if (!check.exists && about.length > 0) {
    reader.problem("exists", `exists: false contradicts ${about.join(", ")}: a file that must not be there has none`);
  }
  if (check.minimumBytes !== null && check.maximumBytes !== null && check.minimumBytes > check.maximumBytes) {
    reader.problem("minimum-size", "minimum-size is more than maximum-size");
  }
  return check;
}

function buildHttp(reader: FieldReader): Extract<CheckBody, { type: "http" }> {
  const tls = reader.get<boolean>("tls") ?? false;
  if (!tls && reader.has("valid-for"))
    reader.problem("valid-for", "valid-for asks for a certificate: it needs tls: true");
  return {
    type: "http",
    port: reader.get<number>("port") ?? (tls ? 443 : 80),
    path: reader.get<string>("path") ?? "/",
    tls,
    host: reader.get<string>("host") ?? "localhost",
    status: [reader.get<number | number[]>("status") ?? 200].flat(),
    matches: reader.pattern("matches"),
    forbidden: reader.pattern("forbidden"),
    validForMs: reader.span("valid-for", AGE_LIMITS),
  };
}

function buildSql(reader: FieldReader): Extract<CheckBody, { type: "sql" }> {
  const client = reader.get<"psql" | "mysql">("client") ?? "psql";
  return {
    type: "sql",
    client,
    database: reader.get<string>("database") ?? (client === "psql" ? "postgres" : "mysql"),
    user: reader.get<string>("user") ?? (client === "psql" ? "postgres" : "root"),
    query: reader.get<string>("query")!,
    equals: reader.get("equals"),
    matches: reader.pattern("matches"),
  };
}

function commandLine(reader: FieldReader): readonly string[] {
  const run = reader.get<string | string[]>("run")!;
  return typeof run === "string" ? ["/bin/sh", "-c", run] : run;
}

function requireOne(reader: FieldReader, names: readonly string[]): void {
  if (!names.some((name) => reader.has(name))) {
    reader.problems.add(reader.path, `a ${reader.get<string>("type") ?? ""} check needs ${names.join(" or ")}`);
  }
}
