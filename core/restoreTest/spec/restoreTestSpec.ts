// A restore test as it was written down, with every default filled in. The YAML form, its keys in kebab-case, is described
// by schemas/restore-test.json and docs/restore-tests.md. Times are milliseconds, sizes bytes.

import { SEVERITIES, type Severity, TEST_LEVELS, type TestLevel } from "../../format/restoreTestRecord.js";
import type { HardwareWishes } from "../../hypervisor/config/shapeFor.js";
import type { AcceleratorChoice } from "../../hypervisor/machineShape.js";
import type { Pattern } from "../../platform/pattern.js";

export { SEVERITIES, type Severity, TEST_LEVELS, type TestLevel };

/** How the disks reach the guest: straight from the repository, from a full restore, or first the one, then the other. */
export const DISK_WAYS = ["instant", "restored", "both"] as const;
export type DiskWay = (typeof DISK_WAYS)[number];

export interface RestoreTestSpec {
  name: string;
  description: string;
  owner: string;
  criticality: string;
  /** Names of controls that this test is evidence for, as in "ISO27001:A.8.13". */
  controls: readonly string[];
  /** In the order in which they start: each after those it depends on. */
  machines: readonly MachineTest[];
  network: NetworkSpec;
  /** Everything together, teardown included. */
  totalMs: number;
  keepOnFailure: readonly ("serial-log" | "screenshot" | "overlay")[];
}

export interface MachineTest {
  /** `vm/web1`, or `prod:vm/web1` with its namespace. */
  machine: string;
  dependsOn: readonly string[];
  snapshot: SnapshotChoice;
  level: TestLevel;
  via: DiskWay;
  hardware: HardwareSpec;
  timeouts: { restoreMs: number; bootMs: number; agentMs: number; applicationMs: number };
  objectives: { rtoMs: number | null; rpoMs: number | null };
  ready: ReadySignal;
  checks: readonly CheckSpec[];
}

/**
 * `random`: any; `rolling`: the one whose last test is longest ago (never tested first); `named`: as on the command line,
 * without the machine (`2026-11-21T02:00:00Z`, `~2`, an id prefix).
 */
export type SnapshotChoice =
  | { kind: "latest" }
  | { kind: "oldest" }
  | { kind: "random" }
  | { kind: "rolling" }
  | { kind: "named"; name: string };

/** What is not wished for comes from the machine's configuration in the snapshot, else from the defaults. */
export interface HardwareSpec extends HardwareWishes {
  accelerator: AcceleratorChoice;
}

export type NetworkSpec =
  | { mode: "none" }
  /** IPv4 network of the guest as it was configured, with the address of its router. */
  | { mode: "isolated"; subnet: string; gateway: string };

/** When the machine counts as started: all that are given. None given: login prompt, or the agent answers. */
export interface ReadySignal {
  serial: Pattern | null;
  agent: boolean;
  /** A guest's port that must answer. */
  port: number | null;
}

export type CheckSpec = CheckFrame & CheckBody;

export interface CheckFrame {
  /** Unique within its machine. */
  id: string;
  severity: Severity;
  timeoutMs: number;
  /** Further attempts after the first. */
  retries: number;
  intervalMs: number;
  /** Line of the YAML file, 1-based, for annotations. */
  line: number;
}

export type CheckBody =
  | { type: "chunks" }
  | { type: "partition-table"; disk: string | null; scheme: "gpt" | "mbr" | null; partitions: number | null }
  | {
      type: "filesystem";
      /** Tree path of a volume, as `reprise ls` prints it; null: every volume of the machine. */
      volume: string | null;
      fileSystem: string | null;
      label: string | null;
      uuid: string | null;
      /** Only where the format says so; else inconclusive. */
      clean: boolean | null;
      minimumFreeBytes: number | null;
    }
  | {
      type: "file";
      path: string;
      exists: boolean;
      sha256: string | null;
      minimumBytes: number | null;
      maximumBytes: number | null;
      /** Written at most this long before the snapshot. */
      newerThanMs: number | null;
      matches: Pattern | null;
    }
  | { type: "serial"; matches: Pattern | null; forbidden: Pattern | null }
  | { type: "agent"; osId: Pattern | null }
  | { type: "command"; run: readonly string[]; exitCode: number; matches: Pattern | null; forbidden: Pattern | null }
  | { type: "tcp"; port: number; sends: string | null; expects: Pattern | null }
  | {
      type: "http";
      port: number;
      path: string;
      tls: boolean;
      /** Host header and server name. */
      host: string;
      status: readonly number[];
      matches: Pattern | null;
      forbidden: Pattern | null;
      /** With TLS: the certificate must be valid this long after the test. */
      validForMs: number | null;
    }
  | {
      type: "sql";
      client: "psql" | "mysql";
      database: string;
      user: string;
      query: string;
      equals: string | null;
      matches: Pattern | null;
    }
  | { type: "screenshot"; stableMs: number }
  /** The file's content (trimmed) must be the value after `<tag>=` among the snapshot's tags. */
  | { type: "canary"; path: string; tag: string }
  | { type: "script"; run: readonly string[] };

export type CheckType = CheckBody["type"];
