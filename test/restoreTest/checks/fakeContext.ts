// A context for checks in which everything can be replaced. What is not given does not exist.

import type { Sid } from "../../../core/format/ids.js";
import { compilePattern, type Pattern } from "../../../core/platform/pattern.js";
import type { AgentConnection, CheckContext, SerialConsole } from "../../../core/restoreTest/checks/check.js";
import type { CheckSpec } from "../../../core/restoreTest/spec/restoreTestSpec.js";

export const SNAPSHOT_TIME = "2026-11-21T02:00:00Z";

/** As a spec has it. The flags do not count. */
export function pattern({ source }: RegExp): Pattern {
  const compiled = compilePattern(source);
  if ("problem" in compiled) throw new Error(compiled.problem);
  return compiled.pattern;
}

export function fakeContext(given: Partial<CheckContext> = {}): CheckContext {
  const start = performance.now();
  return {
    snapshot: {
      sid: "0123456789abcdef0123456789abcdef" as Sid,
      digest: "d".repeat(64),
      tags: [],
      timeMs: Date.parse(SNAPSHOT_TIME),
      manifest: {
        namespace: "prod",
        group: "vm/web1",
        time: SNAPSHOT_TIME,
        finishedAt: "2026-11-21T02:10:00Z",
        archives: [],
      },
    },
    disks: null,
    verifyChunks: null,
    serial: null,
    agent: null,
    guestPorts: [],
    hostPort: () => null,
    establishedConnections: async () => null,
    screenshot: null,
    runFolder: "/nonexistent",
    signal: new AbortController().signal,
    startedAtMs: Date.parse("2026-11-21T06:00:00Z"),
    now: () => Math.round(performance.now() - start),
    ...given,
  };
}

export type BodyOf<T extends CheckSpec["type"]> = Omit<
  Extract<CheckSpec, { type: T }>,
  "type" | "id" | "severity" | "timeoutMs" | "retries" | "intervalMs" | "line"
>;

/** A check of severity fail with one attempt, and more time than a busy machine needs. */
export function check<T extends CheckSpec["type"]>(
  type: T,
  body: BodyOf<T>,
  frame: Partial<CheckSpec> = {},
): CheckSpec {
  const base = { id: `my-${type}`, severity: "fail", timeoutMs: 60_000, retries: 0, intervalMs: 10, line: 7 };
  return { ...base, type, ...body, ...frame } as unknown as CheckSpec;
}

export function fakeSerial(text: string, droppedBytes = 0): SerialConsole {
  return {
    text: () => text,
    droppedBytes,
    waitFor: (_pattern, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  };
}

export function fakeAgent(given: Partial<AgentConnection> = {}): AgentConnection {
  return {
    ping: async () => {},
    osInfo: async () => ({ id: "debian", name: "Debian GNU/Linux" }),
    exec: async () => ({ exitCode: 0, stdout: "", stderr: "", truncated: false }),
    ...given,
  };
}
