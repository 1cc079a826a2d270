// What a check is given and what it answers. A check looks at one thing and says what it saw; what that means for the test
// is decided by runCheck and by verdict.ts. Whatever comes from the machine is data of somebody we do not trust.

import type { MachineTree } from "../../files/machineTree.js";
import type { MachineDisk } from "../../files/machineVolumes.js";
import type { LineTest } from "../../hypervisor/serialLog.js";
import type { Snapshot } from "../../repository/catalog.js";
import type { VerifyReport } from "../../verify/verifyReport.js";
import type { CheckBody, CheckFrame, CheckType } from "../spec/restoreTestSpec.js";

/** `cannot-tell`: it could not look, or what it saw allows both. Nothing doubtful ever `holds`. */
export type CheckVerdict = "holds" | "fails" | "cannot-tell";

export interface Observation {
  verdict: CheckVerdict;
  /** For people, one line. */
  expected: string;
  /** What was seen. May be any text of any length: runCheck bounds it and makes control characters visible. */
  observed: string;
  /** Why it failed or could not tell; a note where it holds. */
  reason?: string;
  artifacts?: readonly ObservedArtifact[];
}

/** Kept beside the report. The name is a plain file name. */
export interface ObservedArtifact {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
}

/** A check of one type, with its frame. */
export type CheckOf<T extends CheckType> = CheckFrame & Extract<CheckBody, { type: T }>;

export interface AttemptOptions {
  /** Ends with the attempt: its reason is a TimeoutError when the check's time is over, an AbortError when the test ends. */
  signal: AbortSignal;
}

/**
 * One attempt. May throw: an error of stored or restored data counts as a failure, any other as "cannot tell". A check that
 * has something to say about an attempt whose time is over catches that itself.
 */
export type CheckFunction<T extends CheckType> = (
  check: CheckOf<T>,
  context: CheckContext,
  options: AttemptOptions,
) => Promise<Observation>;

/** Null where the machine does not have it, or was not started: such checks cannot tell. */
export interface CheckContext {
  snapshot: TestedSnapshot;
  disks: TestedDisks | null;
  /** Reads and verifies all data of the snapshot. */
  verifyChunks: ((signal: AbortSignal) => Promise<ChunkReport>) | null;
  serial: SerialConsole | null;
  agent: AgentConnection | null;
  /** Ports of the guest that are forwarded. */
  guestPorts: readonly number[];
  /** The port on 127.0.0.1 that leads to the guest's, or null. */
  hostPort(guestPort: number): number | null;
  /** How many connections the guest has accepted on this port; null when the hypervisor does not say. */
  establishedConnections(guestPort: number): Promise<number | null>;
  screenshot: (() => Promise<ScreenPicture>) | null;
  /** A folder of this run, removed with it. */
  runFolder: string;
  /** Ends everything; with a TimeoutError when the whole test took too long. */
  signal: AbortSignal;
  /** By the wall clock, milliseconds since 1970. */
  startedAtMs: number;
  /** Whole milliseconds since the start of the test, by a clock that never jumps. */
  now(): number;
}

export type TestedSnapshot = Pick<Snapshot, "sid" | "digest" | "tags" | "timeMs"> & {
  manifest: Pick<Snapshot["manifest"], "namespace" | "group" | "time" | "finishedAt" | "archives">;
};

export interface TestedDisks {
  disks: readonly MachineDisk[];
  tree: MachineTree;
}

export type ChunkReport = Pick<VerifyReport, "ok" | "level"> & {
  snapshots: readonly VerifyReport["snapshots"][number][];
  packs: Pick<VerifyReport["packs"], "read" | "bytesRead">;
};

export interface SerialConsole {
  /** What is kept of the output, without terminal escapes. */
  text(): string;
  /** Bytes that `text` does not have: what was in them is not known any more. */
  readonly droppedBytes: number;
  /** Resolves when the pattern appears, or has appeared; rejects otherwise, also when the machine ends. */
  waitFor(pattern: LineTest, options: { signal: AbortSignal; timeoutMs?: number }): Promise<unknown>;
}

export interface AgentConnection {
  /** Rejects when the agent does not answer. */
  ping(options: { signal: AbortSignal }): Promise<void>;
  /** Rejects when the agent does not have the command. */
  osInfo(options: { signal: AbortSignal }): Promise<{ id: string; name: string }>;
  /**
   * Rejects when the program cannot be started or does not end in time; then GUEST_AGENT_SILENT with `data.pid` says that it was
   * started. No shell.
   */
  exec(argv: readonly string[], options: { signal: AbortSignal; timeoutMs: number }): Promise<GuestResult>;
}

export interface GuestResult {
  /** Null: ended by a signal. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** The agent did not keep all of the output. */
  truncated: boolean;
}

export interface ScreenPicture {
  width: number;
  height: number;
  /** Three bytes a pixel. */
  rgb: Uint8Array;
  png: Uint8Array;
}

export function holds(expected: string, observed: string, reason?: string): Observation {
  return { verdict: "holds", expected, observed, ...(reason === undefined ? {} : { reason }) };
}

export function fails(expected: string, observed: string, reason: string): Observation {
  return { verdict: "fails", expected, observed, reason };
}

export function cannotTell(expected: string, observed: string, reason: string): Observation {
  return { verdict: "cannot-tell", expected, observed, reason };
}
