// A configuration as YAML gives it, after schemas/reprise.json has checked its form: what the builders read.

import { TEXT_KEYS as SPEC_TEXT_KEYS } from "../restoreTest/spec/rawSpec.js";
import type { ImageFormat } from "../source/imageFormat.js";
import type { GateRequirement, NotifyOn } from "./repriseConfig.js";

export interface RawConfig {
  "time-zone"?: string;
  repositories?: Record<string, RawRepository>;
  machines?: Record<string, RawMachineEntry | null>;
  jobs?: Record<string, RawJob>;
  "restore-tests"?: unknown[];
  gates?: Record<string, RawGate>;
  notifications?: Record<string, RawNotification>;
  evidence?: RawEvidence | null;
}

export interface RawRepository {
  location: string;
  id?: string;
  passphrase?: string;
  "keeper-key"?: string;
  "trust-keeper"?: string;
  "bandwidth-limit"?: string | number;
}

export type OneOrMore<T> = T | T[];

export interface RawMachineEntry {
  description?: string;
  owner?: string;
  criticality?: string;
  disks?: OneOrMore<string | RawDisk>;
  folders?: OneOrMore<string | RawFolder>;
  "config-files"?: OneOrMore<string | { path: string; name?: string }>;
  tags?: string[];
  notes?: string;
}

export interface RawDisk {
  path: string;
  name?: string;
  format?: ImageFormat;
  "allow-backing-file"?: boolean;
}

export interface RawFolder {
  path: string;
  name?: string;
  exclude?: OneOrMore<string>;
  "one-file-system"?: boolean;
}

export interface RawJob {
  backup?: OneOrMore<string>;
  verify?: OneOrMore<string>;
  "restore-test"?: OneOrMore<string>;
  prune?: OneOrMore<string>;
  sync?: OneOrMore<string>;
  description?: string;
  repository?: string;
  schedule?: string;
  "time-zone"?: string;
  notify?: OneOrMore<string> | Record<string, NotifyOn>;
  retention?: Record<string, unknown>;
  "verify-after"?: "none" | "structure" | "data";
  codec?: "zstd" | "lz4" | "none";
  level?: number;
  "read-data"?: boolean;
  "outdated-after"?: string;
  slices?: number;
  gc?: boolean;
  from?: string;
  "transfer-last"?: number;
  "remove-vanished"?: boolean;
  "encrypted-only"?: boolean;
}

/** What a gate may say for itself and for each rule. */
export interface RawRequirement {
  level?: GateRequirement["level"];
  "max-backup-age"?: string;
  "max-test-age"?: string;
  proof?: GateRequirement["proof"];
  rto?: string;
  checks?: string[];
  "allow-warned"?: boolean;
  tests?: OneOrMore<string>;
}

export interface RawGate extends RawRequirement {
  description?: string;
  evidence?: string;
  keys?: OneOrMore<string>;
  repository?: string;
  "max-evidence-age"?: string;
  rules: RawRule[];
  override?: { label: string; "reason-prefix"?: string };
}

export interface RawRule extends RawRequirement {
  paths: OneOrMore<string>;
  machines: OneOrMore<string>;
}

export interface RawNotification {
  webhook?: string;
  format?: "json" | "slack";
  mail?: OneOrMore<string>;
  server?: string;
  password?: string;
  from?: string;
}

export interface RawEvidence {
  branch?: string;
  remote?: string;
  "signing-key"?: string;
  publish?: boolean;
  keep?: string;
}

/** Keys whose scalars are texts however they look: `schedule: 15`, `label: 1`. */
export const TEXT_KEYS: ReadonlySet<string> = new Set([
  ...SPEC_TEXT_KEYS,
  ...["tags", "notes", "schedule", "location", "paths", "exclude", "keys", "tests", "machines", "within", "branch"],
  ...["remote", "reason-prefix", "trust-keeper", "repository", "from", "notify", "backup", "prune", "restore-test"],
]);

export function asList<T>(given: OneOrMore<T> | undefined): T[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? given : [given];
}
